"""How irapp is run: the embedded start-up behind ``make run``, the demo model, server settings."""
