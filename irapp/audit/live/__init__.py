"""Live updates: hints that make open pages fetch authorised HTML again. Never content."""
