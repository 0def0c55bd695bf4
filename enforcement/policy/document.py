"""A correction in force, and the document of all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from enforcement.policy.attached import named_by
from enforcement.policy.base import Digest, Percent, Strict, Text
from enforcement.policy.effects import (
    Allow,
    Block,
    Decommission,
    Downgrade,
    Effect,
    Exempt,
    FeatureOff,
    ForbidUse,
    Halt,
    InputCap,
    LoopCap,
    MarketRemoval,
    RequireUse,
    Reroute,
    Rerouting,
    Shutdown,
    Suspend,
    ToolsOff,
    TurnLimit,
)
from enforcement.policy.scopes import Functionality, Users

FORMAT: Literal["irapp-policy/1"] = "irapp-policy/1"
GRACEFUL = (
    Block | Allow | TurnLimit | ToolsOff | FeatureOff | InputCap | LoopCap | ForbidUse | RequireUse
    | Suspend | MarketRemoval | Halt | Decommission
)  # fmt: skip
"""Kinds that refuse, so that a grace period with warnings means something."""


class Refusal(Strict, frozen=True, kw_only=True):
    """What the refused caller is told. Public: never names other users or the evidence."""

    reason: Text = ""
    appeal: Text = ""


class Correction(Strict, frozen=True, kw_only=True):
    """One correction in force. ``id`` is its reference and version, for example ``COR-0012.1``.

    ``grace_until``: until then a matching request passes with a warning, and only then is refused.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Z]{2,8}-[0-9]{1,10}\.[0-9]{1,6}$")]
    effect: Effect
    functionality: Functionality = Functionality()
    users: Users = Users()
    mode: Literal["enforce", "shadow"] = "enforce"
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    at_expiry: Literal["hold", "lift"] = "hold"
    grace_until: datetime | None = None
    percentage: Percent = 100
    running_streams: Literal["finish", "end"] = "finish"
    refusal: Refusal = Refusal()
    approval_digest: Digest

    @property
    def reference(self) -> str:
        """The reference without the version: what exemptions name."""
        return self.id.partition(".")[0]

    def __post_init__(self) -> None:
        """Refuse scopes and times that contradict the effect or each other."""
        _check_access(self)
        _check_use(self)
        _check_shutdown(self)
        _check_fallbacks(self)
        _check_times(self)


class Content(Strict, frozen=True, kw_only=True):
    """What the policy says, without version or signature. Sorted, so that same content has same bytes."""

    corrections: tuple[Correction, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two corrections with one id, and an order that would give the same content two digests."""
        ids = [correction.id for correction in self.corrections]
        if ids != sorted(set(ids)):
            raise ValueError("corrections: ids must be unique and sorted")


class Policy(Strict, frozen=True, kw_only=True):
    """The signed envelope: what travels, what is stored, what is acknowledged."""

    format: Literal["irapp-policy/1"]
    version: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    digest: str
    key_id: str
    signature: str
    content: Content


# msgspec crashes (0.22: SIGSEGV) when two threads meet a struct for the first time: let it meet them here.
msgspec.json.Decoder(Policy)


def attachments(content: Content) -> frozenset[str]:
    """Give the addresses of everything that a policy names."""
    return frozenset[str]().union(*(named_by(correction) for correction in content.corrections))


def _check_access(item: Correction) -> None:
    if isinstance(item.effect, Block | Allow) and item.users.everyone:
        what = "a block" if isinstance(item.effect, Block) else "an allow list"
        raise ValueError(f"users: {what} names somebody")
    if not isinstance(item.effect, Exempt):
        return
    if item.users.everyone and item.functionality == Functionality():
        raise ValueError("users: an exemption names somebody or some functionality")
    if item.mode == "shadow":
        raise ValueError("mode: an exemption cannot be a dry run")
    if item.reference in item.effect.corrections:
        raise ValueError("effect.corrections: an exemption cannot spare from itself")


def _check_use(item: Correction) -> None:
    if isinstance(item.effect, ForbidUse) and item.functionality == Functionality(
        models=item.functionality.models
    ):
        raise ValueError("functionality: a forbidden use names an application, endpoint or use case")
    if isinstance(item.effect, RequireUse) and item.functionality.use_cases:
        raise ValueError("functionality.use_cases: what must be declared stands in the parameters")


def _check_shutdown(item: Correction) -> None:
    shutdown = isinstance(item.effect, Shutdown | Reroute)
    if shutdown and not item.functionality.models:
        raise ValueError("functionality.models: a shutdown names at least one model")
    if isinstance(item.effect, MarketRemoval) and not item.functionality.platforms:
        raise ValueError("functionality.platforms: a market removal names at least one platform")


def _check_fallbacks(item: Correction) -> None:
    effect, models = item.effect, item.functionality.models
    if isinstance(effect, Rerouting) and effect.fallback_model in models:
        raise ValueError("effect.fallback_model: the fallback is itself in the scope")
    if isinstance(effect, Downgrade) and not models:
        raise ValueError("functionality.models: a change of model names the models it replaces")
    if isinstance(effect, Shutdown) and {each.model for each in effect.fallback_models} & set(models):
        raise ValueError("effect.fallback_models: a fallback is itself shut down")


def _check_times(item: Correction) -> None:
    for name in ("starts_at", "expires_at", "grace_until"):
        moment: datetime | None = getattr(item, name)
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{name}: a time needs its offset")
    if item.starts_at and item.expires_at and item.expires_at <= item.starts_at:
        raise ValueError("expires_at: ends before it starts")
    if item.grace_until is not None:
        _check_grace(item, item.grace_until)


def _check_grace(item: Correction, until: datetime) -> None:
    if not isinstance(item.effect, GRACEFUL):
        raise ValueError("grace_until: only what refuses can warn first")  # noqa: TRY004 - msgspec turns it into its own error
    if item.starts_at and until <= item.starts_at:
        raise ValueError("grace_until: ends before it starts")
    if item.expires_at and until >= item.expires_at:
        raise ValueError("grace_until: lasts longer than the correction")
