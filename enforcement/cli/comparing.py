"""``irapp-policy diff``: what a second policy says otherwise than a first one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from enforcement import policy
from enforcement.cli.files import Folder
from enforcement.cli.verifying import kind_of

SHOWN = 5


@dataclass(frozen=True)
class Change:
    """One field. For lists of names, what came and what went, with a few examples of each."""

    field: str
    before: object
    after: object
    added: int = 0
    removed: int = 0
    examples_added: tuple[str, ...] = ()
    examples_removed: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The change in words."""
        if not (self.added or self.removed):
            same = self.before == self.after
            said = (
                "the same names in other lists" if same else f"{_plain(self.before)} → {_plain(self.after)}"
            )
            return f"{self.field}: {said}"
        parts = [
            *([f"+{self.added} ({_few(self.examples_added, self.added)})"] if self.added else []),
            *([f"-{self.removed} ({_few(self.examples_removed, self.removed)})"] if self.removed else []),
        ]
        return f"{self.field}: {' '.join(parts)}"


@dataclass(frozen=True)
class Changed:
    """A correction that both policies hold, perhaps in another version."""

    before: str
    after: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Difference:
    """Everything; empty when both say the same."""

    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    changed: tuple[Changed, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    @property
    def facts(self) -> dict[str, object]:
        """The difference as data."""
        return {"same": not self, **asdict(self)}

    def lines(self) -> Iterator[str]:
        """The difference in words."""
        if not self:
            yield "the same"
        yield from (f"+ {name}  {kind}" for name, kind in self.added)
        yield from (f"- {name}  {kind}" for name, kind in self.removed)
        for each in self.changed:
            yield f"~ {each.before}" + (f" → {each.after}" if each.after != each.before else "")
            yield from (f"    {change.text}" for change in each.changes)


def compare(old: policy.Content, new: policy.Content, *, folder: Folder) -> Difference:
    """Compare by content. A correction is the same one in all its versions."""
    before, after = _by_reference(old), _by_reference(new)
    both = sorted(before.keys() & after.keys())
    changed = (_changed(before[name], after[name], folder) for name in both)
    return Difference(
        added=_listed(after, before),
        removed=_listed(before, after),
        changed=tuple(each for each in changed if each.changes or each.before != each.after),
    )


def _by_reference(content: policy.Content) -> dict[str, policy.Correction]:
    """Key by reference; where a policy holds two versions of one, by id."""
    references = [item.reference for item in content.corrections]
    return {
        item.reference if references.count(item.reference) == 1 else item.id: item
        for item in content.corrections
    }


def _listed(
    these: dict[str, policy.Correction], not_those: dict[str, policy.Correction]
) -> tuple[tuple[str, str], ...]:
    return tuple((these[name].id, kind_of(these[name])) for name in sorted(these.keys() - not_those.keys()))


def _changed(before: policy.Correction, after: policy.Correction, folder: Folder) -> Changed:
    changes = [
        _change(name, old, new)
        for name, old, new in _differing(_flat(before), _flat(after))
        if name not in {"id", "users.lists"}
    ]
    changes += _lists(before.users.lists, after.users.lists, folder)
    return Changed(before.id, after.id, tuple(changes))


def _differing(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _flat(value: object, path: str = "") -> dict[str, Any]:
    plain = msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value
    if not isinstance(plain, dict):
        return {path: plain}
    found: dict[str, Any] = {}
    for name, inner in plain.items():
        found |= _flat(inner, f"{path}.{name}" if path else name)
    return found


def _change(name: str, before: object, after: object) -> Change:
    if _names(before) and _names(after):
        return _of_names(name, frozenset(before), frozenset(after))  # type: ignore[call-overload]
    return Change(name, before, after)


def _names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _of_names(name: str, before: frozenset[str], after: frozenset[str]) -> Change:
    came, went = sorted(after - before), sorted(before - after)
    return Change(
        field=name,
        before=len(before),
        after=len(after),
        added=len(came),
        removed=len(went),
        examples_added=tuple(came[:SHOWN]),
        examples_removed=tuple(went[:SHOWN]),
    )


def _lists(
    before: tuple[policy.SubjectList, ...], after: tuple[policy.SubjectList, ...], folder: Folder
) -> Iterator[Change]:
    for of in ("user", "organisation", "key"):
        old = [each for each in before if each.of == of]
        new = [each for each in after if each.of == of]
        if {each.attachment for each in old} != {each.attachment for each in new}:
            yield _of_lists(f"users.lists ({of})", old, new, folder)


def _of_lists(
    name: str, old: list[policy.SubjectList], new: list[policy.SubjectList], folder: Folder
) -> Change:
    """Compare who stands in the lists; only how many, where the lists are not at hand."""
    try:
        return _of_names(name, _whole(old, folder), _whole(new, folder))
    except policy.PolicyError:
        return Change(name, _summary(old), _summary(new))


def _whole(lists: list[policy.SubjectList], folder: Folder) -> frozenset[str]:
    return frozenset[str]().union(*(folder.subjects(each.attachment) for each in lists))


def _summary(lists: list[policy.SubjectList]) -> str:
    return ", ".join(f"{each.count} in {each.attachment[:19]}…" for each in lists) or "none"


def _plain(value: object) -> str:
    return "none" if value in (None, "", [], ()) else str(value)


def _few(examples: tuple[str, ...], count: int) -> str:
    return ", ".join(examples) + (", …" if count > len(examples) else "")
