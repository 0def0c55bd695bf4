"""The receiver in the documentation does what it says, as a process of its own."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from corrections.models import Gateway, PolicyVersion
from corrections.webhooks import actions, delivery
from deploy.embedded import ports
from tests.corrections.factories import decide, make_proposal
from tests.patience import wait_for

pytestmark = pytest.mark.django_db
DOORS = Path(__file__).resolve().parents[3] / "docs" / "doors.md"


@pytest.fixture
def endpoint(admin, private_key):
    port = ports.free()
    revealed = actions.add_endpoint(
        name="documented", url=f"http://127.0.0.1:{port}/", required=True, by=admin
    )
    (script,) = re.findall(r"```python\n(.*?)```", DOORS.read_text(), flags=re.DOTALL)
    keys = {"test-key": b64encode(private_key.public_key().public_bytes_raw()).decode()}
    more = {"IRAPP_SECRET": revealed.secret, "IRAPP_KEYS": json.dumps(keys), "PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | more,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(
            lambda: process.poll() is not None or not delivery.ask(revealed.endpoint, quietly=True).error
        )
        assert process.poll() is None
        yield revealed.endpoint
    finally:
        process.kill()
        process.wait()


def test_the_documented_receiver_verifies_and_acknowledges(endpoint, deliver):
    decide(make_proposal())

    deliver()

    newest = PolicyVersion.objects.first()
    gateway = Gateway.objects.get(pk=endpoint.gateway_id)
    assert (gateway.policy_version, gateway.policy_digest, gateway.error) == (
        newest.version,
        newest.digest,
        "",
    )


def test_the_documented_receiver_refuses_what_was_not_decided(endpoint, monkeypatch):
    decide(make_proposal())
    newest = PolicyVersion.objects.first()
    newest.raw = bytes(newest.raw).replace(b'"user-', b'"abcd-')

    outcome = delivery.send_policy(endpoint, newest, message="msg_forged")

    assert "400" in outcome.error
    assert "digest is not that of the content" in outcome.error


def test_the_documented_receiver_refuses_who_does_not_know_its_secret(endpoint, admin):
    actions.rotate_secret(endpoint_id=endpoint.pk, overlap_hours=0, by=admin)

    assert "WebhookVerificationError" in delivery.ask(endpoint, quietly=True).error
