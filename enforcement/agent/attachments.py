"""The long lists and pattern sets that policies name: verified, on disk, and read once."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from enforcement import policy
from enforcement.agent import files

_FILE = re.compile(r"[0-9a-f]{64}")
_UNWRITTEN = (errno.EIO, errno.ENOSPC, errno.EDQUOT)
_Stamp = tuple[int, int, int]


class Attachments:
    """The folder of attachments. What it hands out has been verified and understood.

    The content filter reads the same files; they are never changed in place.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stamps: dict[str, _Stamp] = {}
        self._subjects: dict[str, frozenset[str]] = {}
        self._patterns: dict[str, policy.PatternSet] = {}
        self._settled: set[str] = set()

    def subjects(self, address: str) -> frozenset[str]:
        """Give the names of a list.

        :raises PolicyError: it is not at hand, or is no list.
        """
        if address not in self._subjects:
            self._subjects[address] = policy.read_subject_list(self.raw(address))
        return self._subjects[address]

    def patterns(self, address: str) -> policy.PatternSet:
        """Give a set of patterns.

        :raises PolicyError: it is not at hand, or is no such set.
        """
        if address not in self._patterns:
            self._patterns[address] = policy.parse(self.raw(address), policy.PatternSet)
        return self._patterns[address]

    def raw(self, address: str) -> bytes:
        """Give the very bytes.

        :raises PolicyError: they are not at hand.
        """
        try:
            raw = self._path(address).read_bytes()
        except OSError as error:
            raise policy.PolicyError(f"{address}: not at hand: {error.strerror}") from error
        if policy.address(raw) != address:
            raise policy.PolicyError(f"{address}: the file on disk is damaged")
        return raw

    def missing(self, addresses: Iterable[str]) -> list[str]:
        """Name those that are not on disk whole; a file is read again only when it is another one."""
        return sorted(address for address in addresses if not self._is_sound(address))

    def unread(self, addresses: Iterable[str]) -> int:
        """Give how many bytes of these have not been read and understood yet."""
        return sum(self._size(each) for each in addresses if not self._is_known(each))

    def save(self, address: str, raw: bytes, *, durable: bool = True) -> None:
        """Write an attachment down.

        :param durable: on disk before this returns; else with :meth:`settle`, before anybody relies on it.
        :raises PolicyError: the bytes are not what they are called.
        :raises OSError: it is not on disk.
        """
        if policy.address(raw) != address:
            raise policy.PolicyError(f"{address}: the hub sent something else")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(self._path(address), raw, durable=durable)
        self._stamps[address] = _stamp(self._path(address))
        (self._settled.add if durable else self._settled.discard)(address)

    def settle(self, addresses: Iterable[str]) -> None:
        """Bring these to the disk. What an earlier process wrote down may never have come there.

        :raises OSError: something is not on disk. What the disk did not take counts as missing from now on.
        """
        for address in sorted(set(addresses) - self._settled):
            try:
                files.settle(self._path(address))
            except OSError as error:
                if error.errno in _UNWRITTEN:  # else it is whole, and may be one of the policy in force
                    self._path(address).unlink(missing_ok=True)
                raise
            self._settled.add(address)

    def check(self, content: policy.Content) -> None:
        """See that every attachment is of the form in which the policy uses it.

        :raises PolicyError: naming the first that is not.
        """
        for correction in content.corrections:
            for each in correction.users.lists:
                self.subjects(each.attachment)
            if isinstance(correction.effect, policy.InputFilter | policy.OutputFilter):
                self.patterns(correction.effect.patterns.attachment)

    def clean(self, needed: Iterable[str]) -> None:
        """Remove every other one, from disk and from memory."""
        kept = set(needed)
        self._settled &= kept
        for known in (self._stamps, self._subjects, self._patterns):
            for address in [address for address in known if address not in kept]:
                del known[address]
        for path in self._files():
            if f"sha256:{path.name}" not in kept:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from (path for path in self.folder.iterdir() if _FILE.fullmatch(path.name))

    def _is_sound(self, address: str) -> bool:
        try:
            stamp = _stamp(self._path(address))
            if self._stamps.get(address) != stamp:
                self._settled.discard(address)
                self.raw(address)
        except (OSError, policy.PolicyError):
            self._stamps.pop(address, None)
            return False
        self._stamps[address] = stamp
        return True

    def _is_known(self, address: str) -> bool:
        return address in self._stamps and (address in self._subjects or address in self._patterns)

    def _size(self, address: str) -> int:
        try:
            return _stamp(self._path(address))[1]
        except OSError:
            return 0

    def _path(self, address: str) -> Path:
        return self.folder / address.removeprefix("sha256:")


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
