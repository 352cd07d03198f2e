"""``python -m azcn_events`` is ``azcn``."""

import sys

from azcn_events.cli import main

if __name__ == "__main__":
    sys.exit(main())
