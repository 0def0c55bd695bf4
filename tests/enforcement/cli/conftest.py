import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enforcement import policy

KEY = Ed25519PrivateKey.generate()
DIGEST = "sha256:" + "0" * 64


def correction(number, effect, *, version=1, **more):
    return policy.Correction(id=f"COR-{number:04}.{version}", effect=effect, approval_digest=DIGEST, **more)


@pytest.fixture
def write(tmp_path):
    """Write a signed policy of these corrections; give its path."""

    def writing(*corrections, name="policy.json", version=7, key=KEY):
        content = policy.Content(corrections=tuple(sorted(corrections, key=lambda each: each.id)))
        signed = policy.sign(content, version=version, key=key, key_id="test")
        (tmp_path / name).write_bytes(policy.encode(signed))
        return str(tmp_path / name)

    return writing


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"test": b64encode(KEY.public_key().public_bytes_raw()).decode()}))
    return str(path)


@pytest.fixture
def attach(tmp_path):
    """Put an attachment into the folder of attachments; give its address."""
    folder = tmp_path / "attachments"
    folder.mkdir()

    def attaching(raw):
        address = policy.address(raw)
        (folder / address.removeprefix("sha256:")).write_bytes(raw)
        return address

    attaching.folder = str(folder)
    return attaching


@pytest.fixture
def run(capsys):
    """Run the command; give its exit code and what it printed."""
    from enforcement.cli.main import main

    def running(*arguments):
        code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return running
