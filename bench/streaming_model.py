"""A model that streams words as fast as one can and asks little of the machine: for measurements.

    python -m bench.streaming_model <port>

``max_tokens`` of the request is the number of words; ``metadata.pause_ms`` the pause after each.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

WORDS = "the quick brown fox jumps over the lazy dog and tells a long story about rivers and towns".split()  # noqa: SIM905
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def chunk(raw: bytes) -> bytes:
    """Write one chunk of HTTP/1.1."""
    return b"%x\r\n%s\r\n" % (len(raw), raw)


def event(word: str) -> bytes:
    """Write one word as a chat server does."""
    delta = {"index": 0, "delta": {"content": f" {word}"}, "logprobs": None, "finish_reason": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return chunk(b"data: " + json.dumps({**head, "choices": [delta]}).encode() + b"\n\n")


EVENTS = [event(word) for word in WORDS]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            found = _LENGTH.search(head)
            body = json.loads(await reader.readexactly(int(found[1]) if found else 0))
            await answer(writer, body["max_tokens"], body["metadata"]["pause_ms"] / 1000)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def answer(writer: asyncio.StreamWriter, words: int, pause: float) -> None:
    """Stream so many words."""
    writer.write(HEAD)
    for number in range(words):
        writer.write(EVENTS[number % len(EVENTS)])
        await writer.drain()
        await asyncio.sleep(pause)
    writer.write(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    await writer.drain()


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
