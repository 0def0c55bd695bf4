"""What corrections ask of segments and pattern sets, and how new versions reach them."""

from http import HTTPStatus

import pytest
from django.urls import reverse

from corrections import actions as corrections
from corrections.models import Correction
from corrections.segments import actions, registers
from corrections.segments.models import PatternSet, Segment
from corrections.segments.selectors import usage
from corrections.states import State
from corrections.terms import Terms
from corrections.validation import spec
from enforcement import policy
from irapp.common.errors import ConflictError, InvalidError
from tests.corrections.factories import lift, make_correction, make_terms
from tests.corrections.pages import text
from tests.corrections.segments.factories import (
    add,
    bring_patterns,
    fresh,
    lists_of,
    make_patterns,
    make_segment,
    many,
    remove,
)
from tests.incidents.factories import make_commander, make_responder

pytestmark = pytest.mark.django_db


def blocked(segment, *, state=State.ACTIVE, version=None, **named):
    named = {"narrower_rejected": "They are this many."} | named
    return make_correction(state=state, users={"lists": lists_of(segment, version)}, **named)


def filtered(register, *, state=State.ACTIVE):
    ref = registers.patterns_ref(register.reference)
    patterns = {name: getattr(ref, name) for name in ref.__struct_fields__}
    parameters = {"patterns": patterns, "action": "block", "threshold": 1}
    named = {"users": {"users": ["alice"]}, "expected_false_positive_percent": 0.1}
    return make_correction(state=state, kind="input_filter", parameters=parameters, **named)


def as_policy(**users):
    return spec(make_terms(users=users))


def test_only_what_is_in_use_and_holds_something_can_be_chosen():
    segment = make_segment("alice")
    make_segment()
    retired = make_segment("bob")
    actions.retire(kind=Segment, pk=retired.pk, reason="Over.", by=make_commander())
    register = make_patterns("sarin")
    make_patterns()

    assert [(each.reference, each.of, each.count) for each in registers.segment_choices()] == [
        (segment.reference, "user", 1)
    ]
    assert [each.reference for each in registers.pattern_choices()] == [register.reference]


def test_a_segment_is_named_by_its_base_and_its_recent_list():
    segment = make_segment(*many(1200), of="key")
    add(segment, "late")

    lists = registers.subject_lists(segment.reference)

    assert [(each.of, each.count) for each in lists] == [("key", 1200), ("key", 1)]
    assert [each.count for each in registers.subject_lists(segment.reference, 1)] == [1200]


@pytest.mark.parametrize("code", ["unknown_segment", "empty_segment", "retired"])
def test_what_cannot_be_named_is_refused_with_its_reason(code):
    segment = make_segment(*(["alice"] if code == "retired" else []))
    if code == "retired":
        actions.retire(kind=Segment, pk=segment.pk, reason="Over.", by=make_commander())

    with pytest.raises(InvalidError) as refused:
        registers.subject_lists("SEG-9999" if code == "unknown_segment" else segment.reference)

    assert refused.value.code == code


def test_a_pattern_set_is_named_by_its_version():
    register = make_patterns("sarin")
    bring_patterns(register, "tabun")

    ref = registers.patterns_ref(register.reference)

    assert (ref.version, ref.name) == (2, f"{register.reference} {register.title}")
    assert registers.patterns_ref(register.reference, 1).version == 1


def test_a_correction_names_only_what_was_imported_and_as_what_it_is():
    segment = make_segment("alice")
    (good,) = lists_of(segment)

    registers.check_attachments(as_policy(lists=[good]))
    for wrong, code in (
        ({"attachment": "sha256:" + "0" * 64}, "unknown_attachment"),
        ({"count": 7}, "unknown_attachment"),
        ({"of": "organisation"}, "wrong_kind"),
        ({"attachment": make_patterns("x").versions.get().attachment_id}, "unknown_attachment"),
    ):
        with pytest.raises(InvalidError) as refused:
            registers.check_attachments(as_policy(lists=[good | wrong]))
        assert (refused.value.field, refused.value.code) == ("users.lists", code)


def test_lists_are_told_by_the_segment_they_belong_to():
    segment = make_segment(*many(1200))
    add(segment, "late")
    lists = lists_of(segment)
    add(segment, "later")

    (named,) = registers.described(as_policy(lists=lists).users)

    assert (named.reference, named.version, named.newest, named.count) == (segment.reference, 2, 3, 1201)


def test_a_pattern_set_is_told_by_its_reference():
    register = make_patterns("sarin")
    correction = filtered(register, state=State.DRAFT)

    named = registers.described_patterns(spec(Terms.of(correction)).effect)

    assert (named.reference, named.version, named.newest) == (register.reference, 1, 1)


def test_an_approved_correction_keeps_the_list_it_was_approved_with():
    segment = make_segment("alice")
    correction = blocked(segment)

    add(segment, "bob")

    (use,) = usage.segment_uses(fresh(segment))
    assert (use.correction, use.version, use.current) == (correction, 1, False)
    assert Correction.objects.get(pk=correction.pk).users["lists"] == lists_of(segment, 1)


def test_an_older_version_is_told_from_a_newer_one_that_shares_its_base():
    segment = make_segment(*many(1200))
    older = blocked(segment)
    add(segment, "late")
    newer = blocked(segment)

    uses = {use.correction: (use.version, use.current) for use in usage.segment_uses(fresh(segment))}

    assert uses == {older: (1, False), newer: (2, True)}
    assert [named.version for named in registers.described(spec(Terms.of(older)).users)] == [1]


def test_a_merge_in_the_background_leaves_uses_current():
    segment = make_segment(*many(2000))
    add(segment, *many(1001, prefix="late"))
    blocked(segment)

    actions.merge(segment_id=segment.pk)

    (use,) = usage.segment_uses(fresh(segment))
    assert use.current


def test_what_was_lifted_no_longer_uses_it():
    segment = make_segment("alice")
    correction = blocked(segment, state=State.LIFTED)

    assert correction.state == State.LIFTED
    assert usage.segment_uses(segment) == []


@pytest.mark.parametrize("state", [State.PROPOSED, State.ENFORCING, State.ACTIVE, State.LIFTING])
def test_a_segment_in_use_is_not_retired(state):
    segment = make_segment("alice")
    correction = blocked(segment, state=state)

    with pytest.raises(ConflictError, match=str(correction)):
        actions.retire(kind=Segment, pk=segment.pk, reason="Over.", by=make_commander())


def test_a_pattern_set_in_use_is_not_retired():
    register = make_patterns("sarin")
    correction = filtered(register)

    with pytest.raises(ConflictError, match=str(correction)):
        actions.retire(kind=PatternSet, pk=register.pk, reason="Over.", by=make_commander())


def test_new_versions_are_drafted_for_what_is_behind_and_decided_like_any_other():
    segment, other = make_segment("alice"), make_segment("zoe")
    lists = [*lists_of(segment), *lists_of(other)]
    correction = make_correction(users={"users": ["mallory"], "lists": lists})
    current = blocked(make_segment("x"))
    add(segment, "bob")

    made = actions.redraft(register=fresh(segment), by=make_commander())

    (draft,) = made.drafts
    assert (draft.reference, draft.version, draft.state) == (correction.reference, 2, State.DRAFT)
    assert draft.users["users"] == ["mallory"]
    digests = {each["attachment"] for each in draft.users["lists"]}
    assert digests == {each["attachment"] for each in [*lists_of(segment), *lists_of(other)]}
    assert Correction.objects.get(pk=correction.pk).state == State.ACTIVE
    assert not Correction.objects.filter(reference=current.reference, version=2).exists()


def test_new_versions_of_a_filter_name_the_newest_patterns():
    register = make_patterns("sarin")
    filtered(register)
    bring_patterns(register, "tabun")

    (draft,) = actions.redraft(register=fresh(register), by=make_commander()).drafts

    assert draft.parameters["patterns"]["version"] == 2
    assert draft.parameters["threshold"] == 1


def test_one_that_cannot_be_changed_now_does_not_hold_up_the_others():
    segment = make_segment("alice")
    first, second = blocked(segment), blocked(segment)
    add(segment, "bob")
    by = make_commander()
    corrections.draft_version(correction_id=first.pk, by=by)

    made = actions.redraft(register=fresh(segment), by=by)

    assert [draft.reference for draft in made.drafts] == [second.reference]
    assert "one change at a time" in made.refused[str(first)]


def test_a_segment_that_became_empty_widens_nothing():
    segment = make_segment("alice")
    correction = blocked(segment)
    remove(segment, "alice")

    made = actions.redraft(register=fresh(segment), by=make_commander())

    assert made.drafts == ()
    assert "Nobody is in" in made.refused[str(correction)]


def test_the_page_offers_to_draft_new_versions(client):
    segment = make_segment("alice")
    correction = blocked(segment)
    client.force_login(make_responder())
    assert "older version" not in text(client.get(segment.get_absolute_url()))
    add(segment, "bob")

    page = client.get(segment.get_absolute_url())
    assert "Approved with an older version" in text(page)
    assert reverse("segments:redraft", args=[segment.pk]) in page.content.decode()
    answer = client.post(reverse("segments:redraft", args=[segment.pk]), {}, follow=True)

    assert answer.status_code == HTTPStatus.OK
    assert f"Drafted: {correction.reference}.2" in text(answer)


def test_what_is_lifting_is_not_drafted_anew():
    segment = make_segment("alice")
    correction = blocked(segment)
    lift(correction)
    add(segment, "bob")

    made = actions.redraft(register=fresh(segment), by=make_commander())

    assert (made.drafts, dict(made.refused)) == ((), {})


def test_lists_in_the_policy_are_attachments_of_it():
    segment = make_segment("alice")
    correction = as_policy(lists=lists_of(segment))

    assert policy.attachments(policy.Content(corrections=(correction,))) == {
        each["attachment"] for each in lists_of(segment)
    }
