"""Everything that can happen to the preparation."""

from incidents.preparation.actions.binding import bind_plan, bind_threat, confirm_authority, consider_fallback
from incidents.preparation.actions.registers import (
    add_fallback,
    add_model,
    add_plan,
    add_threat,
    edit_fallback,
    edit_model,
    edit_plan,
    edit_threat,
    retire,
)

__all__ = [
    "add_fallback",
    "add_model",
    "add_plan",
    "add_threat",
    "bind_plan",
    "bind_threat",
    "confirm_authority",
    "consider_fallback",
    "edit_fallback",
    "edit_model",
    "edit_plan",
    "edit_threat",
    "retire",
]
