"""One request: what the gateway says of it, what the policy says to it, what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from enforcement import policy, refusals
from enforcement.decide import Attributes, Verdict, rank
from enforcement.filter import asked, prompts
from enforcement.filter.current import Ready, now
from enforcement.filter.guards import BlockedError, Findings, Guard
from enforcement.filter.http import RefusedError
from enforcement.filter.record import Told
from enforcement.filter.rewriting import (
    NotAcceptableError,
    TooManyAnswersError,
    UncountableError,
    capping,
    parse,
    rewrite,
)
from enforcement.reading import HIDDEN, features_of, tools_offered, turns_of

IDENTITY = ("user", "organisation", "key", "application", "endpoint")
SOMETIMES = ("use_case", "region", "tier", "platform")
CHANGING = policy.Rerouting | policy.OutputCap | policy.SystemPrompt
UNCOUNTED = (
    " The history behind previous_response_id or conversation cannot be counted:"
    " send the conversation itself."
)
Header = dict[bytes, str]


@dataclass
class Asked:
    """A request on its way to the model."""

    attributes: Attributes
    verdict: Verdict
    ready: Ready
    body: dict[str, Any]
    probe: bool
    decided_at: datetime
    told: Told = field(default_factory=Told)

    @property
    def model(self) -> str:
        """The model that answers."""
        return self.verdict.reroute_to or self.attributes.model

    @property
    def answering(self) -> Attributes:
        """The request as the answering model meets it."""
        return replace(self.attributes, model=self.model)

    def filters(self, *kinds: type) -> list[policy.Correction]:
        """Give the corrections of some kinds that apply to the content."""
        return [item for item in self.verdict.filters if isinstance(item.effect, kinds)]

    def classifiers(self, where: str) -> list[policy.Correction]:
        """Give the classifiers of the input or of the output."""
        found = self.filters(policy.Classifier)
        return [item for item in found if item.effect.where == where]  # type: ignore[union-attr]

    def guards(self, kind: type) -> list[Guard]:
        """Give the filters of a kind with their patterns.

        :raises RefusedError: a set of patterns is not at hand; then nothing passes that it would look into.
        """
        try:
            return [
                Guard(item, self.ready.patterns(item.effect.patterns.attachment))  # type: ignore[union-attr]
                for item in self.filters(kind)
            ]
        except policy.PolicyError as error:
            raise RefusedError(503, refusals.FAILED) from error

    @property
    def cause(self) -> str | None:
        """The correction that changes the request, by precedence."""
        by_id = {item.id: item for item in self.ready.corrections}
        changing = [by_id[name] for name in self.verdict.matched if isinstance(by_id[name].effect, CHANGING)]
        return min(changing, key=rank).id if changing else None

    def look_into_input(self, findings: Findings) -> None:
        """Let the input filters read the request, and redact in it.

        :raises RefusedError: one of them blocks it, or cannot read it.
        """
        guards = self.guards(policy.InputFilter)
        reading = [guard.correction for guard in guards if guard.action != "flag"]
        reading += [item for item in self.classifiers("input") if item.mode == "enforce"]
        if reading and asked.unreadable(self.body):
            findings.note(reading[0], "blocked")
            raise refused(reading[0])
        try:
            asked.check(self.body, guards, findings)
        except BlockedError as blocked:
            raise refused(blocked.correction) from blocked

    def instruct(self, findings: Findings) -> None:
        """Give the model other instructions where a correction says so.

        :raises RefusedError: the request has no place for them.
        """
        for item in self.filters(policy.SystemPrompt):
            if item.mode == "shadow":
                continue  # the decision says so already
            try:
                self.body = prompts.instructed(
                    self.body,
                    item.effect,  # type: ignore[arg-type]
                    endpoint=self.attributes.endpoint,
                )
            except prompts.NoPlaceError as error:
                findings.note(item, "blocked")
                raise refused(item) from error

    def written(self, findings: Findings, output_field: str) -> bytes:
        """Write the request as it goes to the model.

        :raises RefusedError: its answers cannot be counted, or not be made as few as the policy wants.
        """
        try:
            return rewrite(
                self.body, self.verdict, endpoint=self.attributes.endpoint, output_field=output_field
            )
        except UncountableError as error:
            raise RefusedError(400, refusals.error("invalid_request", str(error))) from error
        except TooManyAnswersError as error:
            item = capping(self.verdict, self.ready.corrections)
            findings.note(item, "blocked")
            raise refused(item) from error


def read(headers: Header, raw: bytes, ready: Ready) -> Asked:
    """Read a request and decide about it.

    :raises RefusedError: it is none, or the policy refuses it.
    """
    try:
        body = parse(raw)
    except NotAcceptableError as error:
        raise RefusedError(400, refusals.INVALID_JSON) from error
    attributes = _attributes(headers, body, len(raw))
    moment = now()
    try:
        verdict = ready.rules.decide(attributes, now=moment)
    except policy.PolicyError as error:
        raise RefusedError(503, refusals.FAILED) from error
    if verdict.action == "refuse":
        item = next(item for item in ready.corrections if item.id == verdict.correction)
        raise _explained(refused(item, verdict.status), item, attributes)
    probe = headers.get(b"x-irapp-probe") == "content"
    return Asked(attributes, verdict, ready, body, probe, moment)


def refused(item: policy.Correction, status: int = 403) -> RefusedError:
    """Give the refusal by a correction."""
    headers = [(b"x-irapp-correction", item.id.encode())]
    if (seconds := refusals.retry_after(item)) is not None:
        headers.append((b"retry-after", str(seconds).encode()))
    return RefusedError(status, refusals.refusal(item), headers)


def _explained(refusal: RefusedError, item: policy.Correction, attributes: Attributes) -> RefusedError:
    """Say what to do where a conversation is too long only because nobody here can count it."""
    if isinstance(item.effect, policy.TurnLimit | policy.LoopCap) and attributes.turns == HIDDEN:
        refusal.body["error"]["message"] += UNCOUNTED
    return refusal


def _attributes(headers: Header, body: dict[str, Any], length: int) -> Attributes:
    known = {name: headers.get(header(name)) for name in IDENTITY}
    if None in known.values() or not isinstance(body.get("model"), str):
        raise RefusedError(400, refusals.INVALID_JSON)
    turns = turns_of(body)
    return Attributes(
        **known,  # type: ignore[arg-type]
        **{name: headers.get(header(name), "") for name in SOMETIMES},
        model=str(body["model"]),
        tools=tools_offered(body),
        features=features_of(body),
        stream=body.get("stream") is True,
        max_tokens=None,
        body_bytes=length,
        turns=turns.user,
        tool_turns=turns.tool,
    )


def header(name: str) -> bytes:
    """Give the name of the header in which the gateway tells an attribute."""
    return f"x-irapp-{name.replace('_', '-')}".encode()
