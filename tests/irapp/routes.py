"""Every address there is, for promises that hold for all of them."""

from typing import NamedTuple

from django.urls import URLPattern, get_resolver, reverse

SAMPLES = {"uidb64": "MQ", "token": "x", "form": "md", "code": "threat", "digest": f"sha256:{0:064}"}
KINDS = {"audit:export": "csv"}


class Route(NamedTuple):
    """A named address and what it takes."""

    name: str
    takes: tuple[str, ...]

    def url(self, pk=1):
        given = {"kind": KINDS.get(self.name, "threats"), **SAMPLES}
        return reverse(self.name, kwargs={one: given.get(one, pk) for one in self.takes})


def routes():
    """Every route of the project; one without a name could not be listed, and so is refused."""
    return sorted(set(_walk(get_resolver().url_patterns, "")))


def _walk(patterns, namespace):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            assert pattern.name, pattern
            yield Route(f"{namespace}{pattern.name}", tuple(pattern.pattern.regex.groupindex))
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, inner)
