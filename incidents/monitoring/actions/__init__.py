"""Everything that can happen to a signal. Pages, API, tasks and factories call these and no others."""

from incidents.monitoring.actions.receiving import Received, receive_signal
from incidents.monitoring.actions.sources import add_source, edit_source
from incidents.monitoring.actions.triage import (
    acknowledge,
    close_group,
    link_to_incident,
    open_incident_from,
    reopen,
)

__all__ = [
    "Received",
    "acknowledge",
    "add_source",
    "close_group",
    "edit_source",
    "link_to_incident",
    "open_incident_from",
    "receive_signal",
    "reopen",
]
