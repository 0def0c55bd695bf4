from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@pytest.fixture(scope="session")
def private_key():
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def key_file(private_key, tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "policy.pem"
    path.write_bytes(
        private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture(autouse=True)
def _signing_key(settings, key_file):
    settings.POLICY_SIGNING_KEY_FILE = str(key_file)
    settings.POLICY_KEY_ID = "test-key"


@pytest.fixture
def clock(time_machine):
    """A clock that stands still until it is told to go on."""
    time_machine.move_to(datetime.now(UTC), tick=False)
    return time_machine
