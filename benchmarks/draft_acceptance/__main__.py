"""`python -m benchmarks.draft_acceptance`."""

import sys

from benchmarks.draft_acceptance.cli import main

sys.exit(main())
