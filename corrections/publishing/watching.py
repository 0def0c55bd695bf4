"""The look that is taken every two seconds: what hubs and gateways say, what follows, what is alarming."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from corrections.models import Hub, PolicyVersion
from corrections.publishing import alarms, hubs
from corrections.publishing.client import HubClient, HubError
from corrections.publishing.delivery import hand_over
from corrections.publishing.evaluate import evaluate
from corrections.publishing.reports import take_in

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.publishing.client import Status

ANSWER_WITHIN: Final = 2.0
"""Seconds. All hubs are asked at once, so that one that hangs does not keep the others' news back."""
AT_ONCE: Final = 16


def look() -> None:
    """Compare what is wanted with what hubs hold and gateways show; send again, conclude, raise and clear."""
    newest = PolicyVersion.objects.defer("content").first()
    for url, said in ask(settings.ENFORCEMENT_URLS).items():
        if said is not None and newest is not None and _lacks(url, newest):
            hand_over(url, newest)
    evaluate(now=timezone.now())
    alarms.settle(now=timezone.now())


def ask(urls: list[str]) -> dict[str, Status | None]:
    """Take in what every hub knows; None where it did not answer."""
    asked_at = timezone.now()
    answers = _answers(urls)
    return {url: _noted(url, answers[url], asked_at=asked_at) for url in urls}


def _answers(urls: list[str]) -> dict[str, Status | HubError]:
    """Ask all at once. Threads only speak HTTP; whoever hangs is left to its own time-out."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hubs")
    asked = {url: pool.submit(_status, url) for url in urls}
    done, _ = wait(asked.values(), timeout=ANSWER_WITHIN)
    pool.shutdown(wait=False, cancel_futures=True)
    late = HubError(f"No answer within {ANSWER_WITHIN:.0f} s.")
    return {url: future.result() if future in done else late for url, future in asked.items()}


def _status(url: str) -> Status | HubError:
    try:
        status = HubClient(url).status()
    except HubError as error:
        return error
    return status or HubError("It sent nothing.")


def _noted(url: str, answer: Status | HubError, *, asked_at: datetime) -> Status | None:
    if isinstance(answer, HubError):
        hubs.note_error(url, str(answer), now=asked_at)
        return None
    now = timezone.now()
    hubs.note_policy(url, answer.policy, now=now)
    take_in(answer, now=now)
    return answer


def _lacks(url: str, newest: PolicyVersion) -> bool:
    hub = Hub.objects.get(url=url)
    behind = (hub.policy_version, hub.policy_digest) != (newest.version, newest.digest)
    return behind and hub.conflict_at is None
