"""The key that policies are signed with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

from enforcement import policy
from irapp.common.errors import ConflictError


def signing_key() -> tuple[Ed25519PrivateKey, str]:
    """Give the key and its id.

    :raises ConflictError: it is not set up; nothing can be decided until it is.
    """
    if not settings.POLICY_SIGNING_KEY_FILE or not settings.POLICY_KEY_ID:
        raise ConflictError(
            "Policies cannot be signed: set POLICY_SIGNING_KEY_FILE and POLICY_KEY_ID.", code="no_signing_key"
        )
    return _load(settings.POLICY_SIGNING_KEY_FILE), settings.POLICY_KEY_ID


def signed_by_us(raw: bytes) -> bool:
    """Whether these bytes verify with the key that policies are signed with now."""
    key, key_id = signing_key()
    try:
        policy.verify(raw, keys={key_id: key.public_key()})
    except policy.PolicyError:
        return False
    return True


@lru_cache(maxsize=4)
def _load(path: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise ConflictError(f"The signing key cannot be read: {error}.", code="no_signing_key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConflictError(f"{path} holds no Ed25519 key.", code="no_signing_key")
    return key
