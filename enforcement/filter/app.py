"""The proxy as a raw ASGI application: decide again, look into the content, pass it on unbuffered."""

from __future__ import annotations

import asyncio
import hmac
import signal
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

import aiohttp
import structlog

from enforcement import policy, refusals
from enforcement.envoy.gateway import Model
from enforcement.filter import asked as asking
from enforcement.filter import proof
from enforcement.filter.classifiers import Classifiers, Question
from enforcement.filter.current import FOLDER, Current, Ready, now
from enforcement.filter.guards import BlockedError, Findings, What
from enforcement.filter.http import Headers, Receive, RefusedError, Scope, Send, answer, aside, body_of
from enforcement.filter.policy_file import Watched
from enforcement.filter.record import FILE, Book, Record, attributes_of
from enforcement.filter.relay import Relay
from enforcement.filter.request import Asked, Header, read, refused
from enforcement.filter.running import Halting

log = structlog.get_logger()

__all__ = ["FOLDER", "Filter"]
UPSTREAM = aiohttp.ClientTimeout(total=None, connect=2, sock_read=300)


class Filter:
    """The application. Only Envoy knows the secret; whoever does not bring it is refused."""

    session: aiohttp.ClientSession  # made at the start of the lifespan, before any request

    def __init__(
        self, policy_file: Path, models_file: Path, secret_file: Path, classifiers_file: Path | None = None
    ) -> None:
        self.current = Current(policy_file)
        self.halting = Halting(self.current)
        self.classifiers = Classifiers(classifiers_file)
        self._models = Watched(models_file, dict[str, Model])
        self._secret = secret_file
        self._book = Book(policy_file.with_name(FILE))
        self._later: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            try:
                await self._serve(scope, receive, send)
            except RefusedError as refusal:
                await answer(send, refusal.status, refusal.body, refusal.headers)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        connector = aiohttp.TCPConnector(limit=0)
        jar = aiohttp.DummyCookieJar()  # what a model gives one caller goes along with no other's request
        self.session = aiohttp.ClientSession(
            timeout=UPSTREAM, auto_decompress=False, connector=connector, cookie_jar=jar
        )
        watch = asyncio.create_task(self.halting.watch())
        watch.add_done_callback(_stop_if_dead)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        await self.session.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode(errors="surrogateescape") for name, value in scope["headers"]}
        self._check_secret(headers)
        ready = await self.current.get()
        if ready is None:
            raise RefusedError(503, refusals.CLOSED)
        try:
            await self._pass_on(scope, receive, send, headers, ready)
        except RefusedError as refusal:
            if headers.get(b"x-irapp-probe"):  # a refusal, too, says by which policy
                refusal.headers = [*refusal.headers, (b"x-irapp-policy", _version(headers, ready))]
            raise

    async def _pass_on(
        self, scope: Scope, receive: Receive, send: Send, headers: Header, ready: Ready
    ) -> None:
        request = read(headers, await body_of(receive), ready)
        findings = self._findings(request)
        model = self._model(request)
        await self._look_into(request, findings, model)
        raw = request.written(findings, model.output_field if model else "")
        if request.probe:
            return await self._prove(send, request, raw, findings, _version(headers, ready))
        if model is None:
            raise RefusedError(404, refusals.NOT_FOUND)
        await Relay(self, request, findings, model).run(scope, receive, send, raw, _told(request))
        return None

    async def _prove(
        self, send: Send, request: Asked, raw: bytes, findings: Findings, version: bytes
    ) -> None:
        corrections = request.filters(policy.Classifier)
        question = self.question(request, "input", asking.text_of(request.body))
        scored = await self.classifiers.answers(self.session, corrections, question)
        body = proof.of(request, raw, findings, scored)
        headers = [*_told(request), (b"x-irapp-policy", version), *request.told.headers()]
        await answer(send, 200, body, headers)

    async def _look_into(self, request: Asked, findings: Findings, model: Model | None) -> None:
        await aside(request.attributes.body_bytes, request.look_into_input, findings)
        corrections = request.classifiers("input")
        if corrections:
            question = self.question(request, "input", asking.text_of(request.body))
            try:
                await self.classifiers.check(self.session, corrections, question, findings)
            except BlockedError as blocked:
                raise refused(blocked.correction) from blocked
        if model is not None or request.probe:
            request.instruct(findings)

    def later(self, work: Coroutine[object, object, None]) -> None:
        """Do something that no answer waits for."""
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    @staticmethod
    def question(request: Asked, where: str, text: str) -> Question:
        """Give what a classifier is asked about a request or its answer."""
        endpoint = request.attributes.endpoint
        return Question(text=text, where=where, model=request.model, endpoint=endpoint)

    def _check_secret(self, headers: Header) -> None:
        given = headers.get(b"x-irapp-secret", "")
        try:
            expected = self._secret.read_text().strip()
        except OSError:
            expected = ""
        if not expected or not hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode()):
            raise RefusedError(403, refusals.NOT_ENVOY)

    def _model(self, request: Asked) -> Model | None:
        return (self._models.get() or {}).get(request.model)

    def _findings(self, request: Asked) -> Findings:
        """Give what writes down whatever the corrections find; a probe's findings go into no book."""

        def told(item: policy.Correction, what: What) -> None:
            request.told.note(item, what)
            if not request.probe:
                self._book.write(_record(request, item, what))

        return Findings(told)


def _stop_if_dead(watch: asyncio.Task[None]) -> None:
    """End the process rather than go on without anybody who ends streams; it is supervised."""
    if not watch.cancelled():
        log.critical("watch_ended", error=repr(watch.exception()))
        signal.raise_signal(signal.SIGTERM)


def _record(request: Asked, item: policy.Correction, what: What) -> Record:
    where = "output" if isinstance(item.effect, policy.OutputFilter) else "input"
    if isinstance(item.effect, policy.Classifier):
        where = item.effect.where
    return Record(
        at=now().isoformat(),
        correction=item.id,
        what=what,
        where=where,
        refused=what == "blocked" and where == "input",
        policy=request.ready.signed.version,
        request=attributes_of(request.attributes),
    )


def _told(request: Asked) -> Headers:
    told = [(b"x-irapp-correction", request.cause.encode())] if request.cause else []
    warnings = ", ".join(refusals.warning(one.correction, one.since) for one in request.verdict.warnings)
    return [*told, (b"x-irapp-warning", warnings.encode())] if warnings else told


def _version(headers: Header, ready: Ready) -> bytes:
    """Tell a probe which policy Envoy decided by; another one here is no proof of anything."""
    envoys = headers.get(b"x-irapp-policy", "")
    return (envoys if envoys == ready.version else f"{envoys}, filter {ready.version}").encode()
