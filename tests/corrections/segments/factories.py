"""Segments and pattern sets for tests, made by the real actions."""

from corrections.segments import actions, pattern_files, reading
from corrections.segments.actions.importing import Intent
from corrections.segments.models import Mode, PatternSet, Segment
from corrections.segments.registers import subject_lists
from tests.incidents.factories import make_responder


def make_segment(*names, of="user", by=None, title="Accounts behind the campaign", **words):
    """Begin a segment; with names it has a first version."""
    by = by or make_responder()
    segment = actions.create_segment(title=title, of=of, by=by, **words)
    if names:
        add(segment, *names, by=by)
    return fresh(segment)


def add(segment, *names, by=None, mode=Mode.ADD, reason="Found in the logs.", **how):
    return actions.change_subjects(
        segment_id=segment.pk, mode=mode, names=list(names), reason=reason, by=by or make_responder(), **how
    )


def remove(segment, *names, **how):
    return add(segment, *names, mode=Mode.REMOVE, **how)


def bring(segment, text, *, mode=Mode.ADD, by=None, layout=None, **intent):
    """Import a file as the API does: in one go."""
    raw = text if isinstance(text, bytes) else text.encode()
    read = reading.read(raw, of=segment.of, layout=layout or reading.Layout())
    intent = Intent(mode=mode, reason=intent.pop("reason", "A list of the abuse team."), **intent)
    return actions.import_subjects(segment_id=segment.pk, read=read, intent=intent, by=by or make_responder())


def make_patterns(*texts, by=None, title="Words of the campaign"):
    """Begin a pattern set; with texts it has a first version."""
    by = by or make_responder()
    register = actions.create_pattern_set(title=title, by=by)
    if texts:
        bring_patterns(register, "\n".join(texts), by=by)
    return fresh(register)


def bring_patterns(register, text, *, mode=Mode.ADD, by=None, name="patterns.txt", **intent):
    read = pattern_files.read(text.encode(), name=name)
    intent = Intent(mode=mode, reason=intent.pop("reason", "From the red team."), **intent)
    return actions.import_patterns(
        pattern_set_id=register.pk, read=read, intent=intent, by=by or make_responder()
    )


def lists_of(segment, version=None):
    """Give the lists as the terms of a correction hold them."""
    return [
        {"of": each.of, "attachment": each.attachment, "count": each.count}
        for each in subject_lists(segment.reference, version)
    ]


def fresh(register):
    return (Segment if isinstance(register, Segment) else PatternSet).objects.get(pk=register.pk)


def many(count, *, prefix="user"):
    return [f"{prefix}-{number:06d}" for number in range(count)]
