"""How many files, and so connections, the process may have open: as many as its sessions need, where it may say so."""

from __future__ import annotations

import logging
import sys
from typing import Final

BESIDE_SESSIONS: Final = 256
"""Files for workers, Redis, metrics, logs and connections that have not said hello."""

logger = logging.getLogger("foretype.edge")


def allow_sessions(sessions: int) -> None:
    """Raise this process's soft limit on open files for so many sessions, as far as the hard limit lets it.

    Systems start programs with a soft limit of 1,024, which would refuse the thousandth session.
    """
    if sys.platform == "win32":  # sockets are no files there
        return
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sessions + BESIDE_SESSIONS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < sessions:
        logger.warning(
            "only %d of the %d sessions of limits.sessions fit: raise the hard limit on open files "
            "(ulimit -Hn, or LimitNOFILE= of systemd)",
            max(0, allowed - BESIDE_SESSIONS),
            sessions,
        )
