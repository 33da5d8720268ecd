"""`python -m benchmarks.context`."""

import sys

from benchmarks.context.cli import main

sys.exit(main())
