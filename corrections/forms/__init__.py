"""Forms: what a person types, turned into what the actions take."""

from corrections.forms.drafts import Draft, Revision, Version
from corrections.forms.filters import Filter
from corrections.forms.words import Reason, Sure, Vote

__all__ = ["Draft", "Filter", "Reason", "Revision", "Sure", "Version", "Vote"]
