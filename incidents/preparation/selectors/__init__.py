"""Reads: readiness, registers, and what may be chosen for an incident."""
