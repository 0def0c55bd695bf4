"""The answers to Envoy's questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from enforcement.ratelimit import usage
from enforcement.ratelimit.asks import MOST_PLACES, Ask, read
from enforcement.ratelimit.commands import Command, Free, Hold, Outcome, Take
from enforcement.ratelimit.limiter import Limiter
from enforcement.ratelimit.rules import AskError
from enforcement.ratelimit.wire.ratelimit_pb2 import OK, OVER_LIMIT, Duration, Request, Response, Status

BASIS_HEADER = "x-irapp-limit-basis"
MOST_HITS = 1_000_000_000


@dataclass(slots=True)
class Counts:
    """What the service has done since its start."""

    asked: int = 0
    refused: int = 0
    charged: int = 0


@dataclass(slots=True)
class Service:
    """Answers one question after the other; knows nothing about gRPC."""

    limiter: Limiter
    prefix: str
    counts: Counts = field(default_factory=Counts)

    async def answer(self, request: Request) -> Response:
        """Answer a question.

        :raises AskError: it makes no sense.
        """
        asks = [read(descriptor) for descriptor in request.descriptors]
        if not asks:
            raise AskError("no descriptor")
        outcomes = [Outcome(allowed=True)] * len(asks)
        for place, ask in enumerate(asks):
            if not ask.part:
                outcomes[place] = await self.limiter.run(self._command(ask))
        await self._charge([ask for ask in asks if ask.part])
        self.counts.asked += 1
        return self._response(asks, outcomes)

    def _command(self, ask: Ask) -> Command:
        rule, key = ask.rule, self._key(ask)
        if rule.kind == "concurrent":
            amount, places = _scaled(ask)
            if ask.back:
                return Free(key=key, lease=ask.lease, places=places)
            return Hold(key=key, amount=amount, lease=ask.lease, places=places)
        hits = 0 if rule.kind == "tokens" else min(ask.hits, MOST_HITS)
        return Take(key=key, amount=rule.amount, window_ms=rule.window_ms, burst=rule.burst, hits=hits)

    async def _charge(self, parts: Sequence[Ask]) -> None:
        """Charge the tokens of a stream that has ended."""
        if not parts:
            return
        one = parts[0]
        tokens = usage.charge(one.rule.metric, {ask.part: ask.hits for ask in parts})
        if tokens:
            self.counts.charged += tokens
            how = {"amount": one.rule.amount, "window_ms": one.rule.window_ms}
            await self.limiter.run(Take(key=self._key(one), hits=min(tokens, MOST_HITS), force=True, **how))

    def _key(self, ask: Ask) -> str:
        """Name the counter. The limit is in it, so that a new version of a correction counts anew."""
        return f"{self.prefix}:{ask.rule.kind}:{ask.limit}:{{{ask.subject}}}"

    def _response(self, asks: Sequence[Ask], outcomes: Sequence[Outcome]) -> Response:
        over = [ask for ask, outcome in zip(asks, outcomes, strict=True) if not outcome.allowed]
        refused = any(not ask.dry for ask in over)
        self.counts.refused += refused
        response = Response(overall_code=OVER_LIMIT if refused else OK)
        response.statuses.extend(_status(ask, one) for ask, one in zip(asks, outcomes, strict=True))
        for ask in over:
            if ask.dry:
                response.dynamic_metadata.fields[ask.limit].bool_value = True
        if any(ask.probe for ask in asks):
            response.response_headers_to_add.add(key=BASIS_HEADER, value=self.limiter.basis)
        return response


def _scaled(ask: Ask) -> tuple[int, int]:
    """Give amount and places; a probe takes all places at once, thousands of them at the scale of one."""
    if ask.hits <= MOST_PLACES:
        return ask.rule.amount, max(1, ask.hits)
    amount = MOST_PLACES * ask.rule.amount // ask.hits
    return max(1, amount), MOST_PLACES


def _status(ask: Ask, outcome: Outcome) -> Status:
    refused = not outcome.allowed and not ask.dry
    status = Status(code=OVER_LIMIT if refused else OK, limit_remaining=min(outcome.remaining, 2**32 - 1))
    if refused:
        # Whole seconds, rounded up: Envoy makes the retry-after header of it.
        status.duration_until_reset.CopyFrom(Duration(seconds=max(1, -(-outcome.wait_ms // 1000))))
    return status
