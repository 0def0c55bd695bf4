"""The policy as Envoy configuration, and Envoy as a process."""
