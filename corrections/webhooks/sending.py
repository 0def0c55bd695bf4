"""One POST to the address that was checked; redirects are not followed, answers are read up to a limit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import urllib3
from django.conf import settings

from corrections.webhooks import addresses

CONNECT, READ, WHOLE = 3.0, 7.0, 12.0
ANSWER_LIMIT: Final = 64 * 1024


class SendError(Exception):
    """Nothing came back that could be read."""


@dataclass(frozen=True)
class Answer:
    """What the receiver said."""

    status: int
    body: bytes


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send a message.

    :raises SendError: the host cannot be found or may not be sent to, or it does not answer in time.
    """
    target = addresses.parse(url)
    try:
        found = addresses.resolve(target)
    except addresses.AddressError as error:
        raise SendError(str(error)) from error
    sent = {**headers, "Host": target.host_header}
    give_up = time.monotonic() + WHOLE
    try:
        with _pool(target, found[0]) as pool:
            response = pool.urlopen(
                "POST",
                target.path,
                body=body,
                headers=sent,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            return Answer(response.status, _read(response, give_up))
    except urllib3.exceptions.HTTPError as error:
        raise SendError(_in_words(error)) from error


def _pool(target: addresses.Target, address: str) -> urllib3.HTTPConnectionPool:
    """Connect to the very address that was looked at; the certificate must be the host's."""
    timeout = urllib3.Timeout(connect=CONNECT, read=READ)
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(address, target.port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address,
        target.port,
        timeout=timeout,
        cert_reqs="CERT_REQUIRED",
        ca_certs=settings.WEBHOOK_CA_FILE or None,
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _read(response: urllib3.BaseHTTPResponse, give_up: float) -> bytes:
    """Read an answer that may come slowly, but not for ever."""
    chunks, size = [], 0
    while chunk := response.read1(ANSWER_LIMIT):
        size += len(chunk)
        if size > ANSWER_LIMIT:
            raise SendError(f"Its answer is longer than {ANSWER_LIMIT} bytes.")
        if time.monotonic() > give_up:
            raise SendError("Its answer takes too long.")
        chunks.append(chunk)
    response.release_conn()
    return b"".join(chunks)


def _in_words(error: urllib3.exceptions.HTTPError) -> str:
    cause = error.__cause__ or (error.args[-1] if error.args else error)
    return f"It does not answer: {cause}"
