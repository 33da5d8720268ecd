"""W3C Trace Context: the `traceparent` that a frame's `trace` or an HTTP header carries; pure.

Source: W3C Recommendation "Trace Context", level 1, section 3.2.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_FORM: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED: Final = 0x01
_FORBIDDEN_VERSION: Final = "ff"


class TraceContext(NamedTuple):
    """A trace, and the span in it that caused the request."""

    trace_id: int
    span_id: int
    sampled: bool


def parse(traceparent: str) -> TraceContext | None:
    """What it says; None if it says nothing that can be used."""
    match = _FORM.fullmatch(traceparent)
    if match is None or match["version"] == _FORBIDDEN_VERSION or (match["version"] == "00" and match["more"]):
        return None
    trace_id, span_id = int(match["trace"], 16), int(match["span"], 16)
    if not trace_id or not span_id:
        return None
    return TraceContext(trace_id, span_id, bool(int(match["flags"], 16) & _SAMPLED))
