"""What has come of one completion of an OpenAI-compatible server: text that can leave, counts, times; pure."""

from __future__ import annotations

from gpu_worker.engines.base import Chunk, Finished, Request
from gpu_worker.engines.openai_api import CompletionChunk
from gpu_worker.fim import Family
from gpu_worker.stops import StopFilter
from wire_protocol import text as wire_text
from wire_protocol.frames import DoneReason, Timings, Usage

MS = 1_000.0


class Answer:
    """Collects a stream's events; times are seconds of the caller's clock."""

    def __init__(self, request: Request, family: Family | None, arrived: float) -> None:
        markers = (family.prefix, family.suffix, family.middle, family.separator) if family is not None else ()
        self.stops = StopFilter((*request.stop, *filter(None, markers)), request.lines)
        self.arrived = arrived
        self.first: float | None = None
        self.tokens = 0
        self.unreported = 0
        self.logprobs: list[float] = []
        self.usage = Usage()
        self.reason: DoneReason | None = None

    def take(self, chunk: CompletionChunk, now: float) -> Chunk | None:
        """The text of one event that can leave."""
        if chunk.usage is not None:
            details = chunk.usage.prompt_tokens_details
            self.usage = Usage(
                prompt_tokens=max(0, chunk.usage.prompt_tokens or 0),
                reused_tokens=max(0, (details.cached_tokens or 0) if details is not None else 0),
                generated_tokens=max(0, chunk.usage.completion_tokens or 0),
            )
        if not chunk.choices or self.reason is not None:
            return None
        choice = chunk.choices[0]
        given = choice.logprobs.token_logprobs if choice.logprobs is not None else None
        known = [value for value in given or () if value is not None]
        self.logprobs += known
        count = len(known) or (1 if choice.text else 0)
        self.tokens += count
        self.unreported += count
        if choice.text and self.first is None:
            self.first = now
        text = self.stops.feed(wire_text.clean(choice.text).replace("\r", ""))
        if self.stops.stopped:
            self.reason = "stop"
        elif choice.finish_reason is not None:
            self.reason = "length" if choice.finish_reason == "length" else "stop"
            text += self.stops.flush()
        return self._chunk(text)

    def _chunk(self, text: str) -> Chunk | None:
        if not text:
            return None
        tokens, self.unreported = self.unreported, 0
        return Chunk(text, tokens)

    def finished(self, reason: DoneReason, now: float, message: str = "") -> Finished:
        """The end, with what it took."""
        usage = self.usage
        if not usage.generated_tokens:
            usage = Usage(
                prompt_tokens=usage.prompt_tokens,
                reused_tokens=usage.reused_tokens,
                generated_tokens=self.tokens,
            )
        return Finished(
            reason=reason,
            usage=usage,
            timings=Timings(
                first_token_ms=max(0.0, (now if self.first is None else self.first) - self.arrived) * MS,
                total_ms=max(0.0, now - self.arrived) * MS,
            ),
            mean_logprob=sum(self.logprobs) / len(self.logprobs) if self.logprobs else None,
            first_logprob=self.logprobs[0] if self.logprobs else None,
            message=message,
        )
