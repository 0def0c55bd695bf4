"""A callback for the LiteLLM proxy. What it enforces and what it closes stands in ``docs/doors.md``."""
