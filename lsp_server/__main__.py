"""`python -m lsp_server` is `foretype-lsp`."""

import sys

from lsp_server.cli import main

sys.exit(main())
