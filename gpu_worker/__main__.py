"""`python -m gpu_worker` is `foretype-worker`."""

import sys

from gpu_worker.cli import main

sys.exit(main())
