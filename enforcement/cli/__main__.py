"""``python -m enforcement.cli``."""

import sys

from enforcement.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
