"""What happens to a matching request. One struct per kind; its fields are the kind's parameters.

The five classes are those of "Deployment Corrections" (2023); T-1 fixes them as the top level.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta

from enforcement.policy.base import (
    Digest,
    Feature,
    Name,
    Per,
    Percent,
    Positive,
    Reference,
    Strict,
    Text,
    Window,
)


class Block(Strict, tag="block", tag_field="kind", frozen=True, kw_only=True):
    """T1: the subjects of the user scope are refused with 403."""

    correction_class: ClassVar[str] = "T1"


class Allow(Strict, tag="allow", tag_field="kind", frozen=True, kw_only=True):
    """T1: only the subjects of the user scope are served; everybody else is refused with 403."""

    correction_class: ClassVar[str] = "T1"


class Exempt(Strict, tag="exempt", tag_field="kind", frozen=True, kw_only=True):
    """T1: requests in the scope are spared from the named corrections, whatever their version."""

    correction_class: ClassVar[str] = "T1"
    corrections: Annotated[tuple[Reference, ...], Meta(min_length=1, max_length=100)]


class RequestLimit(Strict, tag="request_limit", tag_field="kind", frozen=True, kw_only=True):
    """T2: at most ``requests`` per ``window_seconds`` and subject; more are refused with 429.

    ``burst``: how many of them may come at once, where that is fewer.
    """

    correction_class: ClassVar[str] = "T2"
    requests: Positive
    window_seconds: Window
    per: Per = "user"
    burst: Positive | None = None

    def __post_init__(self) -> None:
        """Refuse a burst that could never be used."""
        if self.burst is not None and self.burst > self.requests:
            raise ValueError("burst: is larger than the number of requests")


class TokenLimit(Strict, tag="token_limit", tag_field="kind", frozen=True, kw_only=True):
    """T2: at most ``tokens`` per ``window_seconds`` and subject; what is over is refused with 429.

    Tokens are known when an answer has ended: the request that crosses the limit is still served.
    """

    correction_class: ClassVar[str] = "T2"
    tokens: Positive
    window_seconds: Window
    metric: Literal["input", "output", "total"] = "total"
    per: Per = "user"


class ConcurrencyLimit(Strict, tag="concurrency_limit", tag_field="kind", frozen=True, kw_only=True):
    """T2: at most ``requests`` of a subject at the same time; more are refused with 429."""

    correction_class: ClassVar[str] = "T2"
    requests: Positive
    per: Per = "user"


class TurnLimit(Strict, tag="turn_limit", tag_field="kind", frozen=True, kw_only=True):
    """T2: a conversation with more than ``turns`` turns of its user is refused with 403."""

    correction_class: ClassVar[str] = "T2"
    turns: Annotated[int, Meta(ge=1, le=10_000)]


class ToolsOff(Strict, tag="tools_off", tag_field="kind", frozen=True, kw_only=True):
    """T3: a request that offers one of ``tools`` (none named: any tool) is refused with 403."""

    correction_class: ClassVar[str] = "T3"
    tools: tuple[Name, ...] = ()


class FeatureOff(Strict, tag="feature_off", tag_field="kind", frozen=True, kw_only=True):
    """T3: a request that uses one of ``features`` is refused with 403."""

    correction_class: ClassVar[str] = "T3"
    features: Annotated[tuple[Feature, ...], Meta(min_length=1)]


class InputCap(Strict, tag="input_cap", tag_field="kind", frozen=True, kw_only=True):
    """T3: a request whose body is longer than ``max_bytes`` is refused with 403."""

    correction_class: ClassVar[str] = "T3"
    max_bytes: Annotated[int, Meta(ge=1, le=9_000_000)]


class OutputCap(Strict, tag="output_cap", tag_field="kind", frozen=True, kw_only=True):
    """T3: the output of a request is capped at ``max_tokens``, whatever the request asks for."""

    correction_class: ClassVar[str] = "T3"
    max_tokens: Positive


class LoopCap(Strict, tag="loop_cap", tag_field="kind", frozen=True, kw_only=True):
    """T3: an agent that has had more than ``turns`` tool results in a conversation is refused with 403."""

    correction_class: ClassVar[str] = "T3"
    turns: Annotated[int, Meta(ge=0, le=10_000)]


class PatternsRef(Strict, frozen=True, kw_only=True):
    """Which set of patterns: the attachment, and its name and version for people."""

    attachment: Digest
    name: Text
    version: Positive


class _ContentFilter(Strict, frozen=True, kw_only=True):
    """A text that matches patterns of ``threshold`` weight together is blocked, redacted or flagged."""

    correction_class: ClassVar[str] = "T3"
    patterns: PatternsRef
    action: Literal["block", "redact", "flag"] = "block"
    threshold: Percent = 1


class InputFilter(_ContentFilter, tag="input_filter", tag_field="kind", frozen=True, kw_only=True):
    """T3: what callers send is matched; a blocked request is refused with 403."""


class OutputFilter(_ContentFilter, tag="output_filter", tag_field="kind", frozen=True, kw_only=True):
    """T3: what the model answers is matched; a blocked answer ends with ``content_filter``."""


class SystemPrompt(Strict, tag="system_prompt", tag_field="kind", frozen=True, kw_only=True):
    """T3: the instructions of the model are changed: the hot-fix of the framework."""

    correction_class: ClassVar[str] = "T3"
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    position: Literal["prepend", "append", "replace"] = "prepend"


class Downgrade(Strict, tag="downgrade", tag_field="kind", frozen=True, kw_only=True):
    """T3: requests are answered by ``fallback_model``, another version or a weaker model."""

    correction_class: ClassVar[str] = "T3"
    fallback_model: Name


class Classifier(Strict, tag="classifier", tag_field="kind", frozen=True, kw_only=True):
    """T3: an outside classifier scores the text. ``name`` is registered at the gateways, with its address.

    ``threshold``: the score from which it acts, in hundredths. ``on_failure``: what happens to a request
    when no score comes within ``timeout_ms``.
    """

    correction_class: ClassVar[str] = "T3"
    name: Name
    where: Literal["input", "output"] = "input"
    threshold: Percent = 50
    timeout_ms: Annotated[int, Meta(ge=50, le=10_000)] = 1000
    on_failure: Literal["refuse", "allow"] = "refuse"
    action: Literal["block", "flag"] = "block"


class ForbidUse(Strict, tag="forbid_use", tag_field="kind", frozen=True, kw_only=True):
    """T4: the applications, endpoints or use cases of the functionality scope are refused with 403."""

    correction_class: ClassVar[str] = "T4"


class RequireUse(Strict, tag="require_use", tag_field="kind", frozen=True, kw_only=True):
    """T4: a request without a declared use case (or with none of ``use_cases``) is refused with 403."""

    correction_class: ClassVar[str] = "T4"
    use_cases: tuple[Name, ...] = ()


class CustomerFallback(Strict, frozen=True, kw_only=True):
    """Which model answers one organisation while another is shut down (P-7, E-5)."""

    organisation: Name
    model: Name


class _Shutdown(Strict, frozen=True, kw_only=True):
    """The models of the scope stop answering.

    ``fallback_models``: who is answered by another model, each organisation once and in order.
    ``fallback_address``: where the others may turn to, told in the refusal.
    """

    correction_class: ClassVar[str] = "T5"
    fallback_models: tuple[CustomerFallback, ...] = ()
    fallback_address: Text = ""

    def __post_init__(self) -> None:
        """Refuse two fallbacks for one organisation, and an order that would give two digests."""
        names = [each.organisation for each in self.fallback_models]
        if names != sorted(set(names)):
            raise ValueError("fallback_models: organisations must be unique and sorted")

    def fallback_for(self, organisation: str) -> str | None:
        """Give the model that answers this organisation, if one does."""
        return next((each.model for each in self.fallback_models if each.organisation == organisation), None)


class Suspend(_Shutdown, tag="suspend", tag_field="kind", frozen=True, kw_only=True):
    """T5: 503, for a while."""

    retry_after_seconds: Window | None = None


class MarketRemoval(_Shutdown, tag="market_removal", tag_field="kind", frozen=True, kw_only=True):
    """T5: 403 on the platforms of the scope; others go on."""


class Halt(_Shutdown, tag="halt", tag_field="kind", frozen=True, kw_only=True):
    """T5: 503, and running answers of the scope end at once."""


class Decommission(_Shutdown, tag="decommission", tag_field="kind", frozen=True, kw_only=True):
    """T5: 410, for good."""


class Reroute(Strict, tag="reroute", tag_field="kind", frozen=True, kw_only=True):
    """T5 with a fallback: requests for the models of the scope are answered by ``fallback_model``."""

    correction_class: ClassVar[str] = "T5"
    fallback_model: Name


Shutdown: TypeAlias = Suspend | MarketRemoval | Halt | Decommission
Rerouting: TypeAlias = Reroute | Downgrade
Limiting: TypeAlias = RequestLimit | TokenLimit | ConcurrencyLimit
Filtering: TypeAlias = InputFilter | OutputFilter | SystemPrompt | Classifier
Effect: TypeAlias = (
    Block
    | Allow
    | Exempt
    | RequestLimit
    | TokenLimit
    | ConcurrencyLimit
    | TurnLimit
    | ToolsOff
    | FeatureOff
    | InputCap
    | OutputCap
    | LoopCap
    | InputFilter
    | OutputFilter
    | SystemPrompt
    | Downgrade
    | Classifier
    | ForbidUse
    | RequireUse
    | Suspend
    | MarketRemoval
    | Halt
    | Decommission
    | Reroute
)
_KINDS: tuple[type[Strict], ...] = Effect.__args__
EFFECTS: dict[str, type[Strict]] = {str(kind.__struct_config__.tag): kind for kind in _KINDS}
"""Every kind by its name."""
