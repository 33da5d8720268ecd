"""What is wrong with a call, in OpenAI's form: `{"error": {"message", "type", "param", "code"}}`; pure."""

from __future__ import annotations

from typing import Any

import msgspec

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
}
"""OpenAI's error type for a status; anything else is the server's."""


class Problem(Exception):
    """A call that is refused. `message` is a sentence for people, `retry_after` is in seconds."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None, retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.retry_after = retry_after

    def body(self) -> bytes:
        """The JSON document."""
        return msgspec.json.encode(self.document())

    def document(self) -> dict[str, Any]:
        """The same before it is encoded, as an event of a stream has it."""
        kind = TYPES.get(self.status, "server_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def headers(self) -> dict[str, str]:
        """What the answer has beside its body."""
        headers = {"Content-Type": "application/json"}
        if self.retry_after:
            headers["Retry-After"] = str(self.retry_after)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return headers
