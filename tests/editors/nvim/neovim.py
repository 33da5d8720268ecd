"""A real Neovim in tmux, with the plugin and the real language server; keys go in through the terminal."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgpack

REPOSITORY: Final = Path(__file__).parents[3]
PLUGIN: Final = REPOSITORY / "editors" / "nvim"
SERVER: Final = Path(sys.executable).with_name("foretype-lsp")

WITHIN_S: Final = 20.0
"""Seconds for anything that takes a model: two slow cores may be busy with other tests."""
LOOK_S: Final = 0.02
"""Seconds between looks at a condition."""
RPC_S: Final = 20.0
WIDTH, HEIGHT = 100, 30

GHOST: Final = """
local ns = vim.api.nvim_create_namespace('foretype')
local marks = vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, { details = true })
if #marks == 0 then return vim.NIL end
assert(#marks == 1, 'one extmark at most')
local lines = { marks[1][4].virt_text[1][1] }
for _, line in ipairs(marks[1][4].virt_lines or {}) do lines[#lines + 1] = line[1][1] end
return table.concat(lines, '\\n')
"""

COUNT_REQUESTS: Final = """
_G.asked = 0
local server = require('foretype.server')
local request = server.request
server.request = function(client, method, ...)
  if method == 'textDocument/inlineCompletion' then _G.asked = _G.asked + 1 end
  return request(client, method, ...)
end
"""


def installed(version: str) -> str | None:
    """The program of Neovim `version`: set in the environment, or put there by scripts/setup_nvim.sh."""
    named = os.environ.get(f"FORETYPE_NVIM_{version.replace('.', '_')}")
    path = Path(named) if named else REPOSITORY / ".venv-nvim" / version / "bin" / "nvim"
    return str(path) if path.exists() else None


class Rpc:
    """Neovim's msgpack-RPC, as far as tests need it: one call at a time."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(RPC_S)
        self._socket.connect(str(path))
        self._unpacker = msgpack.Unpacker(strict_map_key=False)
        self._id = 0

    def call(self, method: str, *arguments: Any) -> Any:
        """The result of an API function. Raises RuntimeError with Neovim's message."""
        self._id += 1
        self._socket.sendall(msgpack.packb([0, self._id, method, list(arguments)]))
        while True:
            for message in self._unpacker:
                if message[0] == 1 and message[1] == self._id:
                    if message[2]:
                        raise RuntimeError(message[2])
                    return message[3]
            data = self._socket.recv(65536)
            if not data:
                raise RuntimeError("Neovim closed the connection.")
            self._unpacker.feed(data)

    def close(self) -> None:
        self._socket.close()


class Neovim:
    """One editor in `folder`. `options` are those of setup, as Lua; `before` is Lua run before setup."""

    def __init__(self, program: str, folder: Path, environment: dict[str, str], options: str = "", before: str = ""):
        self.folder = folder
        self._name = f"ft-{os.getpid()}-{folder.name}"
        self._socket = folder / "rpc"
        init = folder / "init.lua"
        init.write_text(
            f"vim.opt.rtp:prepend({json.dumps(str(PLUGIN))})\n"
            "vim.o.swapfile = false\nvim.o.shadafile = 'NONE'\nvim.o.laststatus = 2\n"
            f"{before}\n"
            f"require('foretype').setup({{ cmd = {{ {json.dumps(str(SERVER))}, '--stdio' }}, {options} }})\n"
        )
        variables = {**environment, "XDG_STATE_HOME": str(folder / "xdg"), "XDG_DATA_HOME": str(folder / "data")}
        exports = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
        command = " ".join(
            [
                "exec",
                "env",
                *exports,
                *map(shlex.quote, [program, "-u", str(init), "-i", "NONE", "--listen", str(self._socket)]),
            ]
        )
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), command)
        # Escape is a key of its own here, not the beginning of one with Meta.
        self._tmux("set-option", "-s", "escape-time", "0")
        self.until(self._connects, "Neovim to listen")
        self.until(lambda: self.rpc.call("nvim_get_vvar", "vim_did_enter") == 1, "init.lua")

    def _connects(self) -> bool:
        try:
            self.rpc = Rpc(self._socket)
        except OSError:  # the socket's file is there before somebody listens on it
            return False
        return True

    # What a person does.

    def open(self, text: str, name: str = "sums.py") -> None:
        """Edit a new file with `text`, and put the cursor at its end in Normal mode; the server is ready."""
        path = self.folder / name
        path.write_bytes(text.encode())
        self.rpc.call("nvim_command", f"edit {path}")
        self.rpc.call("nvim_command", "normal! G$")
        self.until(lambda: self.lua("return require('foretype.server').client(vim.api.nvim_get_current_buf()) ~= nil"))
        self.until(lambda: self.lua("return require('foretype.status').current.state") in ("local", "off"), "a source")

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: Tab, Escape, C-Right, M-]."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Type literal text."""
        self._tmux("send-keys", "-l", text)

    # What a person sees.

    def screen(self) -> str:
        """The terminal's text."""
        return self._tmux("capture-pane", "-p").stdout

    def ghost(self) -> str | None:
        """The suggestion as it is drawn; None if there is none."""
        ghost: str | None = self.lua(GHOST)
        return ghost

    def until_ghost(self) -> str:
        """Wait for a suggestion, on the screen as well; its text."""
        self.until(lambda: self.ghost() is not None, "ghost text")
        ghost = self.ghost()
        assert ghost is not None
        first = ghost.split("\n")[0].rstrip()
        self.until(lambda: first in self.screen(), f"{first!r} on the screen")
        return ghost

    @property
    def line(self) -> str:
        """The cursor's line."""
        line: str = self.rpc.call("nvim_get_current_line")
        return line

    @property
    def text(self) -> str:
        """The whole buffer."""
        return "\n".join(self.rpc.call("nvim_buf_get_lines", 0, 0, -1, False))

    @property
    def mode(self) -> str:
        """The mode's short name."""
        mode: str = self.rpc.call("nvim_get_mode")["mode"]
        return mode

    def messages(self) -> str:
        """What `:messages` shows."""
        messages: str = self.rpc.call("nvim_exec2", "messages", {"output": True})["output"]
        return messages

    def lsp_log(self) -> str:
        """Neovim's LSP log, without the line that it begins with."""
        lines = [line for file in (self.folder / "xdg").rglob("lsp.log") for line in file.open()]
        return "".join(line for line in lines if not line.startswith("[START]"))

    def lua(self, code: str, *arguments: Any) -> Any:
        """The result of Lua code."""
        return self.rpc.call("nvim_exec_lua", code, list(arguments))

    def until(self, condition: Callable[[], Any], what: str = "a condition") -> None:
        """Wait for a condition. Fails with the screen."""
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {WITHIN_S:.0f} s for {what}; the screen:\n{self.screen()}")
            time.sleep(LOOK_S)

    def quit(self) -> None:
        """End it and its tmux server, which is its own."""
        if hasattr(self, "rpc"):
            self.rpc.close()
        self._tmux("kill-server", check=False)

    def _tmux(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["tmux", "-u", "-L", self._name, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=check, timeout=RPC_S)
