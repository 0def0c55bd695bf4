"""Orders to destroy components: two executives, never over held evidence, never carried out here."""

from http import HTTPStatus

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from corrections import actions, holds
from corrections.models import DestructionApproval, DestructionOrder, EvidenceHold
from corrections.states import OrderState
from incidents import actions as incidents
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.corrections.factories import make_executive, make_officer
from tests.corrections.pages import text
from tests.incidents.factories import make_commander, make_incident
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
CONTENT = {
    "model_name": "aurora-large",
    "components": ["weights 4f1c at eu-1", "weights 4f1c at us-2"],
    "reason": "The weights were stolen once; they must not be stolen again.",
    "narrower_rejected": "Decommissioning leaves the files where they are.",
}


def make_order(*, by=None, incident=None, **changes):
    incident = incident or make_incident(state=Stage.EXECUTION)
    return actions.draft_order(incident_id=incident.pk, by=by or make_commander(), **CONTENT | changes)


def make_hold(*, by=None, incident=None, **changes):
    incident = incident or make_incident(state=Stage.EXECUTION)
    said = {"what": "The weights as they were.", "reason": "The court asked for them."}
    return actions.place_hold(incident_id=incident.pk, by=by or make_commander(), **said | changes)


def sign(order, *, by=None, digest=None):
    return actions.sign_order(
        order_id=order.pk,
        reason="It is the only way.",
        digest=digest or order.digest,
        by=by or make_executive(),
    )


def fresh(order):
    return DestructionOrder.objects.get(pk=order.pk)


def test_one_executive_is_not_enough_and_two_are():
    order = make_order()

    sign(order)
    assert fresh(order).state == OrderState.DRAFTED

    sign(order)
    assert fresh(order).state == OrderState.ORDERED
    assert fresh(order).ordered_at is not None
    verbs = Event.objects.filter(target_type="corrections.destructionorder").order_by("id")
    assert [event.verb.split(".")[1] for event in verbs] == ["drafted", "signed", "signed", "ordered"]


@pytest.mark.parametrize("role", [RoleCode.DUTY_OFFICER, RoleCode.COMMANDER, RoleCode.RESPONDER])
def test_nobody_but_an_executive_signs(role):
    with pytest.raises(NotPermittedError, match="executive"):
        sign(make_order(), by=make_user(role))


def test_whoever_wrote_it_does_not_sign_it():
    both = make_user(RoleCode.COMMANDER, RoleCode.EXECUTIVE)

    with pytest.raises(NotPermittedError, match="wrote"):
        sign(make_order(by=both), by=both)


def test_a_person_with_two_accounts_signs_once():
    order, first = make_order(), make_executive()
    second = make_executive()
    type(second).objects.filter(pk=second.pk).update(person=first.person)
    second.refresh_from_db()
    sign(order, by=first)

    with pytest.raises(ConflictError, match="signed it already"):
        sign(order, by=second)


def test_a_signature_of_somebody_who_lost_the_role_no_longer_counts():
    order, first = make_order(), make_executive()
    sign(order, by=first)
    first.grants.all().delete()

    sign(order)

    assert fresh(order).state == OrderState.DRAFTED


def test_a_signature_is_bound_to_what_was_shown():
    with pytest.raises(ConflictError) as refused:
        sign(make_order(), digest="sha256:" + "0" * 64)

    assert refused.value.code == "digest_mismatch"


@pytest.mark.parametrize("model", ["", "aurora-large"])
def test_held_evidence_stops_every_signature_until_it_is_released(model):
    incident = make_incident(state=Stage.EXECUTION)
    order, hold = make_order(incident=incident), make_hold(incident=incident, model_name=model)

    with pytest.raises(ConflictError, match=str(hold)):
        sign(order)

    actions.release_hold(hold_id=hold.pk, reason="The copies are safe.", by=make_executive())
    sign(order)
    assert DestructionApproval.objects.count() == 1


def test_a_hold_that_comes_after_the_first_signature_stops_the_second():
    order = make_order()
    sign(order)
    hold = make_hold(model_name="aurora-large")  # from another incident

    with pytest.raises(ConflictError, match=str(hold)):
        sign(order)


def test_a_hold_of_another_incident_about_another_model_stops_nothing():
    make_hold(model_name="aurora-small")

    sign(make_order())


def test_a_hold_of_another_incident_of_the_same_model_stops_it():
    other = make_incident(state=Stage.EXECUTION)
    make_hold(incident=other)

    with pytest.raises(ConflictError, match="Evidence is held"):
        sign(make_order(model_name=other.model_name))


def test_a_floor_above_can_keep_evidence_too(monkeypatch):
    order = make_order()
    monkeypatch.setattr(holds, "_keepers", [lambda _order: [holds.Block("CUST-1", "In custody.")]])

    with pytest.raises(ConflictError, match="CUST-1"):
        sign(order)


def test_whoever_wrote_an_order_does_not_release_the_hold_that_stops_it():
    commander, incident = make_commander(), make_incident(state=Stage.EXECUTION)
    make_order(by=commander, incident=incident)
    hold = make_hold(incident=incident)

    with pytest.raises(NotPermittedError, match="You wrote"):
        actions.release_hold(hold_id=hold.pk, reason="It is in my way.", by=commander)


def test_a_duty_officer_holds_evidence_and_cannot_release_it():
    officer = make_officer()
    hold = make_hold(by=officer)

    with pytest.raises(NotPermittedError):
        actions.release_hold(hold_id=hold.pk, reason="Enough.", by=officer)


def test_an_executive_who_objects_withdraws_it_and_nobody_signs_any_more():
    order = make_order()
    sign(order)
    actions.withdraw_order(order_id=order.pk, reason="It is evidence.", by=make_executive())

    assert fresh(order).state == OrderState.WITHDRAWN
    with pytest.raises(ConflictError, match="withdrawn already"):
        sign(order)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"components": []}, "components"),
        ({"components": ["  "]}, "components"),
        ({"components": [f"part {number}" for number in range(51)]}, "components"),
        ({"reason": " "}, "reason"),
        ({"narrower_rejected": ""}, "narrower_rejected"),
        ({"model_name": ""}, "model_name"),
    ],
)
def test_what_is_missing_is_named(changes, field):
    with pytest.raises(InvalidError) as refused:
        make_order(**changes)

    assert refused.value.field == field


def test_postgresql_keeps_what_an_order_says():
    order, hold = make_order(), make_hold()
    sign(order)
    for change in (
        lambda: DestructionOrder.objects.filter(pk=order.pk).update(components=["everything"]),
        lambda: DestructionOrder.objects.filter(pk=order.pk).update(digest="sha256:" + "1" * 64),
        lambda: DestructionApproval.objects.update(reason="No reason."),
        lambda: DestructionApproval.objects.all().delete(),
        lambda: EvidenceHold.objects.filter(pk=hold.pk).update(what="Nothing."),
        lambda: EvidenceHold.objects.filter(pk=hold.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_released_hold_stays_released():
    hold = make_hold()
    actions.release_hold(hold_id=hold.pk, reason="Copied.", by=make_executive())

    with pytest.raises(DatabaseError), transaction.atomic():
        EvidenceHold.objects.filter(pk=hold.pk).update(released_at=None, released_by=None, release_reason="")


def test_the_form_drafts_an_order_and_two_pages_lead_to_a_signature(client):
    incident = make_incident(state=Stage.EXECUTION)
    client.force_login(make_commander())
    written = CONTENT | {"components": "\n".join(CONTENT["components"]), "model_name": incident.model_name}

    drafted = client.post(f"{reverse('corrections:order')}?incident={incident.pk}", written)

    order = DestructionOrder.objects.get()
    assert drafted.url == order.get_absolute_url()
    executive = make_executive()
    client.force_login(executive)
    page = text(client.get(order.get_absolute_url()))
    assert "weights 4f1c at eu-1" in page
    assert "0 of 2 executives have signed" in page
    review = client.get(reverse("corrections:sign", args=[order.pk]))
    assert "cannot be brought back" in text(review)
    client.post(
        reverse("corrections:sign", args=[order.pk]),
        {"reason": "Agreed.", "digest": review.context["form"]["digest"].value()},
    )
    assert order.approvals.get().user == executive


def test_the_page_says_which_evidence_is_in_the_way(client):
    incident = make_incident(state=Stage.EXECUTION)
    order, hold = make_order(incident=incident), make_hold(incident=incident)
    client.force_login(make_executive())

    page = text(client.get(order.get_absolute_url()))

    assert f'<a href="{hold.get_absolute_url()}">{hold}</a>' in page
    assert "Review and sign" not in page
    assert client.get(reverse("corrections:sign", args=[order.pk])).status_code == HTTPStatus.CONFLICT


def test_the_form_names_what_is_missing(client):
    incident = make_incident(state=Stage.EXECUTION)
    client.force_login(make_commander())

    answer = client.post(f"{reverse('corrections:place_hold')}?incident={incident.pk}", {"what": "Logs"})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert list(answer.context["form"].errors) == ["reason"]


def test_a_hold_is_placed_and_released_on_pages(client):
    incident = make_incident(state=Stage.EXECUTION)
    client.force_login(make_commander())
    said = {"model_name": "", "what": "The logs.", "reason": "Custody."}
    client.post(f"{reverse('corrections:place_hold')}?incident={incident.pk}", said)
    hold = EvidenceHold.objects.get()
    assert str(hold) in text(client.get(reverse("corrections:destructions")))

    client.post(reverse("corrections:release", args=[hold.pk]), {"reason": "Copied twice."})

    hold.refresh_from_db()
    assert hold.release_reason == "Copied twice."


def test_the_incident_shows_its_evidence(client):
    incident = make_incident(state=Stage.EXECUTION)
    order, hold = make_order(incident=incident), make_hold(incident=incident)
    client.force_login(make_commander())

    page = text(client.get(incident.get_absolute_url()))

    assert order.get_absolute_url() in page
    assert hold.get_absolute_url() in page


def test_whoever_does_not_see_the_incident_sees_no_order(client):
    order = make_order(incident=make_incident(restricted=True))
    client.force_login(make_user(RoleCode.RESPONDER))

    assert client.get(order.get_absolute_url()).status_code == HTTPStatus.NOT_FOUND
    assert str(order) not in text(client.get(reverse("corrections:destructions")))


def test_an_executive_finds_the_order_in_the_inbox(client):
    order = make_order()
    client.force_login(make_executive())

    assert order.get_absolute_url() in text(client.get(reverse("incidents:inbox")))


def test_a_hold_of_a_restricted_incident_blocks_without_saying_what_it_keeps(client):
    hidden = make_incident(state=Stage.EXECUTION)
    incidents.restrict(
        incident_id=hidden.pk, restricted=True, reason="Staff are involved.", by=hidden.commander
    )
    hold = make_hold(incident=hidden, by=hidden.commander, what="The whistle-blower's letter.")
    order, executive = make_order(model_name=hidden.model_name), make_executive()
    client.force_login(executive)

    page = text(client.get(order.get_absolute_url()))
    told = client.get(f"/api/v1/destruction-orders/{order.pk}/").json()["in_the_way"]
    with pytest.raises(ConflictError, match="a hold you may not see"):
        sign(order, by=executive)

    assert "a hold you may not see" in page
    for secret in (str(hold), hold.what, hold.reason):
        assert secret not in page + str(told)
    assert [block["label"] for block in told] == ["a hold you may not see"]
    assert [block.label for block in holds.standing_in_the_way(order, hidden.commander)] == [str(hold)]
