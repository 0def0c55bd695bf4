"""The policy: every correction in force, as one signed document.

Desired state, never commands. The application compiles it, the hub fences its versions, each agent verifies
it and renders it for its gateway. Parsing is strict: an unknown field, an unknown kind or a value out of
range is refused with the path of the field, because a field that is dropped silently is a restriction that
is lost silently.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, TypeAlias, TypeVar

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from msgspec import Meta

FORMAT: Literal["irapp-policy/1"] = "irapp-policy/1"
T = TypeVar("T")

ENDPOINTS = {
    "chat.completions": "/v1/chat/completions",
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "embeddings": "/v1/embeddings",
    "messages": "/v1/messages",
}
"""The endpoints a gateway lets through, by the name that scopes use. Any other path is not served."""

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f;=,\"\\]+$")]
"""A subject, model, application or use case: no white space, quotes, ``;``, ``=`` or ``,``."""
Text: TypeAlias = Annotated[str, Meta(max_length=500)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Endpoint: TypeAlias = Literal["chat.completions", "completions", "responses", "embeddings", "messages"]


class PolicyError(Exception):
    """The document cannot be trusted or understood; the text names the field or the reason."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


# Effects: what happens to a matching request. One struct per kind, its fields are the kind's parameters.


class Block(_Strict, tag="block", tag_field="kind", frozen=True, kw_only=True):
    """T1: the subjects of the user scope are refused with 403."""

    correction_class: ClassVar[str] = "T1"


class RequestLimit(_Strict, tag="request_limit", tag_field="kind", frozen=True, kw_only=True):
    """T2: at most ``requests`` per ``window_seconds`` and subject; more are refused with 429."""

    correction_class: ClassVar[str] = "T2"
    requests: Positive
    window_seconds: Annotated[int, Meta(ge=1, le=86_400)]
    per: Literal["user", "organisation", "key"] = "user"


class ToolsOff(_Strict, tag="tools_off", tag_field="kind", frozen=True, kw_only=True):
    """T3: a request that offers one of ``tools`` (none named: any tool) is refused with 403."""

    correction_class: ClassVar[str] = "T3"
    tools: tuple[Name, ...] = ()


class OutputCap(_Strict, tag="output_cap", tag_field="kind", frozen=True, kw_only=True):
    """T3: the output of a request is capped at ``max_tokens``, whatever the request asks for."""

    correction_class: ClassVar[str] = "T3"
    max_tokens: Positive


class ForbidUse(_Strict, tag="forbid_use", tag_field="kind", frozen=True, kw_only=True):
    """T4: the applications, endpoints or use cases of the functionality scope are refused with 403."""

    correction_class: ClassVar[str] = "T4"


class Suspend(_Strict, tag="suspend", tag_field="kind", frozen=True, kw_only=True):
    """T5: the models of the scope stop answering: 503."""

    correction_class: ClassVar[str] = "T5"
    retry_after_seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None


class Reroute(_Strict, tag="reroute", tag_field="kind", frozen=True, kw_only=True):
    """T5 with a fallback: requests for the models of the scope are answered by ``fallback_model``."""

    correction_class: ClassVar[str] = "T5"
    fallback_model: Name


Effect: TypeAlias = Block | RequestLimit | ToolsOff | OutputCap | ForbidUse | Suspend | Reroute
EFFECTS: dict[str, type[_Strict]] = {
    "block": Block,
    "request_limit": RequestLimit,
    "tools_off": ToolsOff,
    "output_cap": OutputCap,
    "forbid_use": ForbidUse,
    "suspend": Suspend,
    "reroute": Reroute,
}


class Functionality(_Strict, frozen=True, kw_only=True):
    """Which functionality: every dimension that names something must match; an empty one matches all."""

    models: tuple[Name, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    applications: tuple[Name, ...] = ()
    use_cases: tuple[Name, ...] = ()


class Users(_Strict, frozen=True, kw_only=True):
    """Which users: whoever stands in any of the lists; all three empty means everyone."""

    users: tuple[Name, ...] = ()
    organisations: tuple[Name, ...] = ()
    keys: tuple[Name, ...] = ()

    @property
    def everyone(self) -> bool:
        """No list names anybody, so nobody is left out."""
        return not (self.users or self.organisations or self.keys)


class Refusal(_Strict, frozen=True, kw_only=True):
    """What the refused caller is told. Public: never names other users or the evidence."""

    reason: Text = ""
    appeal: Text = ""


class Correction(_Strict, frozen=True, kw_only=True):
    """One correction in force. ``id`` is its reference and version, for example ``COR-0012.1``."""

    id: Annotated[str, Meta(pattern=r"^[A-Z]{2,8}-[0-9]{1,10}\.[0-9]{1,6}$")]
    effect: Effect
    functionality: Functionality = Functionality()
    users: Users = Users()
    mode: Literal["enforce", "shadow"] = "enforce"
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    at_expiry: Literal["hold", "lift"] = "hold"
    percentage: Annotated[int, Meta(ge=1, le=100)] = 100
    running_streams: Literal["finish", "end"] = "finish"
    refusal: Refusal = Refusal()
    approval_digest: Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]

    def __post_init__(self) -> None:
        """Refuse scopes that contradict the effect."""
        if isinstance(self.effect, Block) and self.users.everyone:
            raise ValueError("users: a block names at least one user, organisation or key")
        if isinstance(self.effect, ForbidUse) and self.functionality == Functionality(
            models=self.functionality.models
        ):
            raise ValueError("functionality: a forbidden use names an application, endpoint or use case")
        if isinstance(self.effect, Suspend | Reroute) and not self.functionality.models:
            raise ValueError("functionality.models: a shutdown names at least one model")
        if isinstance(self.effect, Reroute) and self.effect.fallback_model in self.functionality.models:
            raise ValueError("effect.fallback_model: the fallback is itself shut down")
        self._check_times()

    def _check_times(self) -> None:
        for name in ("starts_at", "expires_at"):
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name}: a time needs its offset")
        if self.starts_at and self.expires_at and self.expires_at <= self.starts_at:
            raise ValueError("expires_at: ends before it starts")


class Content(_Strict, frozen=True, kw_only=True):
    """What the policy says, without version or signature. Sorted, so that same content has same bytes."""

    corrections: tuple[Correction, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two corrections with one id, and an order that would give the same content two digests."""
        ids = [correction.id for correction in self.corrections]
        if ids != sorted(set(ids)):
            raise ValueError("corrections: ids must be unique and sorted")


class Policy(_Strict, frozen=True, kw_only=True):
    """The signed envelope: what travels, what is stored, what is acknowledged."""

    format: Literal["irapp-policy/1"]
    version: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    digest: str
    key_id: str
    signature: str
    content: Content


# msgspec crashes (0.22: SIGSEGV) when two threads meet a struct for the first time: let it meet them here.
msgspec.json.Decoder(Policy)


def canonical(value: object) -> bytes:
    """Give the canonical JSON (RFC 8785) of a struct or of plain data; times are UTC, RFC 3339."""
    return rfc8785.dumps(msgspec.to_builtins(_utc(value)))


def digest(value: object) -> str:
    """Give the ``sha256:…`` of the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


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

    :param keys: the trusted public keys by key id.
    :raises PolicyError: not JSON, an unknown field, a wrong value, digest, key or signature.
    """
    policy = parse(raw, Policy)
    if digest(policy.content) != policy.digest:
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
    except msgspec.DecodeError as error:
        raise PolicyError(str(error)) from error


def convert(value: object, kind: type[T]) -> T:
    """Turn plain data (dicts, lists, ISO times) into a struct, strictly.

    :raises PolicyError: naming the field.
    """
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        raise PolicyError(str(error)) from error


def _signed_part(version: int, content_digest: str, key_id: str) -> bytes:
    return rfc8785.dumps({"format": FORMAT, "version": version, "digest": content_digest, "key_id": key_id})


def _utc(value: object) -> object:
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
