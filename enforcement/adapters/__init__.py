"""Other doors than Envoy: each evaluates the same signed policy inside somebody else's gateway."""
