"""Sources, signals, and what becomes of them. Detectors, escalation and on-call find their place here."""
