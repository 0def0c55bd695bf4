"""The attachments of a policy, verified and made ready to use, each once."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import structlog

from enforcement import policy
from enforcement.patterns import Compiled, SyntaxProblemError, compiled

log = structlog.get_logger()


class Attached:
    """What stands in the folder of attachments; a policy in the making is prepared off the hot path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lists: dict[str, frozenset[str]] = {}
        self._patterns: dict[str, Compiled] = {}

    def subjects(self, address: str) -> Collection[str]:
        """Give the names of a list.

        :raises PolicyError: it is not at hand.
        """
        if address not in self._lists:
            self._lists[address] = policy.read_subject_list(self._read(address))
        return self._lists[address]

    def patterns(self, address: str) -> Compiled:
        """Give a set of patterns, compiled.

        :raises PolicyError: it is not at hand, or cannot be used.
        """
        if address not in self._patterns:
            try:
                found = policy.parse(self._read(address), policy.PatternSet)
                self._patterns[address] = compiled(found)
            except SyntaxProblemError as error:
                raise policy.PolicyError(f"{address}: {error}") from error
        return self._patterns[address]

    def prepare(self, content: policy.Content) -> None:
        """Make ready what the policy names, and forget the rest; what is missing is missed when asked for."""
        wanted = policy.attachments(content)
        for kept in (self._lists, self._patterns):
            for address in [each for each in kept if each not in wanted]:
                del kept[address]
        for item in content.corrections:
            self._prepare(item)

    def _prepare(self, item: policy.Correction) -> None:
        try:
            for each in item.users.lists:
                self.subjects(each.attachment)
            if isinstance(item.effect, policy.InputFilter | policy.OutputFilter):
                self.patterns(item.effect.patterns.attachment)
        except policy.PolicyError as error:
            log.error("attachment_not_usable", correction=item.id, error=str(error))  # noqa: TRY400 - the reason is the message

    def _read(self, address: str) -> bytes:
        try:
            raw = (self._folder / address.removeprefix("sha256:")).read_bytes()
        except OSError as error:
            raise policy.PolicyError(f"{address}: the attachment is not at hand") from error
        if policy.address(raw) != address:
            raise policy.PolicyError(f"{address}: the attachment has other bytes")
        return raw
