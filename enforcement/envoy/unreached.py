"""Callers whom no correction can reach: their requests go past the script.

The key filter hands on who is calling with a mark; the filter of corrections lets a request past only if the
mark is the tag that it was rendered with. The tag is the digest of exactly the marked callers, so it does not
matter which of the two files Envoy takes first: a mark that belongs to another set of callers means nothing,
and the script decides. See ``docs/decisions/0014``.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import chain
from pathlib import Path

from enforcement import policy
from enforcement.decide import NAMED, Attributes, concerns
from enforcement.envoy import lists
from enforcement.envoy.gateway import Client, Gateway
from enforcement.envoy.types import any_of

CLIENTS_MOST = 5_000
"""With more clients nobody is marked: marking them anew would keep Envoy from what matters."""
SAMPLE, BUSY_SAMPLE = 8, 256
"""Of so many requests of such callers, and of those among them who are busy, one is noted for all."""
_NOTED, _NOTED_OF_BUSY = ("0", "8"), ("00",)
"""Those whose request id ends so, in digits of sixteen: Envoy has drawn it anyhow, and to draw again would
cost a fifth of what the script does."""
UNMARKED, BUSY = "-", "+"
MATCHING = "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher"
_SCOPED = {"applications": "application", "use_cases": "use_case", "platforms": "platform"}
_HEADER = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"

Filter = dict[str, object]


def unreached(
    gateway: Gateway, content: policy.Content, rendered: Mapping[str, lists.Rendered]
) -> frozenset[Client]:
    """Give the clients none of whose requests any correction can reach, whenever it binds.

    Nobody, where a correction asks every request for its model.
    """
    if len(gateway.clients) > CLIENTS_MOST or any(_asks_everybody(item) for item in content.corrections):
        return frozenset()
    left = set(gateway.clients)
    found, subjects = _Index(gateway.clients), _Lists(gateway.folder / lists.FOLDER, rendered)
    for item in content.corrections:
        endpoint = next(iter(item.functionality.endpoints), "")
        for client in found.candidates(item):
            if client in left and concerns(item, found.calling(client, endpoint), subjects):
                left.discard(client)
    return frozenset(left)


def tag(clients: Iterable[Client]) -> str:
    """Name a set of clients by its content; nobody has no name."""
    lines = sorted(client.line for client in clients)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32] if lines else ""


def past(script: Filter, mark: str) -> Filter:
    """Wrap the filter that runs the script, so that requests of marked callers go past it.

    What the mark does not tell, a request must not hold: another path or method, or a declared use case. One
    request of :data:`SAMPLE` or :data:`BUSY_SAMPLE` goes by the script all the same, to be noted.
    """
    skip = {"name": "past", "typed_config": any_of("common.matcher.action.v3.SkipFilter")}
    served = _tree(":path", {path: {"action": skip} for path in policy.ENDPOINTS.values()})
    on_match = {"matcher": _tree(":method", {"POST": {"matcher": served}})}
    unnoted = {f"{mark}{BUSY};": _NOTED_OF_BUSY, f"{mark};": _NOTED}
    matchers = [{"predicate": _unnoted(*each), "on_match": on_match} for each in unnoted.items()]
    return {
        "@type": MATCHING,
        "extension_config": {"name": "script", "typed_config": script},
        "xds_matcher": {"matcher_list": {"matchers": matchers}},
    }


def _unnoted(mark: str, noted: Iterable[str]) -> Filter:
    marked = _one("x-irapp-client", value_match={"prefix": mark})
    declared = _one("irapp-use-case", value_match={"safe_regex": {"google_re2": {}, "regex": "\\C*"}})
    chosen = (_one("x-request-id", value_match={"suffix": digits}) for digits in noted)
    others = ({"not_matcher": each} for each in (declared, *chosen))
    return {"and_matcher": {"predicate": [marked, *others]}}


class _Index:
    """The clients by what corrections name."""

    def __init__(self, clients: Collection[Client]) -> None:
        self._all = tuple(clients)
        self.calling = cache(_calling)
        self._by: dict[tuple[str, str], list[Client]] = defaultdict(list)
        for client in clients:
            for each in {**NAMED, **_SCOPED}.values():
                self._by[each, getattr(client, "key_id" if each == "key" else each)].append(client)

    def candidates(self, item: policy.Correction) -> Iterable[Client]:
        """Give everybody whom the correction could reach, and perhaps more."""
        users, scope = item.users, item.functionality
        if not (users.everyone or users.lists or isinstance(item.effect, policy.Allow)):
            return self._named(users, NAMED)
        narrow = next((field for field in _SCOPED if getattr(scope, field)), None)
        return self._named(scope, {narrow: _SCOPED[narrow]}) if narrow else self._all

    def _named(self, scope: object, fields: Mapping[str, str]) -> Iterable[Client]:
        pairs = ((each, name) for field, each in fields.items() for name in getattr(scope, field))
        return chain.from_iterable(self._by.get(pair, ()) for pair in pairs)


class _Lists:
    """The long lists as they were written for the script."""

    def __init__(self, folder: Path, rendered: Mapping[str, lists.Rendered]) -> None:
        self._folder, self._rendered = folder, rendered
        self.subjects = cache(self._read)

    def _read(self, address: str) -> lists.Table:
        return lists.Table((self._folder / self._rendered[address].name).read_bytes())


def _asks_everybody(item: policy.Correction) -> bool:
    return item.users.everyone and bool(item.functionality.models)


def _calling(client: Client, endpoint: str) -> Attributes:
    return Attributes(
        user=client.user,
        organisation=client.organisation,
        key=client.key_id,
        application=client.application,
        use_case=client.use_case,
        region=client.region,
        tier=client.tier,
        platform=client.platform,
        endpoint=endpoint,
        model="",
    )


def _tree(header: str, found: Mapping[str, object]) -> Filter:
    return {"matcher_tree": {"input": _input(header), "exact_match_map": {"map": found}}}


def _one(header: str, **how: object) -> Filter:
    return {"single_predicate": {"input": _input(header), **how}}


def _input(header: str) -> Filter:
    return {"name": header, "typed_config": {"@type": _HEADER, "header_name": header}}
