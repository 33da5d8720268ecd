"""The local worker as a source: found if another editor has started it, else started by who wins the election."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import Final

from lsp_server.models.names import STARTER
from lsp_server.paths import UnsafeFolderError, runtime_dir, state_dir
from lsp_server.sources.base import Ended, Piece, SourceRequest
from lsp_server.sources.connection import ConnectedSource
from lsp_server.sources.effort import Effort
from lsp_server.sources.election import Address, Meeting, Transport, default_transport
from lsp_server.sources.handshake import DialError, NotListeningError, Opened, open_unix, open_url
from lsp_server.sources.local_process import LocalProcess, missing, model_file, too_large, worker_command
from lsp_server.sources.power import Look, PowerWatch, resident_bytes
from lsp_server.sources.prefill import Prefill
from lsp_server.sources.restarts import RestartPolicy
from lsp_server.sources.wire import WebSocketWire
from lsp_server.sources.worker_dialect import WorkerDialect
from wire_protocol.codec import decode_to_proxy

log = logging.getLogger(__name__)

START_TIMEOUT_S: Final = 60.0
"""A model of several GB read from a slow disk; a worker that listens answers within this or is given up."""
POLL_S: Final = 0.05
"""Between looks whether a starting worker listens; each is one connect on this machine."""
ENDING_S: Final = 5.0
"""Between a worker's hanging up and its end: it frees the model first, on a busy machine."""
KILLED: Final = (9, 15)
"""Signals (SIGKILL, SIGTERM; POSIX) sent from outside: the last line of the log has nothing to do with them."""
MISSING_PAUSE_S: Final = 30.0
"""Someone may install what is missing, or free memory, while the editor runs."""
CANNOT_START: Final = 2
"""The worker's exit status for what its user can mend; its last line says what (`EXIT_USAGE` in gpu_worker/cli.py)."""
WORKER_SAYS: Final = "foretype-worker: "


class LocalDialer:
    """Opens sessions with the user's worker for `model`, starting it if need be.

    `command`: what to start instead of the real worker (tests); its address is appended to it.
    """

    def __init__(
        self,
        model: str,
        *,
        command: Sequence[str] | None,
        transport: Transport,
        clock: Callable[[], float],
        environ: dict[str, str] | None,
    ) -> None:
        self._model = model
        self._command = command
        self._transport: Transport = transport
        self._environ = environ
        self._restarts = RestartPolicy(clock)
        self._process: LocalProcess | None = None

    async def dial(self) -> Opened:
        """A session with the worker. Raises DialError if it cannot be started, or dies while starting."""
        try:
            return await self._dial()
        except UnsafeFolderError as error:
            raise DialError(str(error), MISSING_PAUSE_S) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise DialError(f"The local model cannot be started: {reason}.", MISSING_PAUSE_S) from None

    async def _dial(self) -> Opened:
        # Without a file there is no worker to be found, and `_start` says what is missing.
        file = None if self._model == STARTER else model_file(self._model, self._environ)
        identity = self._model if file is None else str(file)
        meeting = Meeting(runtime_dir(self._environ), identity, self._transport)
        self._note_death()
        while True:
            opened = await self._try(meeting.present())
            if opened is not None:
                return opened
            with meeting.elected() as elected:
                if elected:
                    # Someone may have started it between the two looks.
                    return await self._try(meeting.present()) or await self._start(meeting)
            await asyncio.sleep(POLL_S)

    async def _try(self, address: Address | None) -> Opened | None:
        """A session, or None if nothing listens there. Raises DialError if something does and gives no session."""
        if address is None:
            return None
        try:
            return await self._open(address)
        except NotListeningError:
            return None

    async def _open(self, address: Address) -> Opened:
        if address.socket_path is not None:
            return await open_unix(str(address.socket_path), decode_to_proxy, START_TIMEOUT_S)
        url = f"ws://127.0.0.1:{address.port}/v1/session"
        return await open_url(url, address.token, decode_to_proxy, START_TIMEOUT_S)

    async def _start(self, meeting: Meeting) -> Opened:
        if self._command is None:
            problem = missing(self._model, self._environ) or too_large(self._model, self._environ)
            if problem is not None:
                raise DialError(problem, MISSING_PAUSE_S)
        address = meeting.prepare()
        command = [*(self._command or worker_command(self._model, self._environ)), *address.listen_arguments()]
        log_file = state_dir(self._environ) / f"worker-{meeting.name}.log"
        environ = {**os.environ, **(self._environ or {})}
        self._process = await asyncio.to_thread(LocalProcess.start, command, log_file, environ)
        log.info("started the local worker, process %d, log %s", self._process.pid, log_file)
        return await self._until_listening(self._process, address)

    async def _until_listening(self, process: LocalProcess, address: Address) -> Opened:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while True:
                    try:
                        return await self._open(address)
                    except NotListeningError:
                        self._note_death()
                    except DialError:
                        # The worker listens before its model is loaded: if that fails it hangs up, then ends.
                        await self._until_ended()
                        raise
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise DialError(
                f"The local model was not ready after {START_TIMEOUT_S:g} s. See {process.log_file}."
            ) from None

    async def _until_ended(self) -> None:
        """Give a process that hung up the time to end. Raises DialError, with its last words, if it does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDING_S):
                while self._process is not None:
                    self._note_death()
                    await asyncio.sleep(POLL_S)

    def _note_death(self) -> None:
        """Raise DialError if the process that was started here has ended since the last look."""
        process = self._process
        status = None if process is None else process.exit_status()
        if process is None or status is None:
            return
        self._process = None
        if status == 0:
            return  # it left by itself: nobody had been connected for a while
        pause = self._restarts.died()
        words = "" if -status in KILLED else process.last_words()
        if status == CANNOT_START and words.startswith(WORKER_SAYS):
            sentence = f"The local model cannot be used: {words.removeprefix(WORKER_SAYS)}"
        else:
            sentence = f"The local model's process ended ({_why(status)}){f': {words}' if words else '.'}"
        if self._restarts.gave_up:
            sentence += f" It died too often; the next try is in {pause:g} s. Its log is {process.log_file}."
        raise DialError(sentence, pause)

    def moved(self) -> None:
        """The worker is about to leave; another will be started."""

    def elsewhere(self) -> bool:
        """The worker is on this machine, wherever that is; one that is being started must not be started twice."""
        return False

    async def close(self) -> None:
        """The worker stays for the user's other editors and leaves by itself."""
        if self._process is not None:
            self._process.release()
            self._process = None


def _why(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"status {status}"


class LocalSource(ConnectedSource):
    """Completions from the model on this machine."""

    def __init__(
        self,
        model: str = STARTER,
        *,
        command: Sequence[str] | None = None,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[], float] = random.random,
        environ: dict[str, str] | None = None,
        power: PowerWatch | None = None,
    ) -> None:
        dialer = LocalDialer(
            model, command=command, transport=transport or default_transport(), clock=clock, environ=environ
        )
        super().__init__("local", dialer, WorkerDialect, clock=clock, uniform=uniform)
        self._power = PowerWatch(Look(self._processes)) if power is None else power
        self._prefill = Prefill()

    @property
    def effort(self) -> Effort:
        """What battery and CPU allow."""
        return self._power.effort

    def _processes(self) -> list[int]:
        pid = self._worker_pid()
        return [os.getpid()] if pid is None else [os.getpid(), pid]

    def _worker_pid(self) -> int | None:
        wire = None if self.link is None else self.link.wire
        return wire.peer_pid() if isinstance(wire, WebSocketWire) else None

    def memory_bytes(self) -> int | None:
        """What the worker's process takes of this machine's memory now; None if it is not connected, or not known."""
        pid = self._worker_pid()
        return None if pid is None else resident_bytes(pid)

    async def start(self) -> None:
        """Begin connecting, and watching the machine."""
        self._power.start()
        await super().start()

    async def close(self) -> None:
        """Close the connection; the worker stays for the user's other editors."""
        await self._power.close()
        await super().close()

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        """Stream the answer, with as much work as the machine allows now; see `Source.generate`."""
        effort = self.effort
        if request.kind == "prefetch" and not effort.prefetch:
            yield Ended("shed", "local", message=f"Nothing is prefetched: {effort.why}.")
            return
        if request.kind == "automatic" and effort.hold_s:
            await asyncio.sleep(effort.hold_s)
        request = replace(request, context=self._prefill.sized(effort.shortened(request.context)))
        async with contextlib.aclosing(super().generate(request)) as events:
            async for event in events:
                if isinstance(event, Ended):
                    self._prefill.answered(request.context, event)
                yield event
