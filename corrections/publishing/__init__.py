"""From decisions to gateways and back: compile, sign, deliver, read back."""
