"""The pages of segments and pattern sets, as people use them."""

from http import HTTPStatus
from importlib import import_module

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from corrections.segments import actions
from corrections.segments.models import Segment, Upload
from incidents import actions as incidents
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from tests.corrections import factories
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
from tests.corrections.segments.factories import bring as imported
from tests.incidents.factories import make_commander, make_responder
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def responder(client):
    person = make_responder()
    client.force_login(person)
    return person


def url(name, *args):
    return reverse(f"segments:{name}", args=args)


def file(content, name="list.csv"):
    raw = content if isinstance(content, bytes) else content.encode()
    return SimpleUploadedFile(name, raw, content_type="text/csv")


def bring(client, register, content, *, mode="add", page="import"):
    return client.post(url(page, register.pk), {"file": file(content), "mode": mode})


def previewed(client, register, content, **how):
    answer = bring(client, register, content, **how)
    assert answer.status_code == HTTPStatus.FOUND, text(answer)
    return client.get(answer["Location"])


def confirm(client, preview, **said):
    seen = preview.context["seen"]
    bound = {"digest": seen.upload.digest, "revision": seen.register.revision, "reason": "From the logs."}
    return client.post(preview.request["PATH_INFO"] + "?" + preview.request["QUERY_STRING"], bound | said)


def counts(preview):
    return {count.label: count.number for count in preview.context["seen"].counts}


def test_a_segment_is_begun_and_the_next_step_is_a_file(client, responder):
    answer = client.post(url("create"), {"title": "Ring of accounts", "of": "key"})

    segment = Segment.objects.get()
    assert answer["Location"] == url("import", segment.pk)
    assert (segment.title, segment.of, segment.created_by) == ("Ring of accounts", "key", responder)


def test_what_is_missing_is_named_at_its_field(client, responder):
    answer = client.post(url("create"), {"title": " ", "of": "planet"})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert set(answer.context["form"].errors) == {"title", "of"}


def test_a_file_is_previewed_row_by_row_before_anything_happens(client, responder):
    segment = make_segment("alice", "bob")

    preview = previewed(client, segment, "user_id\nalice\ncarol\ncarol\nd d\n\n")

    assert counts(preview) == {
        "New": 1,
        "Already in it": 1,
        "Twice in the file": 1,
        "Invalid": 1,
        "Blank lines": 1,
    }
    shown = text(preview)
    assert "contains white space" in shown
    assert "d d" in shown
    assert fresh(segment).version == 1


def test_going_on_without_invalid_rows_takes_a_word(client, responder):
    segment = make_segment("alice")
    preview = previewed(client, segment, "carol\nd d\n")

    refused = confirm(client, preview)

    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "skip_invalid" in refused.context["form"].errors
    assert fresh(segment).version == 1

    taken = confirm(client, preview, skip_invalid="on")

    assert taken["Location"] == segment.get_absolute_url()
    version = segment.versions.first()
    assert (version.count, version.skipped, version.source_name) == (2, 1, "list.csv")
    assert version.source_digest == preview.context["seen"].upload.digest


def test_a_preview_that_somebody_overtook_is_explained_and_shown_anew(client, responder):
    segment = make_segment("alice")
    preview = previewed(client, segment, "carol\n")
    add(segment, "carol", "dave")

    stale = confirm(client, preview)

    assert stale.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "was changed in the meantime: it is at version 2 with 3 users now" in text(stale)
    assert counts(stale)["Already in it"] == 1
    assert fresh(segment).version == 2


def test_what_is_confirmed_is_exactly_the_file_that_was_seen(client, responder):
    segment = make_segment("alice")
    preview = previewed(client, segment, "carol\n")

    refused = confirm(client, preview, digest="sha256:" + "0" * 64)

    assert "not the file that was previewed" in text(refused)
    assert fresh(segment).version == 1


def test_a_second_click_takes_nothing_in_twice(client, responder):
    segment = make_segment("alice")
    preview = previewed(client, segment, "carol\n")

    confirm(client, preview)
    again = confirm(client, preview)

    assert again.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert fresh(segment).version == 2


def test_how_the_file_is_read_can_be_changed_without_bringing_it_again(client, responder):
    segment = make_segment()
    preview = previewed(client, segment, "note,account\nx1,alice\nx2,bob\n")
    assert preview.context["seen"].table.column == 1

    other = client.get(preview.request["PATH_INFO"], {"mode": "add", "column": "0", "header": "no"})

    assert other.context["seen"].coming == ["note", "x1", "x2"]


def test_a_column_that_is_not_there_is_explained(client, responder):
    segment = make_segment()
    preview = previewed(client, segment, "a,b\nc,d\n")

    answer = client.get(preview.request["PATH_INFO"], {"mode": "add", "column": "9"})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "There is no column 9" in text(answer)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "Excel file"),
        (b"ali\x00ce", "not a text file"),
        (b"caf\xe9\n", "not UTF-8: line 1"),
        (b"", "empty"),
    ],
)
def test_a_file_that_is_no_list_gets_one_clear_word(client, responder, content, said):
    answer = bring(client, make_segment(), content)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in text(answer)
    assert not Upload.objects.exists()


def test_names_can_be_typed_instead(client, responder):
    segment = make_segment()

    answer = client.post(url("import", segment.pk), {"typed": "alice\nbob", "mode": "add"})
    confirm(client, client.get(answer["Location"]))

    assert fresh(segment).count == 2


def test_somebody_elses_upload_is_not_found(client, responder):
    segment = make_segment()
    other = actions.upload(register=segment, name="x.csv", raw=b"alice\n", by=make_commander())

    assert client.get(url("preview", segment.pk, other.pk)).status_code == HTTPStatus.NOT_FOUND


def test_every_invalid_row_comes_as_a_file(client, responder):
    segment = make_segment()
    preview = previewed(client, segment, "alice\n" + "b b\n" * 150 + "=x\n")

    answer = client.get(preview.context["invalid_url"])

    lines = answer.content.decode().splitlines()
    assert len(lines) == 152
    assert lines[1] == "2,b b,contains white space"
    assert lines[-1].startswith("152,'=x,")


def test_the_page_says_whether_somebody_is_in_it(client, responder):
    segment = make_segment("alice")

    assert client.get(segment.get_absolute_url(), {"who": "alice"}).context["inside"]
    answer = client.get(segment.get_absolute_url(), {"who": "alic"})
    assert not answer.context["inside"]
    assert "alic</span> is not in version 1" in text(answer)


def test_subjects_are_searched_and_paged(client, responder):
    segment = make_segment(*many(250), "zoe")

    first = client.get(url("subjects", segment.pk))
    last = client.get(url("subjects", segment.pk), {"page": "3"})
    zoe = client.get(url("subjects", segment.pk), {"q": "ZO"})

    assert first.context["found"].title == "1 to 100 of 251"
    assert last.context["found"].rows[-1] == "zoe"
    assert last.context["next_url"] == ""
    assert list(zoe.context["found"].rows) == ["zoe"]


def test_an_older_version_can_still_be_looked_at(client, responder):
    segment = make_segment("alice")
    remove(segment, "alice")

    answer = client.get(url("subjects", segment.pk), {"version": "1"})

    assert list(answer.context["found"].rows) == ["alice"]
    assert client.get(url("subjects", segment.pk), {"version": "9"}).status_code == HTTPStatus.NOT_FOUND


def test_two_versions_are_compared(client, responder):
    segment = make_segment("alice", "bob")
    add(segment, "carol")
    remove(segment, "alice")

    step = client.get(url("difference", segment.pk))
    whole = client.get(url("difference", segment.pk), {"old": "1", "new": "3"})
    begun = client.get(url("difference", segment.pk), {"new": "1"})

    assert (step.context["added"], step.context["removed"]) == ([], ["alice"])
    assert (whole.context["added"], whole.context["removed"]) == (["carol"], ["alice"])
    assert begun.context["added"] == ["alice", "bob"]


def test_what_is_taken_out_can_be_brought_back_and_is_on_the_record(client, responder):
    segment = make_segment("-dash", "alice", of="organisation")

    answer = client.get(url("export", segment.pk))

    assert answer.content.decode() == "organisation\r\n-dash\r\nalice\r\n"
    event = Event.objects.get(verb="segment.exported")
    assert event.actor_id == responder.pk
    assert event.data == {"version": 1, "rows": 2}
    other = make_segment(of="organisation")
    assert counts(previewed(client, other, answer.content))["New"] == 2


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (RoleCode.AUDITOR, HTTPStatus.OK),
        (RoleCode.EXECUTIVE, HTTPStatus.OK),
        (RoleCode.COMMUNICATOR, HTTPStatus.FORBIDDEN),
    ],
)
def test_who_takes_lists_out(client, role, status):
    segment = make_segment("alice")
    client.force_login(make_user(role))

    assert client.get(url("export", segment.pk)).status_code == status


def test_an_auditor_reads_and_is_offered_nothing_else(client):
    segment = make_segment("alice")
    client.force_login(make_user(RoleCode.AUDITOR))

    shown = client.get(segment.get_absolute_url())

    assert shown.status_code == HTTPStatus.OK
    assert url("import", segment.pk) not in shown.content.decode()
    assert url("edit", segment.pk) not in shown.content.decode()
    for name in ("import", "edit", "retire", "redraft"):
        assert client.get(url(name, segment.pk)).status_code == HTTPStatus.FORBIDDEN


def test_who_has_no_role_sees_no_segment(client):
    segment = make_segment("alice")
    client.force_login(make_user())

    assert client.get(segment.get_absolute_url()).status_code == HTTPStatus.NOT_FOUND
    assert client.get(url("list")).context["listing"].rows == []


def test_words_are_edited_and_who_was_slower_is_told(client, responder):
    segment = make_segment("alice")
    said = {"title": "New title", "description": "**Why**", "revision": segment.revision}

    assert client.post(url("edit", segment.pk), said)["Location"] == segment.get_absolute_url()
    slower = client.post(url("edit", segment.pk), {**said, "title": "Mine"})

    assert slower.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "changed in the meantime" in text(slower)
    assert "Mine" in text(slower)
    assert fresh(segment).title == "New title"


def test_a_segment_that_nothing_names_is_retired_with_a_reason(client, responder):
    segment = make_segment("alice")

    assert client.post(url("retire", segment.pk), {}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    client.post(url("retire", segment.pk), {"reason": "The campaign is over."})

    assert "The campaign is over." in text(client.get(segment.get_absolute_url()))
    assert client.get(url("list")).context["listing"].rows == []
    assert len(client.get(url("list"), {"state": "retired"}).context["listing"].rows) == 1


def test_the_list_is_searched_and_filtered(client, responder):
    first = make_segment(title="Ring one")
    second = make_segment(title="Other", of="key", description="the ring again")

    def found(**query):
        return [row.register for row in client.get(url("list"), query).context["listing"].rows]

    assert found() == [second, first]
    assert found(q="ring") == [second, first]
    assert found(q=first.reference.lower()) == [first]
    assert found(of="key") == [second]
    assert found(q="nobody") == []
    assert "Nothing fits" in text(client.get(url("list"), {"q": "nobody"}))


def test_the_list_asks_the_same_questions_for_ten_as_for_one(client, responder, django_assert_num_queries):
    factories.make_correction(users={"lists": lists_of(make_segment("alice"))})

    def ask():
        # session, person, roles, rows, corrections that name lists, packings of those
        with django_assert_num_queries(6):
            client.get(url("list"))

    ask()
    for number in range(4):
        factories.make_correction(users={"lists": lists_of(make_segment(f"name-{number}"))})
    ask()


def test_the_page_asks_the_same_questions_for_ten_versions_as_for_one(
    client, responder, django_assert_max_num_queries
):
    segment = make_segment("alice")

    def ask():
        with django_assert_max_num_queries(12):
            client.get(segment.get_absolute_url())

    ask()
    for number in range(9):
        add(segment, f"name-{number}")
    ask()


def test_an_empty_list_says_what_a_segment_is(client, responder):
    assert "A segment is a list of users" in text(client.get(url("list")))


def test_patterns_are_previewed_with_what_is_wrong_with_them(client, responder):
    register = make_patterns("nerve agent")
    content = "kind,text,weight,sample\nliteral,nerve agent,1,\nregex,(a+)+$,1,aaa\nliteral,sarin,5,\n"

    preview = previewed(client, register, content, page="pattern_import")

    assert counts(preview) == {
        "New": 1,
        "Changed": 0,
        "Already in it": 1,
        "Twice in the file": 0,
        "Invalid": 1,
    }
    assert preview.context["seen"].invalid[0].line == 3


def test_confirmed_patterns_are_a_new_version(client, responder):
    register = make_patterns("nerve agent")
    preview = previewed(client, register, "sarin\n", page="pattern_import")

    confirm(client, preview)

    assert fresh(register).count == 2
    shown = client.get(url("pattern_holds", register.pk))
    assert {pattern.text for pattern in shown.context["found"].rows} == {"nerve agent", "sarin"}


def test_versions_of_patterns_are_compared(client, responder):
    register = make_patterns("nerve agent", "sarin")
    bring_patterns(register, '[{"id": "x1", "text": "tabun"}]', name="x.json")
    bring_patterns(register, '[{"id": "x1", "text": "tabun", "weight": 7}]', name="x.json")

    ((before, after),) = client.get(url("pattern_difference", register.pk)).context["rows"]

    assert (before.weight, after.weight) == (1, 7)


def test_a_text_is_tried_out_with_the_engine_of_the_filter(client, responder):
    register = make_patterns("nerve agent")

    answer = client.post(url("pattern_try", register.pk), {"sample": "Make a NERVE  agent."})

    tried = answer.context["tried"]
    assert tried.weight == 1
    assert [piece.text for piece in tried.pieces if piece.by] == ["NERVE  agent"]
    assert "<mark" in answer.content.decode()


def test_a_pattern_set_page_lists_versions_and_exports(client, responder):
    register = make_patterns("sarin")

    assert "PAT-" in text(client.get(register.get_absolute_url()))
    lines = client.get(url("pattern_export", register.pk)).content.decode().splitlines()
    assert lines[0] == "id,kind,text,weight,sample"
    assert lines[1].endswith(",literal,sarin,1,")


def test_somebody_else_sees_that_a_restricted_correction_names_it_but_not_which(client):
    segment = make_segment("alice")
    correction = factories.make_correction(users={"lists": lists_of(segment)})
    incident = correction.package.incident
    incidents.restrict(incident_id=incident.pk, restricted=True, reason="Secret.", by=incident.commander)
    client.force_login(make_responder())

    detail = client.get(segment.get_absolute_url()).context["detail"]

    assert (list(detail.uses), detail.hidden) == ([], 1)


def test_the_live_part_of_a_page_is_that_part_alone(client, responder):
    segment, patterns = make_segment(), make_patterns()

    for address in (url("segment", segment.pk), url("pattern_set", patterns.pk)):
        live = client.get(address, {"part": "live"}).content.decode()
        assert 'id="register-live"' in live
        assert "<html" not in live


def test_the_live_part_stays_at_its_place_among_the_versions(client, responder, monkeypatch):
    monkeypatch.setattr(import_module("corrections.segments.panels.detail"), "ROWS", 1)
    segment = make_segment("alice")
    add(segment, "bob")
    oldest, newest = segment.versions.order_by("pk")

    detail = client.get(segment.get_absolute_url(), {"before": newest.pk, "who": "alice"}).context["detail"]
    again = client.get(segment.get_absolute_url() + detail.here).context["detail"]

    assert detail.versions.rows == again.versions.rows == [oldest]
    assert again.versions.newer_url == f"?after={oldest.pk}"


def test_the_audit_log_tells_of_an_import_that_left_rows_out(client):
    imported(make_segment("alice"), "carol\nd d\n", skip_invalid=True)
    client.force_login(make_user(RoleCode.AUDITOR))

    assert "1 invalid left out" in text(client.get(reverse("audit:events")))
