"""Bytes to typed frames and back: MessagePack through `msgspec`, which validates as it decodes; no I/O.

Whatever the bytes are, decoding gives a frame or a `ProtocolError`, in time and memory bounded by the frame limit:
every array has a bound that is checked before it is allocated, and what no field wants is skipped. Only what is refused
is looked at again, through `msgpack`, to say what was wrong with it.
"""

from __future__ import annotations

from typing import Any, Final, get_args

import msgpack
import msgspec

from wire_protocol import frames
from wire_protocol.frames import (
    MAX_IDS,
    VERSION_MAX,
    VERSION_MIN,
    AnyFrame,
    Error,
    ErrorCode,
    FromClient,
    FromProxy,
    Hello,
    Limits,
    ToClient,
    ToProxy,
)

DEFAULT_FRAME_BYTES: Final = Limits().frame_bytes
"""Frame size limit where none was negotiated yet, in bytes."""

_MAX_ARRAY: Final = max(MAX_IDS, frames.MAX_MINUTES)
"""Longest array in any frame. msgpack allocates an array as soon as it reads its header, so the bound must be small:
nested headers would otherwise claim the frame's size in memory once per level."""

_MAX_MAP: Final = 64
"""More keys than any frame has, with room for fields of later versions."""

_MAX_SENTENCE_SHOWN: Final = 300

_ENCODER: Final = msgspec.msgpack.Encoder()

_TYPES: Final = frozenset(str(frame.__struct_config__.tag) for frame in get_args(AnyFrame))


class ProtocolError(Exception):
    """A frame that cannot be accepted: `code` for programs, `message` a sentence for people.

    `id` is the request it was about, where that could still be read.
    """

    def __init__(self, code: ErrorCode, message: str, id: int | None = None) -> None:
        super().__init__(message)
        self.code: Final = code
        self.message: Final = message
        self.id: Final = id

    def to_frame(self) -> Error:
        """The `error` frame that tells the other side."""
        return Error(code=self.code, message=self.message, id=self.id)


def _refuse_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"MessagePack extension type {code} is not used by this protocol")


def encode(frame: AnyFrame) -> bytes:
    """The bytes of `frame` for one binary WebSocket message.

    Raises UnicodeEncodeError for lone surrogates: clean texts first (`text.clean`).
    """
    return _ENCODER.encode(frame)


_TOKENS_HEAD: Final = _ENCODER.encode({"type": "tokens", "items": []})[:-1]


def encode_tokens(items: list[tuple[int, int, str, int]]) -> bytes:
    """`encode` of a `tokens` with these (id, offset, text, tokens), without making the structs: half its cost."""
    return _TOKENS_HEAD + _ENCODER.encode(items)


def _unpack(data: bytes) -> dict[str, Any]:
    try:
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            max_array_len=_MAX_ARRAY,
            max_map_len=_MAX_MAP,
            max_ext_len=0,
            ext_hook=_refuse_extension,
        )
    except (
        ValueError,
        RecursionError,
    ) as error:  # msgpack's own errors and UnicodeDecodeError are ValueErrors
        raise ProtocolError("malformed", f"Not a MessagePack frame: {_short(error)}") from None
    if not isinstance(value, dict):
        raise ProtocolError("malformed", f"A frame is a map; this is a {type(value).__name__}.")
    return value


def _short(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= _MAX_SENTENCE_SHOWN else text[:_MAX_SENTENCE_SHOWN] + "…"


def _request_id(value: dict[str, Any]) -> int | None:
    try:
        return msgspec.convert(value.get("id"), frames.Id)
    except msgspec.ValidationError:
        return None


class _Side:
    """What one side accepts."""

    __slots__ = ("_accepted", "_accepts", "_decode")

    def __init__(self, accepts: Any) -> None:
        """`accepts` is a union of frames."""
        self._accepts = accepts
        self._accepted = frozenset(str(frame.__struct_config__.tag) for frame in get_args(accepts))
        self._decode = msgspec.msgpack.Decoder(accepts).decode

    def decode(self, data: bytes, limit: int) -> Any:
        """The frame in `data`. Raises ProtocolError."""
        if len(data) > limit:
            raise ProtocolError("too_large", f"The frame has {len(data)} bytes; this side takes at most {limit}.")
        try:
            return self._decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._explained(data)

    def _explained(self, data: bytes) -> Any:
        """The same, twenty times slower, and it knows why it is refused."""
        value = _unpack(data)
        kind = value.get("type")
        if not isinstance(kind, str):
            raise ProtocolError("malformed", "The frame has no `type`, or one that is not a string.")
        if kind not in self._accepted:
            known = kind in _TYPES
            problem = "is not accepted by this side" if known else "is not a frame of this protocol"
            code: ErrorCode = "unexpected" if known else "unknown_type"
            raise ProtocolError(code, f"{_short(ValueError(repr(kind)))} {problem}.", _request_id(value))
        try:
            return msgspec.convert(value, self._accepts, builtin_types=(bytes,))
        except (msgspec.ValidationError, RecursionError) as error:
            raise ProtocolError("invalid", f"Bad `{kind}` frame: {_short(error)}.", _request_id(value)) from None


_FROM_CLIENT: Final = _Side(FromClient)
_TO_CLIENT: Final = _Side(ToClient)
_FROM_PROXY: Final = _Side(FromProxy)
_TO_PROXY: Final = _Side(ToProxy)


def decode_from_client(data: bytes, limit: int = DEFAULT_FRAME_BYTES) -> FromClient:
    """The frame in `data` as a proxy accepts it; `limit` in bytes. Raises ProtocolError, nothing else."""
    frame: FromClient = _FROM_CLIENT.decode(data, limit)
    return frame


def decode_to_client(data: bytes, limit: int = DEFAULT_FRAME_BYTES) -> ToClient:
    """The frame in `data` as a client accepts it; `limit` in bytes. Raises ProtocolError, nothing else."""
    frame: ToClient = _TO_CLIENT.decode(data, limit)
    return frame


def decode_from_proxy(data: bytes, limit: int = DEFAULT_FRAME_BYTES) -> FromProxy:
    """The frame in `data` as a worker accepts it; `limit` in bytes. Raises ProtocolError, nothing else."""
    frame: FromProxy = _FROM_PROXY.decode(data, limit)
    return frame


def decode_to_proxy(data: bytes, limit: int = DEFAULT_FRAME_BYTES) -> ToProxy:
    """The frame in `data` as the connecting side of a worker accepts it; `limit` in bytes.

    Raises ProtocolError, nothing else.
    """
    frame: ToProxy = _TO_PROXY.decode(data, limit)
    return frame


def negotiate(hello: Hello) -> int:
    """The highest protocol version both sides speak. Raises ProtocolError("version") if there is none."""
    version = min(hello.version_max, VERSION_MAX)
    if version < max(hello.version_min, VERSION_MIN):
        raise ProtocolError(
            "version",
            f"This side speaks versions {VERSION_MIN} to {VERSION_MAX} of {frames.SUBPROTOCOL}; "
            f"the other side {hello.version_min} to {hello.version_max}. Update the older one.",
        )
    return version
