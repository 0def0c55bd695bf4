"""Reading the log, and the state of health."""
