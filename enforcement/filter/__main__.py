"""``python -m enforcement.filter``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn

from enforcement.filter.app import Filter

SECRET_FILE = "filter.secret"  # noqa: S105 - the name of a file


def main() -> int:
    """Run the filter; it listens on the loopback unless told otherwise."""
    try:
        policy_file = Path(os.environ["FILTER_POLICY_FILE"])
        models_file = Path(os.environ["FILTER_MODELS_FILE"])
    except KeyError as error:
        print(f"content filter: {error.args[0]} is not set", file=sys.stderr)  # noqa: T201
        return 2
    beside = policy_file.with_name(SECRET_FILE)
    secret_file = Path(os.environ.get("FILTER_SECRET_FILE") or beside)
    classifiers = os.environ.get("FILTER_CLASSIFIERS_FILE")
    uvicorn.run(
        Filter(policy_file, models_file, secret_file, Path(classifiers) if classifiers else None),
        host=os.environ.get("FILTER_HOST", "127.0.0.1"),
        port=int(os.environ.get("FILTER_PORT", "8071")),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
