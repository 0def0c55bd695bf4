"""Reads: what pages and API show."""
