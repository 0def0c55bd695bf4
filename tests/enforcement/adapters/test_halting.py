"""Running streams at the real LiteLLM proxy, and corrections that end them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from tests.enforcement.adapters.echo import script
from tests.enforcement.adapters.proxy import correction
from tests.patience import wait_for

LARGE = policy.Functionality(models=("aurora-large",))
ECHO = policy.Functionality(models=("echo",))
SOON = 2.0
SILENT = {"stream": True, "messages": [{"role": "user", "content": script("Well", "...", pause=12)}]}


def suspended(fallback):
    """Suspend, with another model for acme, whose are all callers here."""
    return policy.Suspend(fallback_models=(policy.CustomerFallback(organisation="acme", model=fallback),))


class Streams:
    """Streams of a model that falls silent after its first word; each notes when it ends."""

    def __init__(self, proxy, model_requests, *asked):
        self.ended, before = {}, len(model_requests)
        self._pool = ThreadPoolExecutor(len(asked))
        self._running = [self._pool.submit(self._listen, proxy, *each) for each in asked]
        wait_for(lambda: len(model_requests) == before + len(asked), 30, told="the model was not asked")
        time.sleep(0.5)

    def _listen(self, proxy, who, model):
        answer = proxy.ask(who, model, **SILENT)
        self.ended.setdefault(who, []).append((time.monotonic(), answer))

    def end(self):
        self._pool.shutdown()


@pytest.fixture
def streams(proxy, model_requests):
    found = []

    def begin(*asked):
        found.append(Streams(proxy, model_requests, *asked))
        return found[-1].ended

    yield begin
    proxy.enforce(correction(9, policy.Halt(), functionality=ECHO))  # whoever still listens
    for each in found:
        each.end()


def test_many_streams_of_a_silent_model_end_at_once_and_others_run_on(proxy, streams):
    proxy.enforce()
    ended = streams(*[("alice", "echo")] * 20, ("bob", "echo"))

    begun = time.monotonic()
    proxy.enforce(correction(1, policy.Halt(), functionality=ECHO, users=policy.Users(users=("alice",))))
    wait_for(lambda: len(ended.get("alice", ())) == 20, 20, told="not all streams have ended")

    assert max(at for at, _ in ended["alice"]) - begun < SOON
    assert all("halted" in answer.raw.decode() for _, answer in ended["alice"])
    assert "bob" not in ended


@pytest.mark.parametrize(
    "effect",
    [policy.Halt(), suspended("aurora-small")],
    ids=["halt", "suspend with a fallback"],
)
def test_the_model_that_answers_counts_as_the_one_that_was_asked(proxy, streams, effect):
    away = correction(1, policy.Downgrade(fallback_model="echo"), functionality=LARGE)
    proxy.enforce(away)
    ended = streams(("alice", "aurora-large"))

    proxy.enforce(away, correction(2, effect, functionality=ECHO, running_streams="end"))

    wait_for(lambda: "alice" in ended, SOON, told="the stream runs on")


def test_a_start_by_the_clock_ends_streams_without_any_news(proxy, streams):
    soon = datetime.now(UTC) + timedelta(seconds=4)
    proxy.enforce(correction(1, policy.Halt(), functionality=ECHO, starts_at=soon))
    ended = streams(("alice", "echo"))
    assert not ended

    wait_for(lambda: "alice" in ended, 10, told="the stream runs on")

    assert datetime.now(UTC) - soon < timedelta(seconds=SOON)


def test_what_held_already_when_it_began_does_not_end_a_stream(proxy, streams):
    effect = suspended("echo")
    held = correction(1, effect, functionality=LARGE, running_streams="end")
    proxy.enforce(held)
    ended = streams(("alice", "aurora-large"))

    proxy.enforce(held, correction(2, policy.Halt(), functionality=ECHO, users=policy.Users(users=("bob",))))
    time.sleep(1)

    assert not ended


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
@pytest.mark.parametrize("effect", [policy.Halt(), policy.Suspend()])
def test_running_answers_of_a_halted_scope_end_and_others_run_on(proxy, effect, path):
    proxy.enforce()
    found, said = {}, "Tell me everything about restoration, at length."
    body = {"stream": True, **({"input": said} if "responses" in path else {})}
    if "input" not in body:
        body |= {"messages": [{"role": "user", "content": said}], "max_tokens": 400}

    def listen(user, name):
        found[user] = proxy.ask(user, name, path=path, **body)

    asked = (("alice", "aurora-large"), ("bob", "aurora-small"))
    threads = [threading.Thread(target=listen, args=each) for each in asked]
    for thread in threads:
        thread.start()
    time.sleep(0.5)

    proxy.enforce(correction(1, effect, functionality=LARGE, running_streams="end"))
    for thread in threads:
        thread.join()

    halted, other = found["alice"].raw.decode(), found["bob"].raw.decode()
    message = "halted" if isinstance(effect, policy.Halt) else "suspended"
    assert message in halted, halted[-600:]
    assert message not in other
