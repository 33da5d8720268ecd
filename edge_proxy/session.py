"""One client's session: what each of its frames means. No I/O: bytes come in, frames go to its `Outgoing`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge_proxy import __version__
from edge_proxy.auth import NO_KEYS, Authenticator, Identity, Refused
from edge_proxy.config import LimitSettings
from edge_proxy.context_budget import ContextBudget
from edge_proxy.dispatch import Dispatcher
from edge_proxy.metrics import Metrics
from edge_proxy.outgoing import Outgoing, Turns
from edge_proxy.ports import CallLater, Timer
from edge_proxy.requests import MS, Ask
from edge_proxy.resends import Held, ResendLedger
from edge_proxy.tenancy.accounts import Account, Accounts
from edge_proxy.tenancy.identity import KeysWanted
from edge_proxy.tenancy.live_sessions import LiveSessions
from edge_proxy.tenancy.meters import Refusal
from edge_proxy.tenancy.prompt_log import log_prompt
from wire_protocol.bad_frames import BadFrameBudget
from wire_protocol.codec import ProtocolError, decode_from_client, negotiate
from wire_protocol.contexts import ContextStore, ContextUnknownError
from wire_protocol.frames import (
    Auth,
    Cancel,
    Complete,
    Context,
    Done,
    DoneReason,
    Error,
    Feedback,
    Forget,
    Hello,
    Limits,
    Resend,
    Welcome,
)

CLOSE_PROTOCOL: Final = 1002
CLOSE_POLICY: Final = 1008
CLOSE_TRY_LATER: Final = 1013
CLOSE_AUTH: Final = 4401
"""WebSocket close codes; 4000 and up are the application's, and 4401 is read as HTTP's 401."""

HEARTBEAT_SECONDS: Final = 20.0
FULL_RETRY_MS: Final = 5_000

logger = logging.getLogger("foretype.edge.session")


class Close(NamedTuple):
    """The session has to be closed: WebSocket close code and cause for the metrics."""

    code: int
    cause: str


class Wait(NamedTuple):
    """The token's issuer has to be asked for its keys (`Authenticator.fetch_keys`); then call `again`."""

    again: Callable[[], Close | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What all sessions share."""

    clock: Callable[[], float]
    call_later: CallLater
    dispatcher: Dispatcher
    authenticator: Authenticator
    accounts: Accounts
    live: LiveSessions
    contexts: ContextBudget
    limits: LimitSettings
    metrics: Metrics
    region: str
    turns: Turns
    """When what waits for clients is written."""
    arm_of: Callable[[str], str]
    """The A/B arm of a session, by its name."""
    has_room: Callable[[], bool]
    """Whether one more session may begin."""


class Session:
    """`number` is unique in the process. `receive` takes every message; `end` has to be called once, at the end."""

    def __init__(self, number: int, outgoing: Outgoing, edge: Edge) -> None:
        self._number: Final = number
        self._outgoing: Final = outgoing
        self._edge: Final = edge
        self._identity: Identity | None = None
        self._account: Account | None = None
        self.cut_for: Close | None = None
        """Why the proxy ended the session, if it did so by itself."""
        self._arm = ""
        self._contexts: Final = ContextStore(edge.limits.session_context_bytes)
        self._held: Final = ResendLedger()
        self._held_timer: Timer | None = None
        self._bad_frames: Final = BadFrameBudget(edge.clock)
        self._ended = False

    @property
    def _name(self) -> str:
        return str(self._number)

    @property
    def greeted(self) -> bool:
        """Whether `hello` came and was accepted."""
        return self._identity is not None

    def receive(self, data: bytes | str) -> Close | Wait | None:
        """One WebSocket message. A Close ends the session; with a Wait nothing else may be received before `again`."""
        self._edge.metrics.bytes_in.inc(len(data))
        if self._ended:  # an upload of a stream that is over
            return None
        try:
            if isinstance(data, str):
                raise ProtocolError("malformed", "This is a text message; frames are binary messages.")
            frame = decode_from_client(data, self._edge.limits.frame_bytes)
            match frame:
                case Hello():
                    return self._hello(frame)
                case Error():
                    logger.debug("session %d: the client reports %s", self._number, frame.code)
                    return None
                case _ if self._identity is None or self._account is None:
                    raise ProtocolError("unexpected", "The first frame of a session is hello.")
                case Complete():
                    self._complete(frame, self._account)
                case Cancel():
                    self._cancel(frame.ids)
                case Forget():
                    self._forget(frame.docs)
                case Auth():
                    return self._refresh(frame, self._identity)
                case Feedback():
                    self._feedback(frame)
        except ProtocolError as error:
            return self._bad_frame(error)
        return None

    def cut(self, cause: str, message: str) -> Close:
        """Its token lets nobody in any more: say so; the connection is to be closed with what this returns."""
        self.cut_for = self._refuse_token(message, cause)
        return self.cut_for

    def end(self, cause: str) -> None:
        """The connection is gone or will be."""
        self._ended = True
        self._outgoing.close()
        if self._held_timer is not None:
            self._held_timer.cancel()
        if self._identity is not None:
            self._edge.metrics.sessions.dec()
            self._edge.metrics.sessions_ended.labels(cause).inc()
            self._edge.live.closed(self._number)
            self._edge.dispatcher.close(self._number)
            self._edge.contexts.dropped(self._number)

    # Each frame

    def _hello(self, hello: Hello) -> Close | Wait | None:
        if self._identity is not None:
            raise ProtocolError("unexpected", "This session has said hello already.")
        edge = self._edge
        try:
            version = negotiate(hello)
        except ProtocolError as error:
            self._outgoing.send(error.to_frame())
            return Close(CLOSE_PROTOCOL, "version")
        if not edge.has_room():
            message = f"This proxy holds its {edge.limits.sessions} sessions already."
            self._outgoing.send(Error(code="overloaded", message=message, retry_after_ms=FULL_RETRY_MS))
            return Close(CLOSE_TRY_LATER, "overloaded")
        checked = edge.authenticator.check(hello.token)
        if isinstance(checked, KeysWanted):
            return Wait(lambda: self._greet(edge.authenticator.check(hello.token), version))
        return self._greet(checked, version)

    def _greet(self, checked: Identity | Refused | KeysWanted, version: int) -> Close | None:
        edge = self._edge
        if not isinstance(checked, Identity):
            return self._refuse_token((checked if isinstance(checked, Refused) else NO_KEYS).message)
        self._identity = checked
        self._account = edge.accounts.of(checked)
        edge.live.opened(self._number, checked)
        self._arm = edge.arm_of(self._name)
        edge.metrics.sessions.inc()
        edge.dispatcher.open(self._number, self._outgoing)
        self._outgoing.send(
            Welcome(
                version=version,
                session=self._name,
                region=edge.region,
                server=f"foretype-proxy {__version__}",
                models=edge.dispatcher.models(),
                limits=Limits(frame_bytes=edge.limits.frame_bytes, in_flight=edge.limits.in_flight),
                heartbeat_ms=round(HEARTBEAT_SECONDS * MS),
            )
        )
        return None

    def _refresh(self, auth: Auth, present: Identity) -> Close | Wait | None:
        authenticator = self._edge.authenticator
        checked = authenticator.check(auth.token)
        if isinstance(checked, KeysWanted):
            return Wait(lambda: self._refreshed(authenticator.check(auth.token), present))
        return self._refreshed(checked, present)

    def _refreshed(self, checked: Identity | Refused | KeysWanted, present: Identity) -> Close | None:
        if self._ended:  # while it waited for keys
            return None
        if not isinstance(checked, Identity):
            return self._refuse_token((checked if isinstance(checked, Refused) else NO_KEYS).message)
        if not checked.same_person(present):
            return self._refuse_token("The refreshed token belongs to somebody else.")
        self._identity = checked
        self._edge.live.opened(self._number, checked)
        return None

    def _refuse_token(self, message: str, cause: str = "auth") -> Close:
        self._edge.metrics.auth_failures.inc()
        self._outgoing.send(Error(code="auth", message=message))
        return Close(CLOSE_AUTH, cause)

    def _complete(self, frame: Complete, account: Account) -> None:
        full = isinstance(frame.context, Context)
        sent_again = full and self._held.doc_of(frame.id) == frame.doc
        if self._is_live(frame.id) and not sent_again:
            raise ProtocolError("invalid", f"Request {frame.id} has not ended yet; each id is used once.", frame.id)
        if not sent_again:
            self._edge.metrics.requests.labels(frame.kind).inc()
        supersedes = tuple(frame.supersedes)
        try:
            context = self._contexts.receive(frame)
        except ContextUnknownError:
            self._edge.contexts.used(self._number, self._contexts)
            self._hold(frame, supersedes)
            return
        self._edge.contexts.used(self._number, self._contexts)
        if full:
            for held in self._held.full_context_came(frame.doc):
                supersedes += held.supersedes
                if held.id != frame.id:
                    self._answer(held.id, "cancelled", "superseded")
        supersedes = self._release_superseded(supersedes)
        if account.logs_prompts:
            log_prompt(account.identity, frame.kind, context)
        refusal = self._obstacle(account)
        ask = Ask(
            session=self._number,
            id=frame.id,
            tenant=account.identity.tenant,
            doc=frame.doc,
            context=context,
            kind=frame.kind,
            lines=frame.lines,
            max_tokens=frame.max_tokens,
            stop=tuple(frame.stop),
            objective=frame.objective_ms / MS,
            give_up=frame.give_up_ms / MS,
            trace=frame.trace,
            arm=self._arm,
            account=account if refusal is None else None,
        )
        if refusal is None:
            self._edge.dispatcher.complete(ask, supersedes)
            return
        self._edge.dispatcher.refuse(ask, supersedes, refusal.message, refusal.cause)
        if refusal.retry_after:
            message = refusal.message  # after `done`, so that the request has ended for a client when it reads why
            self._outgoing.send(
                Error(code="limit", message=message, retry_after_ms=refusal.retry_after_ms, id=frame.id)
            )

    def _obstacle(self, account: Account) -> Refusal | None:
        limit = self._edge.limits.in_flight
        if self._in_flight() >= limit:
            return Refusal("in_flight_limit", f"This session has {limit} requests in flight already.", 0.0)
        return account.admit()

    def _cancel(self, ids: Iterable[int]) -> None:
        ids = list(ids)
        for held in self._held.release(ids):
            self._answer(held.id, "cancelled", "cancelled")
            ids += held.supersedes
        self._edge.dispatcher.cancel(self._number, ids)

    def _forget(self, docs: Iterable[str]) -> None:
        for doc in docs:
            self._contexts.forget(doc)
            for held in self._held.full_context_came(doc):
                self._answer(held.id, "cancelled", "cancelled")
        self._edge.contexts.used(self._number, self._contexts)
        self._edge.dispatcher.cancel_documents(self._number, docs)

    def _feedback(self, frame: Feedback) -> None:
        for minute in frame.minutes:
            for what in ("shown", "accepted", "partial", "dismissed", "characters"):
                self._edge.metrics.feedback.labels(what, self._arm).inc(getattr(minute, what))

    # Requests whose contexts are unknown

    def _hold(self, frame: Complete, supersedes: tuple[int, ...]) -> None:
        if self._in_flight() >= self._edge.limits.in_flight:
            self._answer(frame.id, "shed", "in_flight_limit", "Too many requests of this session are in flight.")
            return
        deadline = self._edge.clock() + frame.give_up_ms / MS
        if self._held.hold(Held(frame.id, frame.doc, deadline, supersedes)):
            self._edge.metrics.resends.inc()
            self._outgoing.send(Resend(id=frame.id, doc=frame.doc))
        self._watch_held()

    def _release_superseded(self, ids: Iterable[int]) -> tuple[int, ...]:
        """Of `ids`, those held here are answered; what they superseded in turn is added to the rest."""
        rest = list(ids)
        for held in self._held.release(rest):
            self._answer(held.id, "cancelled", "superseded")
            rest += held.supersedes
        return tuple(rest)

    def _watch_held(self) -> None:
        if self._held_timer is not None:
            self._held_timer.cancel()
            self._held_timer = None
        deadline = self._held.next_deadline()
        if deadline is not None:
            wait = max(0.0, deadline - self._edge.clock())
            self._held_timer = self._edge.call_later(wait, self._expire_held)

    def _expire_held(self) -> None:
        self._held_timer = None
        for held in self._held.expired(self._edge.clock()):
            self._answer(held.id, "shed", "context_unknown", "The document was not sent again in time.")
            self._edge.dispatcher.cancel(self._number, held.supersedes)
        self._watch_held()

    # Inside

    def _is_live(self, id: int) -> bool:
        return id in self._held or self._edge.dispatcher.is_live(self._number, id)

    def _in_flight(self) -> int:
        return len(self._held) + self._edge.dispatcher.live_of(self._number)

    def _answer(self, id: int, reason: DoneReason, cause: str, message: str = "") -> None:
        """The end of a request that never came to the dispatcher."""
        self._edge.metrics.done.labels(reason, cause).inc()
        self._outgoing.done(Done(id=id, reason=reason, message=message))

    def _bad_frame(self, error: ProtocolError) -> Close | None:
        self._edge.metrics.bad_frames.labels(error.code).inc()
        self._outgoing.send(error.to_frame())
        if self.greeted and error.code == "invalid" and error.id is not None and not self._is_live(error.id):
            # Only `complete` has an id there, and every `complete` gets its one `done`.
            self._answer(error.id, "error", "invalid", error.message)
        if self._bad_frames.spend():
            return None
        logger.info("session %d: closed after too many bad frames", self._number)
        self._outgoing.send(Error(code="limit", message="Too many bad frames came within a minute."))
        return Close(CLOSE_POLICY, "bad_frames")
