"""How an edge is asked: `complete` with delta contexts, and full ones again when it asks; pure."""

from __future__ import annotations

from typing import Final

from lsp_server.privacy import code_log
from lsp_server.privacy.mask import Masker
from lsp_server.sources.base import SourceName, SourceRequest
from lsp_server.sources.session import Arriving, DialectFrame, Live, Reaction
from wire_protocol.codec import decode_to_client
from wire_protocol.contexts import ContextSender
from wire_protocol.frames import Cancel, Complete, Forget, Resend


class EdgeDialect:
    """One connection to an edge; a new connection takes a new one, since a new session knows no contexts."""

    name: SourceName = "edge"

    def __init__(self) -> None:
        self._sender: Final = ContextSender()
        self._masker: Final = Masker()

    def decode(self, data: bytes) -> Arriving:
        """The frame in `data`. Raises ProtocolError."""
        return decode_to_client(data)

    def ask(self, request: SourceRequest, live: Live) -> Reaction:
        """A `complete` with what changed since the document's last one."""
        return Reaction(send=[self._complete(request)])

    def _complete(self, request: SourceRequest) -> Complete:
        # Here and nowhere else text goes out to an edge: what looks like a secret in it stays here.
        context = self._masker.context(request.context)
        code_log.sent(self.name, context)
        prepared = self._sender.prepare(request.doc, context)
        return Complete(
            id=request.id,
            doc=request.doc,
            rev=prepared.rev,
            base_rev=prepared.base_rev,
            context=prepared.context,
            max_tokens=request.max_tokens,
            lines=request.lines,
            stop=list(request.stop),
            kind=request.kind,
            supersedes=list(request.supersedes),
            objective_ms=request.objective_ms,
            give_up_ms=request.give_up_ms,
            trace=request.trace,
        )

    def cancel(self, id: int) -> Reaction:
        """In-band, at once."""
        return Reaction(send=[Cancel(ids=[id])])

    def forget(self, doc: str) -> Reaction:
        """Both sides drop the document's context."""
        self._sender.forget(doc)
        return Reaction(send=[Forget(docs=[doc])])

    def receive(self, frame: DialectFrame, live: Live) -> Reaction:
        """`resend`: the newest live request of the document goes again, under its own id, with its full context."""
        if not isinstance(frame, Resend):
            return Reaction(notices=[f"`{type(frame).__name__.lower()}` is not for clients and was ignored"])
        self._sender.reset(frame.doc)
        newest = None
        for answer in live.values():
            if answer.request.doc == frame.doc and answer.length == 0:
                newest = answer.request
        return Reaction(send=[] if newest is None else [self._complete(newest)])
