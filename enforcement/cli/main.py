"""The command line. Exit codes: 0 yes, 1 no, 2 the question could not be answered."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from enforcement import policy
from enforcement.cli import asked, comparing, explaining, files, telling, verifying

YES, NO, CANNOT = 0, 1, 2
EXIT_CODES = """\
exit codes:
  0  verify: it verifies · explain: the request is served · diff: both say the same
  1  verify: it does not, or an attachment is missing · explain: the request is refused · diff: they differ
  2  a file cannot be read or understood, or the arguments are wrong
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except (files.InputError, policy.PolicyError) as error:
        print(f"irapp-policy: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return CANNOT
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has seen enough
        return CANNOT
    return code


def _verify(given: Namespace) -> int:
    folder = files.Folder(given.attachments) if given.attachments else None
    found = verifying.verify(given.file, keys=given.keys, folder=folder)
    _print(found.facts if given.json else found.lines())
    return NO if found.problems else YES


def _explain(given: Namespace) -> int:
    content = _content(given.file, given.keys)
    attributes = asked.attributes(given)
    now = given.at or datetime.now(UTC)
    folder = files.Folder(given.attachments)
    found = explaining.explain(attributes, content, now=now, attachments=folder)
    _print(found.facts if given.json else telling.lines(found, attributes, now=now, every=given.all))
    return NO if found.verdict.action == "refuse" else YES


def _diff(given: Namespace) -> int:
    old, new = _content(given.old, given.keys), _content(given.new, given.keys)
    found = comparing.compare(old, new, folder=files.Folder(given.attachments))
    _print(found.facts if given.json else found.lines())
    return NO if found else YES


def _content(path: str, keys: str | None) -> policy.Content:
    """Give the content of a signed policy, verified where keys are given, or content by itself."""
    raw = files.raw(path)
    try:
        if keys:
            return policy.verify(raw, keys=files.keys(keys)).content
        if b'"content"' in raw:
            return policy.parse(raw, policy.Policy).content
        return policy.parse(raw, policy.Content)
    except policy.PolicyError as error:
        raise files.InputError(f"{path}: {error}") from error


def _print(said: dict[str, object] | Iterable[str]) -> None:
    text = json.dumps(said, indent=2, default=str) if isinstance(said, dict) else "\n".join(said)
    print(text)  # noqa: T201 - this is a command


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="irapp-policy",
        description="Look at policy files.",
        epilog=EXIT_CODES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="check signature, digest and attachments")
    verify.add_argument("file", metavar="FILE", help="a signed policy; - for standard input")
    verify.add_argument("--keys", required=True, metavar="FILE", help='{"key id": "public key in base64"}')
    verify.set_defaults(run=_verify)
    explain = commands.add_parser("explain", help="say what happens to a request, and why")
    explain.add_argument("file", metavar="FILE", help="a policy, signed or its content alone")
    asked.add_arguments(explain)
    explain.set_defaults(run=_explain)
    diff = commands.add_parser("diff", help="compare two policies by content")
    diff.add_argument("old", metavar="OLD")
    diff.add_argument("new", metavar="NEW")
    diff.set_defaults(run=_diff)
    _add_common(verify, explain, diff)
    for each in (explain, diff):
        each.add_argument("--keys", metavar="FILE", help="verify the signature first, with these keys")
    return parser


def _add_common(*parsers: ArgumentParser) -> None:
    for parser in parsers:
        parser.add_argument("--attachments", metavar="DIR", help="a folder of attachments, named by digest")
        parser.add_argument("--json", action="store_true", help="answer in JSON")
        parser.epilog, parser.formatter_class = EXIT_CODES, RawDescriptionHelpFormatter
