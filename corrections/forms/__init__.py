"""Forms: what a person types, turned into what the actions take."""

from corrections.forms.alarms import Acknowledge
from corrections.forms.drafts import Draft, Revision, Version
from corrections.forms.filters import Filter
from corrections.forms.words import Reason, Step, Sure, Vote

__all__ = ["Acknowledge", "Draft", "Filter", "Reason", "Revision", "Step", "Sure", "Version", "Vote"]
