"""The embedded default: every service irapp needs, from Python wheels, on one machine, without root."""
