"""The log's two forms, text and JSON lines, and the line that says how a completion went. No line has a prompt."""

from __future__ import annotations

import datetime
import json
import logging
from typing import Any, Final

from aiohttp.http_exceptions import HttpProcessingError

from edge_proxy.requests import Finished
from edge_proxy.telemetry.settings import LogFormat

TEXT_FORM: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FIELDS: Final = "foretype_fields"
"""The attribute of a record that has its fields: a dictionary of texts and numbers."""

requests_logger = logging.getLogger("foretype.edge.requests")


def set_up(level: str, form: LogFormat) -> None:
    """The log of this process, on stderr. `level` is a name as `info`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines(TEXT_FORM))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("aiohttp.server").addFilter(without_what_was_sent)


def without_what_was_sent(record: logging.LogRecord) -> bool:
    """For aiohttp's log, which quotes what it cannot read as HTTP: that may be a header with a token, or a prompt."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        record.msg, record.args = "a request could not be read (%s)", (type(error).__name__,)
        record.exc_info = record.exc_text = None
    return True


class TextLines(logging.Formatter):
    """A line for people; fields follow the message as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields: dict[str, Any] = getattr(record, FIELDS, {})
        line = super().format(record)
        return f"{line} {' '.join(f'{name}={_shown(value)}' for name, value in fields.items())}" if fields else line


def _shown(value: str | float) -> str:
    """A value on its line: quoted where it could be taken for another field, or for another line."""
    text = str(value)
    return repr(text) if not text.isprintable() or " " in text or "=" in text else text


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_request(outcome: Finished) -> None:
    """One line about a completion that has ended: who, how, how long; nothing of its text."""
    if not requests_logger.isEnabledFor(logging.INFO):
        return
    request, done = outcome.request, outcome.done
    ask, generation = request.ask, request.generation
    fields = {
        "request": f"{ask.session}-{ask.id}",
        "tenant": ask.tenant,
        "user": "" if ask.account is None else ask.account.identity.user,
        "kind": ask.kind,
        "reason": done.reason,
        "cause": outcome.cause,
        "source": done.source,
        "worker": "" if generation is None else generation.served_by,
        "model": done.model,
        "arm": done.arm,
        "prompt_tokens": done.usage.prompt_tokens,
        "reused_tokens": done.usage.reused_tokens,
        "generated_tokens": done.usage.generated_tokens,
        "queue_ms": round(done.timings.queue_ms, 2),
        "first_token_ms": round(done.timings.first_token_ms, 2),
        "total_ms": round(done.timings.total_ms, 2),
        "trace": ask.trace,
    }
    requests_logger.info("completion", extra={FIELDS: fields})
