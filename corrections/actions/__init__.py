"""Everything that can happen to corrections. Pages, API, tasks and test factories call these."""

from corrections.actions.alarms import acknowledge_alarm
from corrections.actions.clocks import tick
from corrections.actions.continuing import continue_policy
from corrections.actions.destroying import (
    draft_order,
    place_hold,
    release_hold,
    sign_order,
    withdraw_order,
)
from corrections.actions.drafting import (
    discard,
    draft_correction,
    draft_step,
    draft_version,
    open_package,
    revise_correction,
)
from corrections.actions.executing import retry
from corrections.actions.gateways import retire_gateway, take_up_gateway
from corrections.actions.proposing import propose, propose_lift, propose_permanent, withdraw
from corrections.actions.voting import Ballot, vote

__all__ = [
    "Ballot",
    "acknowledge_alarm",
    "continue_policy",
    "discard",
    "draft_correction",
    "draft_order",
    "draft_step",
    "draft_version",
    "open_package",
    "place_hold",
    "propose",
    "propose_lift",
    "propose_permanent",
    "release_hold",
    "retire_gateway",
    "retry",
    "revise_correction",
    "sign_order",
    "take_up_gateway",
    "tick",
    "vote",
    "withdraw",
    "withdraw_order",
]
