"""The public keys that policies are trusted by; hub and agent read the same file."""

from __future__ import annotations

from base64 import b64decode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enforcement import policy


def parse_keys(raw: bytes) -> dict[str, Ed25519PublicKey]:
    """Read ``{"key id": "base64 of the raw public key"}``.

    :raises PolicyError: not such an object, or not such a key.
    """
    encoded = policy.parse(raw, dict[str, str])
    try:
        return {
            name: Ed25519PublicKey.from_public_bytes(b64decode(value, validate=True))
            for name, value in encoded.items()
        }
    except ValueError as error:
        raise policy.PolicyError(str(error)) from error
