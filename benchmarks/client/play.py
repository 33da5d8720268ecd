"""Plays one trace with one client in real time, and writes down what stood on screen when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final, Literal

import psutil

from benchmarks.client.clients.base import Client
from benchmarks.client.ghost import Answer, Ghost
from benchmarks.client.ledger import Ledger
from benchmarks.client.person import PAUSE_S, READING_S
from benchmarks.client.typist import Action, Step, Typist

LOOK_S: Final = 0.1
"""A key counts as served if right ghost text stands this long after it: less than people notice."""
SETTLE_S: Final = 1.5
"""After the last key, seconds in which the person stops and looks."""
MAX_ACTIONS: Final = 5_000

State = Literal["right", "partly", "wrong", "none"]


@dataclass(frozen=True, slots=True)
class Look:
    """What stood on screen 100 ms after an action, or just before the next if that came sooner."""

    action: Action
    state: State


@dataclass(slots=True)
class Played:
    """What one trace with one client gave. Times in seconds."""

    client: str
    trace: str
    looks: list[Look] = field(default_factory=list)
    pauses: list[float | None] = field(default_factory=list)
    """For each pause, from the editor's request to right ghost text; None if the pause ended without it."""
    shown: int = 0
    """Suggestions that appeared: typing through one, or an answer that goes on with it, is no new one."""
    appeared: dict[State, int] = field(default_factory=dict)
    """What these were worth when they appeared, late ones too."""
    asked: int = 0
    """Requests of the editor."""
    accepted: int = 0
    accepted_characters: int = 0
    keys: int = 0
    characters: int = 0
    """Characters of the holes: what there was to write."""
    cpu_s: float = 0.0
    """CPU time of the client's process and its children from the first key to the last."""
    memory: int = 0
    """Resident bytes at the end."""
    finished: bool = False
    person_s: float = 0.0
    """Time that passed for the person; more than for the clock where time is compressed."""


class Player:
    """The editor and the person at it, with one client. `speed` divides every pause of the person (1: real time)."""

    def __init__(self, client: Client, typist: Typist, ledger: Ledger, speed: float = 1.0) -> None:
        self._client = client
        self._typist = typist
        self._ledger = ledger
        self._speed = speed
        self._ghost: Ghost | None = None
        self._pending: asyncio.Task[Answer | None] | None = None
        self._asked_at = 0.0
        self._right_since: float | None = None
        self._text = typist.editor.text
        """The document as the client has it."""
        self._screen = asyncio.Event()
        self.played = Played(client.name, typist.trace.name)

    async def play(self) -> Played:
        """To the end of the trace; the client has the document open already."""
        typist, played = self._typist, self.played
        played.characters = sum(len(hole.text) for hole in typist.trace.holes)
        process = psutil.Process(self._client.pid)
        cpu = _cpu_s(process)
        after_accept = False
        due = _now() + 1.0
        await asyncio.sleep(1.0)
        for _ in range(MAX_ACTIONS):
            if typist.done:
                played.finished = True
                break
            step = typist.next()
            self._done(step)
            due = max(due, _now() - 0.05)
            gap = SETTLE_S if typist.done else typist.gap_s(after_accept) / self._speed
            due += gap
            played.person_s += gap * self._speed
            after_accept = await self._until(due, gap, step.action)
            while after_accept:
                gap = SETTLE_S if typist.done else typist.gap_s(True) / self._speed
                due = _now() + gap
                played.person_s += gap * self._speed
                after_accept = await self._until(due, gap, "accept")
        self._drop()
        played.cpu_s = _cpu_s(process) - cpu
        played.memory = process.memory_info().rss
        return played

    def _done(self, step: Step, token: object = None) -> None:
        """Report an action to the client, and ask. `token`: the suggestion that was accepted."""
        editor = self._typist.editor
        self._drop()
        if step.edit is None or step.action == "accept":
            self._ghost = None
        if step.edit is not None:
            self._client.changed(step.edit, self._text)
            if self._ghost is not None:
                self._ghost = self._ghost.after(step.edit, editor.text, editor.cursor)
        if step.action != "accept":
            self.played.keys += step.edit is not None
        elif token is not None:
            self._client.accepted(token)
        self._text = editor.text
        self._right_since = None
        self._judge()
        self._asked_at = _now()
        self.played.asked += 1
        self._pending = self._client.ask(editor.text, editor.cursor)
        self._pending.add_done_callback(self._answered)

    def _drop(self) -> None:
        if self._pending is not None and not self._pending.done():
            self._pending.cancel()
        self._pending = None

    def _answered(self, task: asyncio.Task[Answer | None]) -> None:
        if task is not self._pending or task.cancelled():
            return
        if task.exception() is not None or (answer := task.result()) is None:
            return
        old = self._reads()
        self._ghost = Ghost.of(answer, self._typist.editor.cursor)
        if self._ghost is not None:
            if not old or not self._reads().startswith(old):
                self.played.shown += 1
                self.played.appeared[self._state()] = self.played.appeared.get(self._state(), 0) + 1
            self._client.shown(self._ghost.token)
        self._judge()
        self._screen.set()

    def _reads(self) -> str:
        """The ghost text with the auto-closed brackets that stay behind it: what the line would be."""
        if self._ghost is None:
            return ""
        insert, replaced = self._ghost.seen(self._typist.editor.cursor)
        return insert + self._typist.editor.tail[replaced:]

    def _state(self) -> State:
        if self._ghost is None:
            return "none"
        insert, replaced = self._ghost.seen(self._typist.editor.cursor)
        # Right, but for nobody who is about to leave: neither side of the account.
        return "none" if self._typist.is_for_later(insert) else self._typist.judge(insert, replaced)

    def _judge(self) -> None:
        if self._ghost is not None:
            text, _ = self._ghost.seen(self._typist.editor.cursor)
            if self._typist.slipped:
                self._ledger.saw_beside(text)
            else:
                self._ledger.saw(self._typist.place, text)
        if self._state() != "right":
            self._right_since = None
        elif self._right_since is None:
            self._right_since = _now()

    async def _until(self, due: float, gap: float, action: Action) -> bool:
        """Wait for the next key, looking 100 ms after this one; True if a suggestion was accepted meanwhile."""
        look_at = min(due, _now() + LOOK_S)
        await asyncio.sleep(max(0.0, look_at - _now()))
        self.played.looks.append(Look(action, self._state()))
        typist = self._typist
        pauses = gap >= PAUSE_S / self._speed and typist.wants_more
        while pauses and _now() < due:
            self._screen.clear()
            state = self._state()
            if state == "right" and self._ghost is not None and self._right_since is not None:
                insert, _ = self._ghost.seen(typist.editor.cursor)
                tab_at = max(self._right_since, self._asked_at) + READING_S / self._speed
                if tab_at <= due and typist.person.accepts(typist.place, insert):
                    await asyncio.sleep(max(0.0, tab_at - _now()))
                    if self._state() == "right":
                        self._note_pause()
                        self._accept()
                        return True
                    continue
            try:
                async with asyncio.timeout(max(0.0, due - _now())):
                    await self._screen.wait()
            except TimeoutError:
                break
        await asyncio.sleep(max(0.0, due - _now()))
        if pauses:
            self._note_pause()
        return False

    def _note_pause(self) -> None:
        right = self._state() == "right" and self._right_since is not None
        waited = max(0.0, (self._right_since or 0.0) - self._asked_at) if right else None
        self.played.pauses.append(waited)

    def _accept(self) -> None:
        assert self._ghost is not None
        typist = self._typist
        ghost = self._ghost
        insert, replaced = ghost.seen(typist.editor.cursor)
        step = typist.accept(insert, replaced)
        self.played.accepted += 1
        self.played.accepted_characters += len(insert)
        self._done(step, ghost.token)


def _now() -> float:
    """Seconds of the running loop's clock, which is the machine's but where time is virtual."""
    return asyncio.get_running_loop().time()


def _cpu_s(process: psutil.Process) -> float:
    """User and system time of a process and its children, in seconds."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
