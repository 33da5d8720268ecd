"""`python -m benchmarks.human_eval`."""

import sys

from benchmarks.human_eval.cli import main

sys.exit(main())
