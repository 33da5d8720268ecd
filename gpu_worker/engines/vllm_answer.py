"""What has come of one completion of vLLM: text that can leave, counts, log-probabilities, times; pure."""

from __future__ import annotations

from typing import Any

from gpu_worker.engines.base import Chunk, Finished, Request
from gpu_worker.stops import StopFilter
from wire_protocol.frames import DoneReason, Timings, Usage

MS = 1_000.0
REASONS: dict[str, DoneReason] = {"length": "length", "abort": "cancelled", "error": "error"}
"""Of vLLM's ends, those that are not `stop`."""


class VllmAnswer:
    """Collects a stream of outputs of the kind DELTA; times are seconds of the caller's clock.

    An output is vLLM's RequestOutput, of which only fields are read that 0.20 and 0.33 both have.
    """

    def __init__(self, request: Request, prompt_tokens: int, arrived: float) -> None:
        self._stops = StopFilter(request.stop, request.lines)
        self._arrived = arrived
        self._first: float | None = None
        self._prompt_tokens = prompt_tokens
        self._reused = 0
        self._tokens = 0
        self._unreported = 0
        self._sum = 0.0
        self._scored = 0
        self._first_logprob: float | None = None
        self._queue_s = 0.0
        self.reason: DoneReason | None = None
        """Set when the answer has ended, by vLLM or by a stop of ours."""

    def take(self, output: Any, now: float) -> Chunk | None:
        """The text of one output that can leave."""
        self._reused = max(self._reused, output.num_cached_tokens or 0)
        self._time_in_queue(output.metrics)
        if not output.outputs or self.reason is not None:
            return None
        new = output.outputs[0]
        if new.token_ids and self._first is None:
            self._first = now
        self._tokens += len(new.token_ids)
        self._unreported += len(new.token_ids)
        self._score(new)
        text = self._stops.feed(new.text.replace("\r", ""))
        if self._stops.stopped:
            self.reason = "stop"
        elif new.finish_reason is not None:
            self.reason = REASONS.get(new.finish_reason, "stop")
            text += self._stops.flush()
        if not text:
            return None
        tokens, self._unreported = self._unreported, 0
        return Chunk(text, tokens)

    def finished(self, reason: DoneReason, now: float, message: str = "") -> Finished:
        """The end, with what it took."""
        first = now if self._first is None else self._first
        return Finished(
            reason=reason,
            usage=Usage(
                prompt_tokens=self._prompt_tokens,
                reused_tokens=min(self._reused, self._prompt_tokens),
                generated_tokens=self._tokens,
            ),
            timings=Timings(
                queue_ms=max(0.0, self._queue_s) * MS,
                first_token_ms=max(0.0, first - self._arrived) * MS,
                total_ms=max(0.0, now - self._arrived) * MS,
            ),
            mean_logprob=self._sum / self._scored if self._scored else None,
            first_logprob=self._first_logprob,
            message=message,
        )

    def _time_in_queue(self, metrics: Any) -> None:
        """Both stamps are of the engine process's monotonic clock."""
        queued, scheduled = getattr(metrics, "queued_ts", 0.0), getattr(metrics, "scheduled_ts", 0.0)
        if queued and scheduled:
            self._queue_s = scheduled - queued

    def _score(self, new: Any) -> None:
        for token, scores in zip(new.token_ids, new.logprobs or (), strict=False):
            score = scores.get(token)
            if score is None:
                continue
            value = float(score.logprob)
            self._sum += value
            self._scored += 1
            if self._first_logprob is None:
                self._first_logprob = value
