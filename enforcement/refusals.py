"""What a refused caller is told: OpenAI-compatible error objects, the same from Envoy and from the filter."""

from __future__ import annotations

from datetime import UTC, datetime

from enforcement import policy
from enforcement.decide import REFUSALS

MESSAGES = {
    "model_decommissioned": "This model is decommissioned.",
    "inference_halted": "Inference with this model is halted by a deployment correction.",
    "model_withdrawn": "This model is withdrawn from this platform by a deployment correction.",
    "model_suspended": "This model is suspended by a deployment correction.",
    "access_restricted": "Access is restricted by a deployment correction.",
    "use_case_restricted": "This use is restricted by a deployment correction.",
    "use_case_undeclared": "A deployment correction asks for a declared use case: send irapp-use-case.",
    "tools_restricted": "Tools are restricted by a deployment correction.",
    "feature_restricted": "A feature of this request is restricted by a deployment correction.",
    "input_restricted": "The request is longer than a deployment correction allows.",
    "loop_restricted": "The agent has taken more steps than a deployment correction allows.",
    "turns_limited": "The conversation is longer than a deployment correction allows.",
    "content_restricted": "The content is restricted by a deployment correction.",
    "output_restricted": "The output is restricted by a deployment correction.",
    "rate_limited": "Too many requests: a deployment correction limits their rate.",
    "token_limited": "Too many tokens: a deployment correction limits them.",
    "concurrency_limited": "Too many requests at once: a deployment correction limits them.",
}


def error(
    code: str, message: str, *, kind: str = "invalid_request_error", **more: object
) -> dict[str, dict[str, object]]:
    """Give an OpenAI-compatible error object."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


def refusal(correction: policy.Correction) -> dict[str, dict[str, object]]:
    """Give the error object of a request that a correction refuses."""
    _, _, code = REFUSALS[type(correction.effect)]
    told, effect = correction.refusal, correction.effect
    address = effect.fallback_address if isinstance(effect, policy.Shutdown) else ""
    return error(
        code,
        told.reason or MESSAGES[code],
        kind="deployment_correction",
        correction=correction.id,
        appeal=told.appeal or None,
        **({"fallback": address} if address else {}),
    )


def uncounted(correction: policy.Correction) -> dict[str, dict[str, object]]:
    """Give the error object while nobody can count for a limit, which is closed until somebody can."""
    return error(
        "limit_unavailable",
        "Requests cannot be counted at the moment, and a deployment correction limits them. Try again soon.",
        kind="deployment_correction",
        correction=correction.id,
    )


def warning(correction: str, since: datetime) -> str:
    """Give the value of ``x-irapp-warning``: which correction, and from when on it refuses."""
    return f"{correction}; from={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def retry_after(correction: policy.Correction) -> int | None:
    """Give the seconds after which asking again makes sense, where anybody can know."""
    effect = correction.effect
    if isinstance(effect, policy.RequestLimit):
        return max(1, effect.window_seconds // effect.requests)
    if isinstance(effect, policy.TokenLimit):
        return effect.window_seconds
    if isinstance(effect, policy.ConcurrencyLimit):
        return 1
    return effect.retry_after_seconds if isinstance(effect, policy.Suspend) else None


CLOSED = error(
    "gateway_closed",
    "This gateway has not received its first policy yet and serves no guarded model.",
    kind="deployment_correction",
)
FAILED = error("gateway_error", "The gateway could not decide about this request.", kind="api_error")
UNAUTHORISED = error("invalid_api_key", "Incorrect API key provided.")
TOO_LARGE = error("body_too_large", "The request body is larger than 10 MB.")
UNAVAILABLE = error("upstream_unavailable", "The model does not answer.", kind="api_error")
INVALID_JSON = error("invalid_json", "The request body is not acceptable JSON.")
NOT_FOUND = error("model_not_found", "This gateway serves no model of that name.")
NOT_ENVOY = error("not_allowed", "Only the gateway may call the content filter.")
