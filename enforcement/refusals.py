"""What a refused caller is told: OpenAI-compatible error objects, the same from Envoy and from the filter."""

from __future__ import annotations

from enforcement import policy
from enforcement.decide import REFUSALS

MESSAGES = {
    "model_suspended": "This model is suspended by a deployment correction.",
    "access_restricted": "Access is restricted by a deployment correction.",
    "use_case_restricted": "This use is restricted by a deployment correction.",
    "tools_restricted": "Tools are restricted by a deployment correction.",
    "rate_limited": "Too many requests: a deployment correction limits their rate.",
}


def error(
    code: str, message: str, *, kind: str = "invalid_request_error", **more: object
) -> dict[str, dict[str, object]]:
    """Give an OpenAI-compatible error object."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


def refusal(correction: policy.Correction) -> dict[str, dict[str, object]]:
    """Give the error object of a request that a correction refuses."""
    _, _, code = REFUSALS[type(correction.effect)]
    told = correction.refusal
    return error(
        code,
        told.reason or MESSAGES[code],
        kind="deployment_correction",
        correction=correction.id,
        appeal=told.appeal or None,
    )


def retry_after(correction: policy.Correction) -> int | None:
    """Give the seconds after which asking again makes sense, where anybody can know."""
    effect = correction.effect
    if isinstance(effect, policy.RequestLimit):
        return max(1, effect.window_seconds // effect.requests)
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
