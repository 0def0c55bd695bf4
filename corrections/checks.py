"""Settings without which no decision could be carried out."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from corrections.publishing.signing import signing_key
from irapp.common.errors import ConflictError


@register("corrections", deploy=True)
def hubs_are_named(**_: object) -> list[CheckMessage]:
    """A policy has to be delivered somewhere."""
    if settings.ENFORCEMENT_URLS:
        return []
    hint = "Set ENFORCEMENT_URLS to the base addresses of the enforcement services."
    return [Error("No enforcement service is named.", hint=hint, id="corrections.E001")]


@register("corrections", deploy=True)
def policies_can_be_signed(**_: object) -> list[CheckMessage]:
    """A policy without a signature is refused by every gateway."""
    try:
        signing_key()
    except ConflictError as error:
        hint = "Set POLICY_SIGNING_KEY_FILE to an Ed25519 key (PEM) and POLICY_KEY_ID to its name."
        return [Error(str(error), hint=hint, id="corrections.E002")]
    return []


@register("corrections", deploy=True)
def the_service_is_trusted(**_: object) -> list[CheckMessage]:
    """The hub takes policies only from who holds the control token."""
    if settings.ENFORCEMENT_TOKEN:
        return []
    hint = "Set ENFORCEMENT_TOKEN or ENFORCEMENT_TOKEN_FILE to the hub's control token."
    return [Error("The enforcement service would refuse us.", hint=hint, id="corrections.E003")]
