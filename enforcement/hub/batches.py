"""Reading a batch of traffic: a record that is out of bounds is left out, and holds up no other."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from enforcement import policy
from enforcement.report import GatewayName, LeftOut, TrafficBatch, TrafficRecord, TrafficTaken

EXAMPLES: Final = 5
MOST: Final = 5000
"""Records in a batch; no gateway sends more than 1000."""
LONGEST: Final = 300
_FIELD: Final = re.compile(r"at `\$\.?(?P<path>[^`]*)`$|field `(?P<name>[^`]*)`$")
_NONE: Final = msgspec.Raw()
# An array with places: one that has more is refused at the first of them. The length of a tuple is looked at
# only when all of it has been read, be it millions.
_Records = msgspec.defstruct(
    "_Records",
    [(f"at_{place}", msgspec.Raw, _NONE) for place in range(MOST)],
    array_like=True,
    forbid_unknown_fields=True,
)


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch whose records are still to be read, each by itself."""

    gateway: GatewayName
    records: msgspec.Raw


for _first in (_Envelope, _Records):
    msgspec.json.Decoder(_first)  # before any thread does: see enforcement.policy


def read(raw: bytes) -> tuple[TrafficBatch, TrafficTaken]:
    """Give the records that are some, and what there is to tell of the others.

    :raises PolicyError: it is no batch at all, or one of too many.
    """
    try:
        batch = policy.parse(raw, TrafficBatch)
    except policy.PolicyError:
        return _one_by_one(policy.parse(raw, _Envelope))
    if len(batch.records) > MOST:
        raise policy.PolicyError(f"Expected `array` of at most length {MOST} - at `$.records`")
    return batch, TrafficTaken(taken=len(batch.records), left_out=0)


def _one_by_one(envelope: _Envelope) -> tuple[TrafficBatch, TrafficTaken]:
    places = msgspec.structs.astuple(policy.parse(bytes(envelope.records), _Records))
    records: list[TrafficRecord] = []
    wrong: list[LeftOut] = []
    left_out = 0
    for place, raw in enumerate(each for each in places if each is not _NONE):
        try:
            records.append(policy.parse(bytes(raw), TrafficRecord))
        except policy.PolicyError as error:
            left_out += 1
            wrong += [_left_out(place, str(error))] if len(wrong) < EXAMPLES else []
    taken = TrafficTaken(taken=len(records), left_out=left_out, examples=tuple(wrong))
    return TrafficBatch(gateway=envelope.gateway, records=tuple(records)), taken


def _left_out(place: int, reason: str) -> LeftOut:
    named = _FIELD.search(reason)
    field = (named["path"] or named["name"] or "") if named else ""
    return LeftOut(place=place, field=field[:LONGEST], reason=reason[:LONGEST])
