"""The callback: name ``enforcement.adapters.litellm.callback.door`` in LiteLLM's ``callbacks``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import ProxyException, UserAPIKeyAuth

from enforcement import policy, probes, refusals
from enforcement.adapters.litellm import answers, streams
from enforcement.adapters.litellm.counting import Counter
from enforcement.adapters.litellm.identity import attributes
from enforcement.adapters.litellm.keeping import Keeper
from enforcement.adapters.litellm.passing import Passage, Tell
from enforcement.adapters.litellm.proving import Probed, Prover, body_of
from enforcement.adapters.litellm.ruling import Law, RefusedError, Ruling, at_model
from enforcement.adapters.litellm.settings import Settings, from_environment
from enforcement.filter.guards import What
from enforcement.filter.spelling import misspelt

ENDPOINTS = {
    "completion": "chat.completions",
    "acompletion": "chat.completions",
    "text_completion": "completions",
    "atext_completion": "completions",
    "embedding": "embeddings",
    "embeddings": "embeddings",
    "aembedding": "embeddings",
    "responses": "responses",
    "aresponses": "responses",
    "anthropic_messages": "messages",
    "aanthropic_messages": "messages",
}
"""LiteLLM's name of a call, and the endpoint as policies name it. Others are refused unless opened."""
CHOOSING = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "model_list", "user_config")
"""Fields by which a caller could have another model answer than the one that was asked about."""
REWRITING = (
    "extra_body",
    "additional_drop_params",
    "drop_params",
    "allowed_openai_params",
    "prompt_id",
    "prompt_variables",
)
"""Fields by which LiteLLM would send another request than the one that was read and changed here."""
STATED = ("user", "organisation", "key", "application", "use_case", "region", "tier", "platform")
NOT_SERVED = refusals.error("endpoint_not_served", "This gateway serves no such endpoint.")
LOST = object()
"""Nobody knows what was decided about the request."""
_passage: ContextVar[object] = ContextVar("irapp_passage", default=LOST)


class RefusalException(ProxyException):
    """A refusal as LiteLLM's server turns it into an answer: our error object, unchanged."""

    def __init__(self, refused: RefusedError) -> None:
        told = refused.body["error"]
        super().__init__(told["message"], told["type"], None, refused.status, headers=dict(refused.headers))
        self._told = dict(told)

    def to_dict(self) -> dict[str, Any]:
        """Give the error object."""
        return self._told


class Door(CustomLogger):
    """Every request of the proxy passes here before it is sent on."""

    enforces_request_content = True  # also the requests inside of batch files

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._counter = Counter()
        refused: dict[str, int] = {}
        self.keeper = Keeper(settings, Prover(self._asked, refused), version=f"litellm {version('litellm')}")
        self.keeper.refused = refused

    async def async_pre_call_hook(
        self,
        user_api_key_dict: UserAPIKeyAuth,
        cache: object,  # noqa: ARG002 - LiteLLM's signature, here and below
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """Refuse a request, or let it pass as the policy wants it."""
        _passage.set(None)
        with self._told():
            self._pass(user_api_key_dict, data, call_type)
        return data

    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: object,  # noqa: ARG002
    ) -> None:
        """Decide again where LiteLLM itself chose another model: an alias, or a fallback after a failure."""
        passage, law = _passage.get(), self.keeper.law
        if not isinstance(passage, Passage) or law is None:
            return
        with self._told():
            for name in _names(kwargs) - {passage.ruling.model}:
                self._decide_again(law, passage.ruling, name)
                passage.went_to(name)

    async def async_post_call_success_hook(
        self,
        data: dict[str, Any],  # noqa: ARG002
        user_api_key_dict: UserAPIKeyAuth,  # noqa: ARG002
        response: Any,
    ) -> Any:
        """Look into an answer in one piece."""
        passage = _passage.get()
        with self._told():
            if passage is LOST and answers.says_something(response):
                self._check_lost()
            return await answers.looked_into(response, passage) if isinstance(passage, Passage) else None

    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],  # noqa: ARG002
        user_api_key_dict: UserAPIKeyAuth,  # noqa: ARG002
        response: object,  # noqa: ARG002
        request_headers: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> dict[str, str] | None:
        """Tell warnings and what was changed."""
        passage = _passage.get()
        return passage.headers if isinstance(passage, Passage) else None

    async def async_post_call_streaming_iterator_hook(
        self,
        user_api_key_dict: UserAPIKeyAuth,  # noqa: ARG002
        response: AsyncIterator[Any],
        request_data: dict[str, Any],
    ) -> AsyncIterator[Any]:
        """Look into a running answer, and end it when the policy says so meanwhile."""
        passage = _passage.get()
        with self._told():
            if passage is LOST:
                self._check_lost()
            if not isinstance(passage, Passage):
                async for chunk in response:
                    yield chunk
                return
            name = request_data.get("_litellm_client_requested_model")
            looking = streams.Looking(passage, name if isinstance(name, str) else "")
            watch = streams.Watch(passage, lambda: self.keeper.law)
            async with aclosing(streams.through(aiter(response), looking, watch)) as chunks:
                async for chunk in chunks:
                    yield chunk

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Count a refusal, and say it as LiteLLM does."""
        try:
            yield
        except RefusedError as refused:
            self.keeper.note_refused(refused.correction)
            raise RefusalException(refused) from None

    def _check_lost(self) -> None:
        """Let no answer pass unread of which nobody knows any more what was decided."""
        law = self.keeper.law
        if law is None or any(isinstance(item.effect, policy.OutputFilter) for item in law.corrections):
            raise RefusedError(503, refusals.FAILED)

    def _decide_again(self, law: Law, ruling: Ruling, model: str) -> None:
        """Let an answer by another model pass only as it is: what would have to be changed is refused."""
        asked = at_model(ruling.attributes, model)
        counted = frozenset(each.correction for each in ruling.verdict.limits)
        now, at = datetime.now(UTC), time.monotonic()
        again = law.rule(asked, now=now, counter=self._counter, at=at, counted=counted)
        if not again.done_by(ruling):
            raise RefusedError(503, refusals.UNAVAILABLE)

    def _pass(self, key: Any, data: dict[str, Any], call_type: str) -> None:
        endpoint = ENDPOINTS.get(call_type)
        if endpoint is None:
            if call_type in self._settings.unguarded:
                return
            raise RefusedError(404, NOT_SERVED)
        law = self.keeper.law
        if law is None:
            raise RefusedError(503, refusals.CLOSED)
        _passage.set(self._rule(law, key, data, endpoint=endpoint, counter=self._counter, tell=self._found))

    def _rule(
        self, law: Law, key: Any, data: dict[str, Any], *, endpoint: str, counter: Counter, tell: Tell
    ) -> Passage:
        sent = data.get("proxy_server_request") or {}
        _check_choice(sent.get("body") or {})
        for body in (sent.get("body") or {}, data):
            _check_spelling(body)
        headers = {str(name).lower(): str(value) for name, value in (sent.get("headers") or {}).items()}
        asked = attributes(key, data, endpoint=endpoint, headers=_measured(headers, sent.get("body")))
        ruling = law.rule(asked, now=datetime.now(UTC), counter=counter, at=time.monotonic())
        passage = Passage(law, ruling, tell)
        law.read(data, ruling, passage.findings)
        law.write(data, ruling)
        return passage

    def _found(self, _passage: Passage, item: policy.Correction, what: What) -> None:
        """Count what a filter withheld, or would have."""
        where_refused = isinstance(item.effect, policy.OutputFilter) and what == "blocked"
        if what == "shadow" or where_refused:
            self.keeper.note_refused(item.id)

    def _asked(self, law: Law, plan: probes.Plan, counter: Counter) -> Probed:
        """Put a probe to this door, under the identity that it names."""
        who = plan.attributes
        stated = {name: getattr(who, name) for name in STATED}
        data: dict[str, Any] = body_of(plan)
        data["proxy_server_request"] = {"headers": {"content-length": str(len(plan.body))}}
        key = UserAPIKeyAuth(metadata={"irapp": stated})
        passage = self._rule(law, key, data, endpoint=who.endpoint, counter=counter, tell=lambda *_: None)
        return Probed(passage, data)


def _check_choice(body: Mapping[str, Any]) -> None:
    for name in (*CHOOSING, *REWRITING):
        if name in body:
            why = "chooses models by itself" if name in CHOOSING else "sends only what it has read"
            told = f"{name}: this gateway {why}."
            raise RefusedError(400, refusals.error("invalid_request", told))


def _check_spelling(body: Mapping[str, Any]) -> None:
    """Refuse a name that the model's server could read as another one, which was not looked at here."""
    name = misspelt(body)
    if name is not None:
        told = f"The request body is not acceptable JSON: {name!r} differs from a name by case only."
        raise RefusedError(400, refusals.error("invalid_json", told))


def _measured(headers: Mapping[str, str], body: object) -> Mapping[str, str]:
    """A body that came in chunks has no length of its own, whatever it says: measure what was read."""
    if body is None or ("content-length" in headers and "transfer-encoding" not in headers):
        return headers
    return {**headers, "content-length": str(len(json.dumps(body, default=str)))}


def _names(kwargs: Mapping[str, Any]) -> set[str]:
    """Give the public names of the model that LiteLLM is about to ask: as routed, and as configured."""
    noted = [kwargs.get(name) or {} for name in ("litellm_metadata", "metadata")]
    found = [each.get(name) for each in noted for name in ("model_group", "deployment_model_name")]
    return {name for name in found if isinstance(name, str) and name}


def _begun() -> Door:
    running = Door(from_environment(os.environ))
    running.keeper.start()
    return running


def __getattr__(name: str) -> Door:
    """Begin when LiteLLM asks for the door, not when somebody reads this file."""
    if name != "door":
        raise AttributeError(name)
    globals()["door"] = _begun()
    return globals()["door"]  # type: ignore[no-any-return]
