"""What is asked and what is answered: the attributes of a request, and the verdict about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enforcement import policy

REFUSALS: dict[type, tuple[int, int, str]] = {
    kind: (rank, status, code)
    for rank, (kind, status, code) in enumerate(
        [
            (policy.Decommission, 410, "model_decommissioned"),
            (policy.Halt, 503, "inference_halted"),
            (policy.MarketRemoval, 403, "model_withdrawn"),
            (policy.Suspend, 503, "model_suspended"),
            (policy.Reroute, 503, "model_suspended"),
            (policy.Block, 403, "access_restricted"),
            (policy.Allow, 403, "access_restricted"),
            (policy.ForbidUse, 403, "use_case_restricted"),
            (policy.RequireUse, 403, "use_case_undeclared"),
            (policy.ToolsOff, 403, "tools_restricted"),
            (policy.FeatureOff, 403, "feature_restricted"),
            (policy.InputCap, 403, "input_restricted"),
            (policy.LoopCap, 403, "loop_restricted"),
            (policy.InputFilter, 403, "content_restricted"),
            (policy.OutputFilter, 403, "content_restricted"),
            (policy.Classifier, 403, "content_restricted"),
            (policy.SystemPrompt, 403, "content_restricted"),
            (policy.Downgrade, 503, "model_suspended"),
            (policy.OutputCap, 403, "output_restricted"),
            (policy.TurnLimit, 403, "turns_limited"),
            (policy.RequestLimit, 429, "rate_limited"),
            (policy.TokenLimit, 429, "token_limited"),
            (policy.ConcurrencyLimit, 429, "concurrency_limited"),
            (policy.Exempt, 403, "access_restricted"),
        ]
    )
}
"""Rank, status and code of every kind: shutdown, access, use case, capability, limits.

A reroute refuses only when it leads back to where it came from; an exemption and a changed instruction never
refuse, and stand here so that every kind has a rank.
"""


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What a gateway knows about a request. No content.

    :param use_case: registered or declared; empty when neither.
    :param features: of :data:`enforcement.policy.FEATURES`.
    :param body_bytes: length of the request's body.
    :param turns: turns of the user in the conversation; None where the conversation was not read.
    :param tool_turns: results of tools in it; None where it was not read.
    """

    user: str
    organisation: str
    key: str
    application: str
    use_case: str
    endpoint: str
    model: str
    region: str = ""
    tier: str = ""
    platform: str = ""
    tools: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    stream: bool = False
    max_tokens: int | None = None
    body_bytes: int = 0
    turns: int | None = None
    tool_turns: int | None = None


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit that counts this request, and for whom.

    :param kind: ``request_limit``, ``token_limit`` or ``concurrency_limit``.
    :param amount: requests or tokens per window, or requests at the same time.
    :param window_seconds: 0 for requests at the same time.
    :param metric: ``requests``, or which tokens: ``input``, ``output``, ``total``.
    :param shadow: it is counted and never refuses.
    """

    correction: str
    kind: str
    amount: int
    window_seconds: int
    per: str
    subject: str
    metric: str = "requests"
    shadow: bool = False


@dataclass(frozen=True, kw_only=True)
class Warned:
    """A correction whose grace period still lasts for this request."""

    correction: str
    since: datetime
    """From when on it refuses."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What happens to the request.

    :param action: ``allow`` or ``refuse``.
    :param correction: the one that refuses it.
    :param matched: every enforced correction that reaches the request.
    :param shadow: dry runs that would have refused or changed it.
    :param exempted: corrections that an exemption spared it from.
    :param limits: the limits that count it, the smallest rate of each kind first.
    :param filters: what is done to the content, in the order of precedence; dry runs among them.
    :param by_filter: it has to pass the content filter, which decides again with the whole body.
    """

    action: str
    status: int
    code: str
    correction: str | None = None
    matched: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    exempted: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    limits: tuple[Limit, ...] = ()
    filters: tuple[policy.Correction, ...] = ()
    max_tokens: int | None = None
    reroute_to: str | None = None
    by_filter: bool = False
