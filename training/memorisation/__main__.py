"""`python -m training.memorisation`."""

import sys

from training.memorisation.cli import main

sys.exit(main())
