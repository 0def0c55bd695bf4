"""``irapp-policy verify``: whether this is what was signed, and everything is there that it names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from enforcement import policy
from enforcement.cli import files


@dataclass(frozen=True)
class Verified:
    """What was found; ``problems`` is empty when all is well."""

    signed: policy.Policy | None
    problems: list[str] = field(default_factory=list)
    attachments: dict[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, object]:
        """The result as data."""
        held = self.signed
        return {
            "verified": not self.problems,
            "problems": self.problems,
            "version": held.version if held else None,
            "digest": held.digest if held else None,
            "key_id": held.key_id if held else None,
            "corrections": len(held.content.corrections) if held else None,
            "kinds": _kinds(held.content) if held else {},
            "attachments": self.attachments,
        }

    def lines(self) -> list[str]:
        """The result in words."""
        if self.signed is None:
            return [f"NOT VERIFIED: {self.problems[0]}"]
        kinds = ", ".join(f"{count} {kind}" for kind, count in _kinds(self.signed.content).items())
        return [
            "NOT COMPLETE" if self.problems else "verified",
            f"version      {self.signed.version}",
            f"digest       {self.signed.digest}",
            f"key          {self.signed.key_id}",
            f"corrections  {len(self.signed.content.corrections)}" + (f" ({kinds})" if kinds else ""),
            *(f"attachment   {address}  {state}" for address, state in self.attachments.items()),
            *(f"problem      {problem}" for problem in self.problems),
        ]


def verify(path: str, *, keys: str, folder: files.Folder | None) -> Verified:
    """Verify a policy file, and the attachments where a folder of them is given."""
    trusted = files.keys(keys)
    try:
        signed = policy.verify(files.raw(path), keys=trusted)
    except policy.PolicyError as error:
        return Verified(None, [str(error)])
    named = sorted(policy.attachments(signed.content))
    if folder is None:
        return Verified(signed, [], dict.fromkeys(named, "not looked at"))
    states = {address: _state(address, signed.content, folder) for address in named}
    problems = [f"{address}: {state}" for address, state in states.items() if not state.startswith("there")]
    return Verified(signed, problems, states)


def _state(address: str, content: policy.Content, folder: files.Folder) -> str:
    try:
        found = folder.bytes_of(address)
        if found is None:
            return "missing"
        lists = [each for item in content.corrections for each in item.users.lists]
        counts = [each.count for each in lists if each.attachment == address]
        return _list_state(found, counts) if counts else _patterns_state(found)
    except policy.PolicyError as error:
        return str(error)


def _list_state(found: bytes, counts: list[int]) -> str:
    names = policy.read_subject_list(found)
    wrong = next((count for count in counts if count != len(names)), None)
    return f"there, {len(names)} names" if wrong is None else f"{len(names)} names, the policy says {wrong}"


def _patterns_state(found: bytes) -> str:
    patterns = policy.parse(found, policy.PatternSet)
    return f"there, {len(patterns.patterns)} patterns of “{patterns.name}” version {patterns.version}"


def _kinds(content: policy.Content) -> dict[str, int]:
    return dict(sorted(Counter(kind_of(item) for item in content.corrections).items()))


def kind_of(item: policy.Correction) -> str:
    """Give the kind of a correction by its name."""
    return str(item.effect.__struct_config__.tag)
