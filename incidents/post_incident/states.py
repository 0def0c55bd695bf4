"""Where an after-action review stands."""

from django.db import models


class State(models.TextChoices):
    """A review is written, put before the auditors, and signed as exact content."""

    DRAFT = "DRAFT", "Draft"
    IN_REVIEW = "IN_REVIEW", "In review"
    SIGNED = "SIGNED", "Signed"
