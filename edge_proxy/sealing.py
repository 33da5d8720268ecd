"""Answers as they lie in a cache that others run: names that tell nothing, values encrypted and authenticated; pure.

AES-256-GCM with a random nonce per value, and the name as associated data, so that a value moved under another name
does not open. Names are a keyed BLAKE2b of what an exact match compares. Both keys are derived from the operator's
secret; a proxy with another secret finds nothing.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge_proxy.cache_keys import snippets_key
from edge_proxy.requests import Answer, Ask, Whole

_NONCE_BYTES: Final = 12
"""As NIST SP 800-38D wants it for GCM; random ones are safe for 2^32 values under one key."""
PREFIX: Final = b"foretype:1:"
"""Of names: a later format has another."""


class _Sealed(msgspec.Struct, array_like=True):
    text: str
    tokens: int
    reason: Whole
    model: str
    mean_logprob: float | None
    first_logprob: float | None


class Sealer:
    """`secret`: what all proxies of a region share."""

    def __init__(self, secret: bytes) -> None:
        self._cipher: Final = AESGCM(blake2b(secret, digest_size=32, person=b"foretype-values").digest())
        self._name_key: Final = blake2b(secret, digest_size=32, person=b"foretype-names").digest()

    def name(self, base: bytes, ask: Ask) -> bytes:
        """Where the exact answer to `ask`, whose `base_key` is `base`, lies."""
        context = ask.context
        digest = blake2b(key=self._name_key, digest_size=24)
        texts = [text.encode("utf-8", "surrogatepass") for text in (context.typed, context.tail)]
        for part in (base, *texts):
            digest.update(len(part).to_bytes(4, "big") + part)
        digest.update(snippets_key(context.snippets))
        return PREFIX + digest.hexdigest().encode()

    def seal(self, name: bytes, answer: Answer) -> bytes:
        """The value to store under `name`."""
        body = _Sealed(
            answer.text, answer.tokens, answer.reason, answer.model, answer.mean_logprob, answer.first_logprob
        )
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(body), name)

    def open(self, name: bytes, value: bytes, ask: Ask) -> Answer | None:
        """The answer to `ask` in `value`; None if it was not sealed by us under `name`."""
        try:
            data = self._cipher.decrypt(value[:_NONCE_BYTES], value[_NONCE_BYTES:], name)
            body = msgspec.msgpack.decode(data, type=_Sealed)
        except (InvalidTag, ValueError, msgspec.MsgspecError):
            return None
        return Answer(
            session=ask.session,
            typed=ask.context.typed,
            tail=ask.context.tail,
            text=body.text,
            tokens=body.tokens,
            reason=body.reason,
            model=body.model,
            mean_logprob=body.mean_logprob,
            first_logprob=body.first_logprob,
        )
