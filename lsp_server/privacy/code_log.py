"""Code in the log: off, unless this very run was started with `--log-code`; no setting and no variable turns it on."""

from __future__ import annotations

import logging
from typing import Final

from wire_protocol.frames import Context

NAME: Final = "lsp_server.code"
"""The logger's name; `doctor --report` leaves its lines out."""
SHOWN: Final = 400
"""Characters of each part, nearest to the cursor."""

_OFF: Final = logging.CRITICAL + 1
logger = logging.getLogger(NAME)
logger.setLevel(_OFF)


def switch(*, on: bool) -> None:
    """For this run; says so loudly when it is on."""
    logger.setLevel(logging.INFO if on else _OFF)
    if on:
        logging.getLogger(__name__).warning(
            "--log-code: in this run your code and the suggestions are written to the log file. "
            "Run `foretype-lsp clean` when you are done with it."
        )


def sent(where: str, context: Context) -> None:
    """What goes to a source, masked as it goes."""
    if logger.isEnabledFor(logging.INFO):
        before, after = (context.before + context.typed)[-SHOWN:], (context.tail + context.after)[:SHOWN]
        logger.info("to the %s: %s: %r | %r", where, context.path, before, after)


def given(text: str) -> None:
    """What the editor is given."""
    if logger.isEnabledFor(logging.INFO):
        logger.info("suggested: %r", text)
