"""Canonical JSON, digests and signatures."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from enforcement.policy.base import PolicyError
from enforcement.policy.document import FORMAT, Content, Policy

T = TypeVar("T")


class _Envelope(msgspec.Struct):
    content: msgspec.Raw


msgspec.json.Decoder(_Envelope)


def canonical(value: object) -> bytes:
    """Give the canonical JSON (RFC 8785) of a struct or of plain data; times are UTC, RFC 3339."""
    return rfc8785.dumps(msgspec.to_builtins(_utc(value)))


def digest(value: object) -> str:
    """Give the ``sha256:…`` of the canonical JSON."""
    return _sha256(canonical(value))


def sign(content: Content, *, version: int, key: Ed25519PrivateKey, key_id: str) -> Policy:
    """Wrap content into a signed policy of that version."""
    content_digest = digest(content)
    signature = key.sign(_signed_part(version, content_digest, key_id))
    return Policy(
        format=FORMAT,
        version=version,
        digest=content_digest,
        key_id=key_id,
        signature=b64encode(signature).decode(),
        content=content,
    )


def encode(policy: Policy) -> bytes:
    """Give the bytes to store and send. Never decode and re-encode in order to verify."""
    return canonical(policy)


def verify(raw: bytes, *, keys: dict[str, Ed25519PublicKey]) -> Policy:
    """Parse and verify a policy.

    The digest is taken over the content as it was sent: a policy from before this version knew of a field
    verifies all the same, and a gateway that was updated goes on enforcing what it has.

    :param keys: the trusted public keys by key id.
    :raises PolicyError: not JSON, an unknown field, a wrong value, digest, key or signature.
    """
    policy = parse(raw, Policy)
    sent = msgspec.json.decode(parse(raw, _Envelope).content)
    if _sha256(rfc8785.dumps(sent)) != policy.digest:
        raise PolicyError("digest: does not match the content")
    if policy.key_id not in keys:
        raise PolicyError(f"key_id: {policy.key_id!r} is not a trusted key")
    try:
        keys[policy.key_id].verify(
            b64decode(policy.signature, validate=True),
            _signed_part(policy.version, policy.digest, policy.key_id),
        )
    except (InvalidSignature, ValueError) as error:
        raise PolicyError("signature: does not verify") from error
    return policy


def parse(raw: bytes, kind: type[T]) -> T:
    """Parse JSON bytes strictly.

    :raises PolicyError: naming the field, as in ``Expected `int` >= 1 - at `$.requests```.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(str(error)) from error


def convert(value: object, kind: type[T]) -> T:
    """Turn plain data (dicts, lists, ISO times) into a struct, strictly.

    :raises PolicyError: naming the field.
    """
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        raise PolicyError(str(error)) from error


def _sha256(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def _signed_part(version: int, content_digest: str, key_id: str) -> bytes:
    return rfc8785.dumps({"format": FORMAT, "version": version, "digest": content_digest, "key_id": key_id})


def _utc(value: object) -> Any:
    """Bring every time to UTC, so that the same moment has the same bytes."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, msgspec.Struct):
        return {
            **({"kind": value.__struct_config__.tag} if value.__struct_config__.tag else {}),
            **{name: _utc(getattr(value, name)) for name in value.__struct_fields__},
        }
    if isinstance(value, dict):
        return {key: _utc(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_utc(item) for item in value]
    return value
