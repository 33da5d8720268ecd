"""`traceparent`, after the examples of the W3C Recommendation."""

from __future__ import annotations

import pytest

from edge_proxy.telemetry.trace_context import TraceContext, parse

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_trace_span_and_flag_are_read() -> None:
    assert parse(f"00-{TRACE}-{SPAN}-01") == TraceContext(int(TRACE, 16), int(SPAN, 16), True)
    assert parse(f"00-{TRACE}-{SPAN}-00") == TraceContext(int(TRACE, 16), int(SPAN, 16), False)


def test_a_later_version_may_say_more() -> None:
    assert parse(f"01-{TRACE}-{SPAN}-01-what-comes-later") is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
    ],
)
def test_what_is_no_traceparent_is_nothing(text: str) -> None:
    assert parse(text) is None
