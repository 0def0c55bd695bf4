"""Who may do what with segments and pattern sets. Each rule raises its reason; buttons ask the same rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.models import Correction
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, NotPermittedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from corrections.segments.models import Register
    from corrections.segments.selectors.usage import Use
    from irapp.accounts.models import User

KEEPERS = (RoleCode.RESPONDER, RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE)


def check_can_keep(user: User) -> None:
    """Lists are kept by those who respond and those who decide."""
    if not user.has_role(*KEEPERS):
        names = " or ".join(role.label.lower() for role in KEEPERS)
        raise NotPermittedError(f"You need to be {names} for this.", code="wrong_role")


def check_can_change(register: Register, user: User) -> None:
    """Whatever is retired stays as it was."""
    check_can_keep(user)
    if register.retired_at is not None:
        raise ConflictError(f"{register} is retired.", code="retired")


def check_can_import(register: Register, user: User, *, revision: int | None) -> None:
    """What was previewed is what happens: nobody else has changed it since."""
    check_can_change(register, user)
    check_revision(register, revision)


def check_revision(register: Register, revision: int | None) -> None:
    """Refuse what began from an older state.

    :param revision: None where the caller does not care.
    """
    if revision is not None and revision != register.revision:
        message = (
            f"{register} was changed in the meantime: it is at version {register.version} with"
            f" {register.count} {register.subjects} now. Look at it again."
        )
        seen: dict[str, object] = {"revision": register.revision, "version": register.version}
        raise ConflictError(message, code="stale", details=seen)


def check_can_retire(register: Register, user: User, *, used_by: Collection[Use]) -> None:
    """Not while a live correction names it; those of incidents that this person may not see stay unnamed."""
    check_can_change(register, user)
    if used_by:
        every = [each.correction for each in used_by]
        seen = Correction.objects.visible_to(user).filter(pk__in=[each.pk for each in every])
        names = [str(each) for each in seen.order_by("reference", "version")]
        hidden = ["corrections that you may not see"] if len(names) < len(every) else []
        message = f"{register} is in use by {', '.join([*names, *hidden])}; lift them first."
        raise ConflictError(message, code="in_use")


def check_can_export(user: User) -> None:
    """Who keeps the lists may take them out, and who audits; each time is on the record."""
    if not user.has_role(*KEEPERS, RoleCode.AUDITOR):
        raise NotPermittedError("Responders, deciders and auditors take lists out.", code="wrong_role")
