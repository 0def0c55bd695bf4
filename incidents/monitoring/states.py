"""What a group of signals can be, and where signals come from."""

from django.db import models


class State(models.TextChoices):
    """Where a group of signals stands."""

    NEW = "NEW", "New"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    LINKED = "LINKED", "Linked"
    CLOSED = "CLOSED", "Closed"


class Kind(models.TextChoices):
    """Where a signal comes from (M-2)."""

    MONITOR = "MONITOR", "Monitor"
    EVALUATION = "EVALUATION", "Evaluation"
    RED_TEAM = "RED_TEAM", "Red team"
    USER_REPORT = "USER_REPORT", "User report"
    CUSTOMER_REPORT = "CUSTOMER_REPORT", "Customer report"
    STAFF = "STAFF", "Staff"
    RESEARCHER = "RESEARCHER", "Researcher"
    PARTNER = "PARTNER", "Partner"
    PRESS = "PRESS", "Press"
    GOVERNMENT = "GOVERNMENT", "Government"
    INCIDENT_DATABASE = "INCIDENT_DATABASE", "Incident database"


UNLINKED: tuple[State, ...] = (State.NEW, State.ACKNOWLEDGED)
"""Somebody has still to say what these belong to."""
