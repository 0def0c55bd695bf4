"""Who had a hand in a correction, kept from the first word on and frozen onto what is proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.models import Author, Did
from corrections.states import Action

if TYPE_CHECKING:
    from corrections.models import Correction
    from irapp.accounts.models import User


def keep(correction: Correction, did: Did, *, by: User) -> None:
    """Remember who did this to the correction as it is now; the caller holds the lock on it."""
    Author.objects.create(correction=correction, user=by, did=did, revision=correction.revision)


def barred(correction: Correction, action: Action, *, by: User) -> dict[str, str]:
    """Give the accounts that do not decide, and why: the proposer, and whoever had a hand in the draft.

    What is already in force was decided by others: whoever wrote it may say whether it goes or stays.
    """
    if action != Action.IMPOSE:
        return {str(by.pk): Did.PROPOSED}
    # Proposing says more of somebody than writing, so it is what counts where both are true.
    hands = correction.authors.order_by("-did").values_list("user_id", "did")
    # A program of the release before, still running during `migrate`, keeps no author of what it saves.
    last = {str(correction.drafted_by_id): str(Did.WROTE)}
    return last | {str(user): did for user, did in hands}
