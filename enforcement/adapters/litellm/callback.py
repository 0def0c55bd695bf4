"""The callback: name ``enforcement.adapters.litellm.callback.door`` in LiteLLM's ``callbacks``."""

from __future__ import annotations

import asyncio
import os
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
from enforcement.adapters.litellm.charging import Figures
from enforcement.adapters.litellm.counting import Counting
from enforcement.adapters.litellm.identity import attributes
from enforcement.adapters.litellm.keeping import Keeper
from enforcement.adapters.litellm.passing import Passage, admitted
from enforcement.adapters.litellm.proving import Probed, Prover, body_of
from enforcement.adapters.litellm.ruling import Law, RefusedError, at_model
from enforcement.adapters.litellm.sent import headers_of
from enforcement.adapters.litellm.settings import Settings, from_environment
from enforcement.adapters.litellm.telling import Ledger

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
        self._counting = Counting(settings.counting)
        self._charging: set[asyncio.Task[None]] = set()
        ledger = Ledger(settings.gateway)
        prove = Prover(self._asked, ledger.refused, self._counting)
        running = f"litellm {version('litellm')}"
        self.keeper = Keeper(settings, prove, ledger, counting=self._counting, version=running)

    async def async_pre_call_hook(
        self,
        user_api_key_dict: UserAPIKeyAuth,
        cache: object,  # noqa: ARG002 - LiteLLM's signature, here and below
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """Refuse a request, or let it pass as the policy wants it."""
        _passage.set(None)
        with _said():
            _passage.set(await self._pass(user_api_key_dict, data, call_type))
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
        with _said(passage):
            for name in _names(kwargs) - {passage.ruling.model}:
                await self._decide_again(law, passage, name)
                passage.went_to(name)

    async def async_post_call_success_hook(
        self,
        data: dict[str, Any],  # noqa: ARG002
        user_api_key_dict: UserAPIKeyAuth,  # noqa: ARG002
        response: Any,
    ) -> Any:
        """Look into an answer in one piece."""
        passage = _passage.get()
        with _said(passage):
            if passage is LOST and answers.says_something(response):
                self._check_lost()
            if not isinstance(passage, Passage):
                return None
            if (figures := passage.figures) is not None:
                figures.read(answers.body_of(response))
                await self._charge(passage, figures)
            instead = await answers.looked_into(response, passage)
            passage.came_to(200)
            return instead

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],  # noqa: ARG002
        original_exception: Exception,
        user_api_key_dict: UserAPIKeyAuth,  # noqa: ARG002
        traceback_str: str | None = None,  # noqa: ARG002
    ) -> None:
        """Note a request that LiteLLM or the model could not serve."""
        passage = _passage.get()
        if isinstance(passage, Passage) and not passage.noted:
            status = getattr(original_exception, "status_code", None)
            passage.came_to(status if isinstance(status, int) else 500)

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
        with _said(passage):
            if passage is LOST:
                self._check_lost()
            if not isinstance(passage, Passage):
                async for chunk in response:
                    yield chunk
                return
            passage.came_to(200)
            name = request_data.get("_litellm_client_requested_model")
            looking = streams.Looking(passage, name if isinstance(name, str) else "")
            watch = streams.Watch(passage, lambda: self.keeper.law)
            try:
                async with aclosing(streams.through(aiter(response), looking, watch)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            finally:
                await self._charge(passage, looking.figures)

    async def _charge(self, passage: Passage, figures: Figures | None) -> None:
        """Count what an answer has taken, to the end: who hangs up has all cancelled that waits."""
        task = asyncio.create_task(passage.charge(figures, self._counting))
        self._charging.add(task)
        task.add_done_callback(self._charging.discard)
        await asyncio.shield(task)

    def _check_lost(self) -> None:
        """Let no answer pass unread of which nobody knows any more what was decided."""
        law = self.keeper.law
        if law is None or any(isinstance(item.effect, policy.OutputFilter) for item in law.corrections):
            raise RefusedError(503, refusals.FAILED)

    async def _decide_again(self, law: Law, passage: Passage, model: str) -> None:
        """Let an answer by another model pass only as it is: what would have to be changed is refused."""
        again = law.rule(at_model(passage.ruling.attributes, model), now=datetime.now(UTC))
        await passage.count(law.limits(again), self._counting, law)
        if not again.done_by(passage.ruling):
            raise RefusedError(503, refusals.UNAVAILABLE)

    async def _pass(self, key: Any, data: dict[str, Any], call_type: str) -> Passage | None:
        endpoint = ENDPOINTS.get(call_type)
        if endpoint is None:
            if call_type in self._settings.unguarded:
                return None
            raise RefusedError(404, NOT_SERVED)
        law = self.keeper.law
        if law is None:
            raise RefusedError(503, refusals.CLOSED)
        asked = attributes(key, data, endpoint=endpoint, headers=headers_of(data))
        await self._counting.begin()
        return await admitted(law, asked, data, counting=self._counting, ledger=self.keeper.ledger)

    async def _asked(self, law: Law, plan: probes.Plan, counting: Counting) -> Probed:
        """Put a probe to this door, under the identity that it names."""
        who = plan.attributes
        stated = {name: getattr(who, name) for name in STATED}
        data: dict[str, Any] = body_of(plan)
        data["proxy_server_request"] = {"headers": {"content-length": str(len(plan.body))}}
        key = UserAPIKeyAuth(metadata={"irapp": stated})
        asked = attributes(key, data, endpoint=who.endpoint, headers=headers_of(data))
        return Probed(await admitted(law, asked, data, counting=counting), data)


@contextmanager
def _said(passage: object = None) -> Iterator[None]:
    """Note a refusal, and say it as LiteLLM does."""
    try:
        yield
    except RefusedError as refused:
        if isinstance(passage, Passage):
            passage.came_to(refused.status, refused.correction)
        raise RefusalException(refused) from None


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
