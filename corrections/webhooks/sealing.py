"""Secrets at rest: sealed with a key that is derived from the application's own."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from secrets import token_bytes

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "whsec_"
LENGTH = 32


class SealError(Exception):
    """The secret was sealed under another SECRET_KEY."""


def new_secret() -> str:
    """Make a secret as Standard Webhooks writes it."""
    return PREFIX + b64encode(token_bytes(LENGTH)).decode()


def seal(secret: str) -> str:
    """Encrypt a secret for the database."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Decrypt it again, also under keys that SECRET_KEY_FALLBACKS still names.

    :raises SealError: no key fits; the endpoint needs a new secret.
    """
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SealError("Its secret was sealed under another SECRET_KEY: rotate the secret.") from error


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"irapp webhook secrets")
    return urlsafe_b64encode(derive.derive(key.encode()))
