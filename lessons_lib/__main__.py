"""``python -m lessons_lib`` is the command ``overfit``."""

import sys

from lessons_lib.command import main

if __name__ == "__main__":
    sys.exit(main())
