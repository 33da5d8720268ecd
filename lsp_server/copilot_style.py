"""What clients in the style of GitHub Copilot's language server add to LSP: who they are, and a status for them; pure.

They send `textDocument/didShowCompletion`, `didPartiallyAcceptCompletion` and `didFocus`, and take `didChangeStatus`
`{busy, message, kind}`. A client that never did so is not sent a notification that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from lsp_server.status import Status

DID_SHOW: Final = "textDocument/didShowCompletion"
DID_ACCEPT_PARTLY: Final = "textDocument/didPartiallyAcceptCompletion"
DID_FOCUS: Final = "textDocument/didFocus"
DID_CHANGE_STATUS: Final = "didChangeStatus"

Kind = Literal["Normal", "Error", "Warning", "Inactive"]

_KINDS: Final[dict[str, Kind]] = {"online": "Normal", "local": "Normal", "off": "Inactive", "error": "Error"}
_INTRODUCTION: Final = "editorPluginInfo"
"""The key of initializationOptions by which such a plugin introduces itself."""


def introduces_itself(initialization: Mapping[str, object] | None) -> bool:
    """Whether the options of `initialize` are those of such a client."""
    return initialization is not None and _INTRODUCTION in initialization


def status_of(status: Status | None) -> dict[str, Any]:
    """The parameters of `didChangeStatus`; None means that sources are still being connected."""
    if status is None:
        return {"busy": True, "message": "Connecting.", "kind": "Normal"}
    return {"busy": False, "message": status.detail, "kind": _KINDS[status.state]}
