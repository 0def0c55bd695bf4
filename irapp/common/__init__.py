"""What every floor stands on: errors, their one mapping to HTTP, formatting. Knows nobody."""
