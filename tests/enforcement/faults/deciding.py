"""``python -m tests.enforcement.faults.deciding KEY``: decide to block a key, as the demo's people would."""

from __future__ import annotations

import sys

import django


def main() -> None:
    django.setup()
    from bench.deciding import block

    _, decide = block(sys.argv[1], 1)
    decide()


if __name__ == "__main__":
    main()
