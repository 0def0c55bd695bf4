"""A gateway of one's own beside a whole stack: a decision until it is acknowledged, also after an outage."""

import json
from urllib.parse import urlsplit

import pytest

from deploy.embedded.stack import temporary
from enforcement.keys import parse_keys
from tests.corrections.webhooks.receiver import Receiver, serving
from tests.patience import wait_for

pytestmark = pytest.mark.timeout(300)
ADD = """
from corrections.webhooks import actions
from bench.deciding import person
added = actions.add_endpoint(name="edge", url="{url}", required=True, by=person("adam"))
print(added.secret)
"""
BLOCK = """
from bench.deciding import block
correction, decide = block("key-carol", {number})
decide()
print(correction)
"""
STANDING = """
import json
from corrections.models import Correction, CorrectionGateway
from corrections.webhooks.models import Delivery
row = CorrectionGateway.objects.filter(correction={correction}, gateway__name="edge").first()
print(json.dumps({{
    "state": Correction.objects.get(pk={correction}).state,
    "edge": row and [row.state, row.detail],
    "failed": Delivery.objects.exclude(error="").filter(event="policy.published").exists(),
    "names": [each.policy_id for each in Correction.objects.filter(pk={correction})],
}}))
"""


@pytest.fixture(scope="module")
def stack():
    with temporary(IRAPP_TRAFFIC="off", WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8") as running:
        yield running


def said(stack, code, **values):
    """Run something in the application; give the last line of what it printed."""
    return stack.manage("shell", "--no-imports", "-c", code.format(**values)).strip().splitlines()[-1]


def standing(stack, correction):
    return json.loads(said(stack, STANDING, correction=correction))


def carried(receiver):
    """The corrections that the receiver enforces: those of the newest policy that it took."""
    policies = [event["data"]["policy"] for event, _ in receiver.seen if event["type"] == "policy.published"]
    return {each["id"] for each in policies[-1]["content"]["corrections"]} if policies else set()


def test_a_decision_reaches_a_webhook_signed_and_again_after_its_receiver_was_away(stack):
    receiver = Receiver(parse_keys(stack.state.secret("policy-keys.json").read_bytes()))
    with serving(receiver):
        port = urlsplit(receiver.url).port
        receiver.secret = said(stack, ADD, url=receiver.url)
        first = said(stack, BLOCK, number=1)
        wait_for(lambda: standing(stack, first)["state"] == "ACTIVE", 90, told="the first to be active")
        shown = standing(stack, first)
    second = said(stack, BLOCK, number=2)
    missed = wait_for(lambda: (now := standing(stack, second))["failed"] and now, 90, told="a failure")
    with serving(receiver, port=port):
        wait_for(lambda: standing(stack, second)["state"] == "ACTIVE", 120, told="the second to be active")
        healed = standing(stack, second)

    assert shown["edge"] == healed["edge"] == ["acknowledged", ""]
    assert missed["state"] != "ACTIVE"
    assert {*shown["names"], *healed["names"]} <= carried(receiver)
