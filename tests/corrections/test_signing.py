import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import transaction
from django.utils import timezone

from corrections.models import PolicyVersion
from corrections.publishing.compile import publish
from enforcement import policy

pytestmark = pytest.mark.django_db


def published():
    with transaction.atomic():
        return publish(by=None, now=timezone.now())


def test_same_content_and_key_make_no_new_version():
    assert published().version == published().version == 1


@pytest.mark.parametrize("key_id", ["the-next-key", None])
def test_a_new_signing_key_makes_a_new_version_of_the_same_content(settings, tmp_path, key_id):
    before = published()
    new = Ed25519PrivateKey.generate()
    file = tmp_path / "new.pem"
    file.write_bytes(new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings.POLICY_SIGNING_KEY_FILE = str(file)
    settings.POLICY_KEY_ID = key_id or settings.POLICY_KEY_ID

    after = published()

    assert (after.version, after.digest) == (before.version + 1, before.digest)
    trusted = {settings.POLICY_KEY_ID: new.public_key()}
    assert policy.verify(bytes(after.raw), keys=trusted).version == after.version
    assert PolicyVersion.objects.count() == 2
