"""Reading a batch of traffic: a record that is out of bounds is left out, and holds up no other."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from enforcement import policy
from enforcement.report import GatewayName, LeftOut, TrafficBatch, TrafficRecord, TrafficTaken

EXAMPLES: Final = 5
LONGEST: Final = 300
_FIELD: Final = re.compile(r"at `\$\.?(?P<path>[^`]*)`$|field `(?P<name>[^`]*)`$")


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch whose records are still to be read, each by itself."""

    gateway: GatewayName
    records: tuple[msgspec.Raw, ...]


msgspec.json.Decoder(_Envelope)  # before any thread does: see enforcement.policy


def read(raw: bytes) -> tuple[TrafficBatch, TrafficTaken]:
    """Give the records that are some, and what there is to tell of the others.

    :raises PolicyError: it is no batch at all.
    """
    try:
        batch = policy.parse(raw, TrafficBatch)
    except policy.PolicyError:
        return _one_by_one(policy.parse(raw, _Envelope))
    return batch, TrafficTaken(taken=len(batch.records), left_out=0)


def _one_by_one(envelope: _Envelope) -> tuple[TrafficBatch, TrafficTaken]:
    found = [_record(raw, place) for place, raw in enumerate(envelope.records)]
    records = tuple(each for each in found if isinstance(each, TrafficRecord))
    wrong = [each for each in found if isinstance(each, LeftOut)]
    taken = TrafficTaken(taken=len(records), left_out=len(wrong), examples=tuple(wrong[:EXAMPLES]))
    return TrafficBatch(gateway=envelope.gateway, records=records), taken


def _record(raw: msgspec.Raw, place: int) -> TrafficRecord | LeftOut:
    try:
        return policy.parse(bytes(raw), TrafficRecord)
    except policy.PolicyError as error:
        reason = str(error)
        named = _FIELD.search(reason)
        field = (named["path"] or named["name"] or "") if named else ""
        return LeftOut(place=place, field=field[:LONGEST], reason=reason[:LONGEST])
