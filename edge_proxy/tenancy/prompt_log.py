"""Prompts in the log: of a tenant whose table says `log_prompts_until`, until then. Nothing else logs code."""

from __future__ import annotations

import logging
from typing import Final

from edge_proxy.tenancy.identity import Identity
from wire_protocol.frames import Context

PROMPT_LOGGER: Final = "foretype.edge.prompts"
logger = logging.getLogger(PROMPT_LOGGER)


def log_prompt(identity: Identity, kind: str, context: Context) -> None:
    """What the model is asked to continue, with whose it is."""
    logger.info(
        "prompt of tenant %r, user %r, %s, %s: %r | %r",
        identity.tenant,
        identity.user,
        kind,
        context.path,
        context.before + context.typed,
        context.tail + context.after,
    )
