"""A real hub process that trusts the key of the tests, and a gateway that reports to it."""

from contextlib import contextmanager

from cryptography.hazmat.primitives import serialization

from tests.corrections import gateways
from tests.enforcement.hub_process import CONTROL, KEY, HubProcess


@contextmanager
def running(folder, settings):
    """Start a hub and make it the only one that the application knows."""
    folder.mkdir(exist_ok=True)
    pem = folder / "policy.pem"
    pem.write_bytes(
        KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    settings.POLICY_SIGNING_KEY_FILE, settings.POLICY_KEY_ID = str(pem), "test"
    settings.ENFORCEMENT_TOKEN = CONTROL
    process = HubProcess(folder)
    settings.ENFORCEMENT_URLS = [address(process)]
    try:
        yield process.start()
    finally:
        process.end()


def address(process):
    return f"http://127.0.0.1:{process.port}"


def post_report(process, name="gateway-1", **changes):
    """Let a gateway tell the hub that all is as its policy says, except for ``changes``."""
    said = gateways.report(name) | changes
    del said["seen_at"], said["live"]
    answer = process.post("/v1/status", said)
    assert answer.status == 204, answer.raw
