"""What the demo draws: an animated editor on a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from lsp_server.demo.buffer import Buffer

ROWS: Final = 18
"""Lines of code on the animated screen."""

_STYLES: Final = {"edge": "cyan", "cache": "green", "local": "yellow"}
_CONTEXT: Final = 70
"""Characters of the line before the cursor that a plain line shows."""


class Screen(Protocol):
    """Where the demo shows itself."""

    def show(self, buffer: Buffer, ghost: str, source: str, latency_ms: float) -> None:
        """The document as it is, with ghost text at the cursor ("" for none)."""
        ...

    def note(self, sentence: str) -> None:
        """Something happened that a person should know."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found."""
        ...


class PlainScreen:
    """One line per new suggestion, for logs and CI."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, buffer: Buffer, ghost: str, source: str, latency_ms: float) -> None:
        """Print the line with its ghost text between guillemets; nothing where there is none."""
        if not ghost:
            return
        line = buffer.text[buffer.text.rfind("\n", 0, buffer.cursor) + 1 : buffer.cursor][-_CONTEXT:]
        first, *others = ghost.split("\n")
        more = f" (+{len(others)} lines)" if others else ""
        self._console.print(
            Text(f"{source:>5} {latency_ms:6.1f} ms  {line}"), Text(f"«{first}»{more}", style="dim"), soft_wrap=True
        )

    def note(self, sentence: str) -> None:
        """Print it."""
        self._console.print(Text(f"==> {sentence}", style="bold"))

    def close(self) -> None:
        """Nothing to restore."""


class LiveScreen:
    """An editor drawn over and over in place, with the ghost text dimmed and a status line."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = title
        self._note = ""
        self._status = Text("")
        self._live = Live(console=console, auto_refresh=False, screen=False, transient=False)
        self._live.start()

    def show(self, buffer: Buffer, ghost: str, source: str, latency_ms: float) -> None:
        """Draw the lines around the cursor."""
        code = Text(buffer.text[: buffer.cursor], no_wrap=True)
        code.append(ghost, style="dim italic")
        code.append("▏" if not ghost else "", style="bold")
        code.append(buffer.text[buffer.cursor :])
        row = buffer.text.count("\n", 0, buffer.cursor)
        lines = code.split("\n", allow_blank=True)
        top = max(0, min(row - ROWS * 2 // 3, len(lines) - ROWS))
        if ghost:
            self._status = Text(f"{source} · {latency_ms:.1f} ms", style=_STYLES.get(source, "white"))
        body = Text("\n", no_wrap=True, overflow="crop").join(lines[top : top + ROWS])
        self._live.update(
            Group(Panel(body, title=self._title, height=ROWS + 2), Text.assemble(self._status, "   ", self._note)),
            refresh=True,
        )

    def note(self, sentence: str) -> None:
        """Keep it under the editor until the next one."""
        self._note = sentence

    def close(self) -> None:
        """Stop drawing."""
        self._live.stop()
