"""The bytes behind the digests that policies name."""

from __future__ import annotations


def read(digest: str) -> bytes | None:
    """Give the bytes; None where nothing of that name is stored."""
    from corrections.segments.models import Attachment  # noqa: PLC0415 (the registers come after this app)

    raw = Attachment.objects.filter(digest=digest).values_list("raw", flat=True).first()
    return None if raw is None else bytes(raw)
