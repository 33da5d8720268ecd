"""The log as JSON lines, and the line about a completion."""

from __future__ import annotations

import json
import logging

import pytest

from edge_proxy.requests import Ask, Finished, Request
from edge_proxy.telemetry.logs import FIELDS, TEXT_FORM, JsonLines, TextLines, log_request
from wire_protocol.frames import Context, Done, Timings


def a_completion() -> Finished:
    ask = Ask(session=7, id=3, tenant="acme", doc="d", context=Context(before="password = 'hunter2'\n"), trace="t")
    request = Request(ask=ask, seq=1, arrived=0.0, deadline=2.0)
    return Finished(request, Done(id=3, reason="shed", timings=Timings(total_ms=12.5), message="No."), "queue_full")


def test_a_line_is_one_json_object_with_its_fields() -> None:
    record = logging.LogRecord("foretype.edge", logging.WARNING, "f", 1, "worker %s\nis gone", ("w",), None)
    setattr(record, FIELDS, {"worker": "w"})
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert said.pop("time").endswith("Z")
    assert said == {"level": "warning", "logger": "foretype.edge", "message": "worker w\nis gone", "worker": "w"}


def test_a_line_for_people_has_the_fields_behind_the_message() -> None:
    record = logging.LogRecord("foretype.edge", logging.INFO, "f", 1, "completion", (), None)
    setattr(record, FIELDS, {"request": "7-3", "reason": "shed"})
    assert TextLines(TEXT_FORM).format(record).endswith("completion request=7-3 reason=shed")


def test_a_completion_is_logged_with_its_id_and_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "foretype.edge.requests"):
        log_request(a_completion())
    line = json.loads(JsonLines().format(caplog.records[0]))
    assert (line["request"], line["tenant"], line["reason"], line["cause"]) == ("7-3", "acme", "shed", "queue_full")
    assert (line["total_ms"], line["trace"]) == (12.5, "t")
    assert "hunter2" not in json.dumps(line)


def test_no_value_that_a_client_chose_looks_like_another_line_or_field() -> None:
    record = logging.LogRecord("foretype.edge", logging.INFO, "f", 1, "completion", (), None)
    setattr(record, FIELDS, {"trace": "t\nERROR forged", "user": "ada reason=stop", "tenant": ""})
    line = TextLines(TEXT_FORM).format(record)
    assert line.endswith("completion trace='t\\nERROR forged' user='ada reason=stop' tenant=")
