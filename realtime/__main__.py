"""`python -m realtime` is `realtime`."""

import sys

from realtime.start import main

if __name__ == "__main__":
    sys.exit(main())
