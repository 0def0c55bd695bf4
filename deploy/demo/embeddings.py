"""Embeddings by feature hashing: texts with the same words lie near each other, nothing cleverer."""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from deploy.demo import language

if TYPE_CHECKING:
    from deploy.demo.asked import Embedding

DIMENSIONS = 256


def embed(text: str) -> list[float]:
    """Give the unit vector of a text."""
    vector = [0.0] * DIMENSIONS
    for word in map(str.lower, language.tokens(text)):
        number = int.from_bytes(blake2b(word.encode(), digest_size=8).digest())
        vector[number % DIMENSIONS] += 1.0 if number >> 63 else -1.0
    length = math.hypot(*vector) or 1.0
    return [value / length for value in vector]


def body(asked: Embedding) -> dict[str, Any]:
    """Give the whole answer to a request for embeddings."""
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    encode = _base64 if asked.encoding_format == "base64" else list
    count = sum(len(language.tokens(text)) for text in texts)
    return {
        "object": "list",
        "model": asked.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(embed(text))}
            for index, text in enumerate(texts)
        ],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }


def _base64(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
