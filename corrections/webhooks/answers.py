"""What a receiver says: which policy it holds now."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from enforcement import policy
from enforcement.report import Count, Digest, PolicyRef

if TYPE_CHECKING:
    from corrections.webhooks.sending import Answer

SHOWN = 200


class AnswerError(Exception):
    """The receiver did not acknowledge; the text says what it said."""


class Said(msgspec.Struct, frozen=True):
    """The body of an answer. Whatever else stands in it is the receiver's own business."""

    version: Count | None
    digest: Digest = ""


msgspec.json.Decoder(Said)  # before any thread does: see enforcement.policy


def held(answer: Answer) -> PolicyRef | None:
    """Give the policy that the receiver says it holds; None where it holds none yet.

    :raises AnswerError: not a 2xx, or it does not say.
    """
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise AnswerError(f"It answered {answer.status}{_words(answer.body)}")
    try:
        said = policy.parse(answer.body, Said)
    except policy.PolicyError as error:
        raise AnswerError(
            f'It answered {answer.status} without {{"version", "digest"}} of the policy it holds: {error}'
        ) from error
    return PolicyRef(version=said.version, digest=said.digest) if said.version else None


def check_acknowledged(ref: PolicyRef | None, wanted: PolicyRef) -> None:
    """A receiver that holds this policy, or a later one, has taken it.

    :raises AnswerError: it holds an older one, or another one of this version.
    """
    if ref is None or ref.version < wanted.version:
        raise AnswerError(f"It holds policy {ref.version if ref else 'none'} and was sent {wanted.version}")
    if ref.version == wanted.version and ref.digest != wanted.digest:
        raise AnswerError(f"It acknowledges a policy {ref.version} with another digest")


def _words(body: bytes) -> str:
    text = body[:SHOWN].decode(errors="replace").strip()
    return f": {text}" if text else ""
