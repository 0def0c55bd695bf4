"""A word-level Markov model, trained in a blink at start from ``corpus.txt``.

It writes word by word: what follows depends on the words before it, at best ``order`` of them, on fewer
where the longer context was never seen.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

CORPUS = Path(__file__).with_name("corpus.txt")
ORDERS = {"aurora-large": 3, "aurora-small": 2}
"""The models this server carries, and how many words back each of them looks."""
END = "\n"
WORD = re.compile(r"[\w'-]+|[^\w\s]")
SHORTEN = 0.1
"""How often a shorter context is used although the longer one is known: otherwise it would only quote."""
LONGEST = 40
"""Words after which a sentence is cut off: without chance, a model can run in circles."""
TELLING = 4
"""Shorter words say little about what a prompt is about; neither do these:"""
VAGUE = {
    "about",
    "could",
    "from",
    "give",
    "have",
    "please",
    "some",
    "tell",
    "that",
    "this",
    "what",
    "when",
    "with",
}

Context = tuple[str, ...]


def tokens(text: str) -> list[str]:
    """Split text into what the model counts as tokens: words and punctuation marks."""
    return WORD.findall(text)


class Language:
    """What one model knows."""

    def __init__(self, sentences: Sequence[Sequence[str]], *, order: int) -> None:
        self.order = order
        self._follows: dict[Context, Counter[str]] = defaultdict(Counter)
        self._openings: dict[str, list[Context]] = defaultdict(list)
        self._starts = [tuple(sentence[:order]) for sentence in sentences]
        for sentence in sentences:
            self._learn(sentence)

    def write(self, prompt: str, *, random: Random, sentences: int, greedy: bool = False) -> Iterator[str]:
        """Give the words of an answer about the prompt, one by one."""
        for _ in range(sentences):
            yield from self._sentence(self._opening(prompt, random), random=random, greedy=greedy)

    def go_on(self, prompt: str, *, random: Random, sentences: int, greedy: bool = False) -> Iterator[str]:
        """Give the words that could follow the last words of the prompt."""
        before = tuple(tokens(prompt))[-self.order :]
        if self._options(before, random=None):
            yield from self._continue(list(before), random=random, greedy=greedy)
            sentences -= 1
        yield from self.write(prompt, random=random, sentences=sentences, greedy=greedy)

    def _learn(self, sentence: Sequence[str]) -> None:
        words = [*sentence, END]
        for position in range(1, len(words)):
            for length in range(1, min(self.order, position) + 1):
                self._follows[tuple(words[position - length : position])][words[position]] += 1
        for word in {word.lower() for word in sentence}:
            self._openings[word].append(tuple(sentence[: self.order]))

    def _opening(self, prompt: str, random: Random) -> Context:
        """Begin as a sentence begins that has one of the prompt's rarest words in it."""
        words = {word for word in map(str.lower, tokens(prompt)) if word in self._openings}
        telling = {word for word in words if len(word) >= TELLING} - VAGUE
        rare = sorted(telling, key=lambda word: (len(self._openings[word]), word))[:3]
        return random.choice(self._openings[random.choice(rare)] if rare else self._starts)

    def _sentence(self, opening: Context, *, random: Random, greedy: bool) -> Iterator[str]:
        yield from opening
        yield from self._continue(list(opening), random=random, greedy=greedy)

    def _continue(self, written: list[str], *, random: Random, greedy: bool) -> Iterator[str]:
        for _ in range(LONGEST):
            options = self._options(tuple(written), random=None if greedy else random)
            word = options.most_common(1)[0][0] if greedy else _draw(options, random)
            if word == END:
                return
            written.append(word)
            yield word

    def _options(self, before: Context, *, random: Random | None) -> Counter[str]:
        for length in range(min(self.order, len(before)), 0, -1):
            options = self._follows.get(before[-length:])
            if options and (length == 1 or random is None or random.random() >= SHORTEN):
                return options
        return Counter()


def joined(words: Sequence[str]) -> list[str]:
    """Give each word with the space that belongs before it, except before the first."""
    return [
        word if position == 0 or not word[0].isalnum() else f" {word}" for position, word in enumerate(words)
    ]


@lru_cache
def load(model: str) -> Language:
    """Train the named model, once per process."""
    lines = CORPUS.read_text().splitlines()
    sentences = [tokens(line) for line in lines if line and not line.startswith("#")]
    return Language(sentences, order=ORDERS[model])


def _draw(options: Counter[str], random: Random) -> str:
    return random.choices(list(options), weights=list(options.values()))[0]
