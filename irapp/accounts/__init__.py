"""People, their roles, their tokens; signing in."""
