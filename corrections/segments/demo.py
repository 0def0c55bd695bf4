"""Lists of the demo: accounts that were found, customers on trial, and the words of an extortion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.segments import actions, pattern_files
from corrections.segments.actions.importing import Intent
from corrections.segments.models import Mode, PatternSet, Segment

if TYPE_CHECKING:
    from irapp.accounts.models import User

FOUND = (
    "carol",
    "x9-runner-01",
    "x9-runner-02",
    "x9-runner-03",
    "x9-runner-04",
    "burner-7731",
    "burner-7732",
)
LATER = ("burner-7733", "burner-7741")
WORDS = """id,kind,text,weight,sample
ransom-note,literal,your files have been encrypted,40,
leak-threat,literal,we will publish your data,30,
wallet,regex,"\\bbc1[a-z0-9]{38,58}\\b",20,bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq
deadline,regex,"within \\d{1,3} (?:hours|days)",10,within 48 hours
negotiator,literal,recovery negotiator,10,
"""


def seed(people: dict[str, User]) -> None:
    """Fill both registers, unless anything is in them."""
    if not Segment.objects.exists():
        _found(people["rosa"])
        _on_trial(people["connor"])
    if not PatternSet.objects.exists():
        _words(people["rosa"])


def _found(by: User) -> None:
    segment = actions.create_segment(
        title="Accounts that victims reported",
        of=Segment.Of.USER,
        description="From tickets of the abuse desk. **Add only what two victims reported.**",
        owner_id=by.pk,
        by=by,
    )
    reasons = {FOUND: "First sweep of the logs.", LATER: "Same wallet as burner-7731."}
    for names, reason in reasons.items():
        actions.change_subjects(segment_id=segment.pk, mode=Mode.ADD, names=names, reason=reason, by=by)


def _on_trial(by: User) -> None:
    segment = actions.create_segment(
        title="Organisations on trial",
        of=Segment.Of.ORGANISATION,
        description="From the billing export of the first of the month.",
        by=by,
    )
    names = [f"trial-{number:05}" for number in range(1, 2501)]
    actions.change_subjects(
        segment_id=segment.pk, mode=Mode.ADD, names=names, reason="Billing export.", by=by
    )


def _words(by: User) -> None:
    said = "From the notes that victims sent in."
    register = actions.create_pattern_set(
        title="Words of the extortion", description=said, owner_id=by.pk, by=by
    )
    read = pattern_files.read(WORDS.encode(), name="words.csv")
    intent = Intent(mode=Mode.ADD, reason="From five ransom notes.", source_name="words.csv")
    actions.import_patterns(pattern_set_id=register.pk, read=read, intent=intent, by=by)
