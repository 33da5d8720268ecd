"""A stand-in for an edge that keeps what arrives: every message as it came, and every context as a proxy sees it."""

from __future__ import annotations

from websockets.asyncio.server import Server, ServerConnection, serve

from wire_protocol.codec import decode_from_client, encode
from wire_protocol.contexts import ContextStore
from wire_protocol.frames import SUBPROTOCOL, Complete, Context, Done, Hello, ModelInfo, TokenBatch, Tokens, Welcome


class FakeEdge:
    """Answers each request with `text`. `messages` are the bytes of each frame, `contexts` what they say."""

    def __init__(self, text: str = "pass") -> None:
        self.text = text
        self.messages: list[bytes] = []
        self.contexts: list[Context] = []
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = await serve(self._session, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL])  # type: ignore[list-item]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}/v1/session"

    @property
    def wire(self) -> str:
        """Everything that came, as text."""
        return "\n".join(message.decode("utf-8", "replace") for message in self.messages)

    def seen(self) -> str:
        """All text of all contexts, the parts of each put together."""
        texts: dict[str, None] = {}
        for context in self.contexts:
            texts[context.before + context.typed + context.tail + context.after] = None
            for snippet in context.snippets:
                texts[snippet.text] = None
        return "\n".join(texts)

    async def _session(self, connection: ServerConnection) -> None:
        store = ContextStore(64 * 1_048_576)
        async for message in connection:
            assert isinstance(message, bytes)
            self.messages.append(message)
            frame = decode_from_client(message)
            if isinstance(frame, Hello):
                await connection.send(encode(Welcome(session="s", models=[ModelInfo(name="fake")])))
            elif isinstance(frame, Complete):
                self.contexts.append(store.receive(frame))
                batch = TokenBatch(id=frame.id, offset=0, text=self.text, tokens=1)
                await connection.send(encode(Tokens(items=[batch])))
                await connection.send(encode(Done(id=frame.id, reason="stop", model="fake")))
