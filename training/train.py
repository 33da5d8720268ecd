"""Step 4: train, on a CPU or a GPU, in phases, with checkpoints; run it again to go on from the last one.

Muon for the matrices inside the layers, AdamW for the embedding and the norms; fp32, or bf16 autocast over fp32
weights where the hardware has bf16 arithmetic; `torch.compile`. The phases of the configuration say how many steps each
has and where its rate ends, and `--phase-steps` shortens or lengthens one in a resumed run.
"""

from __future__ import annotations

import csv
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training import samples, settings, warm_start
from training import tokenizer as vocabulary
from training.model import Llama, Shape, parameters
from training.muon import Muon

CURVE_FIELDS = (
    "step", "tokens", "seconds", "phase", "rate", "loss", "text_loss", "middle_loss", "validation_text",
    "validation_middle",
)  # fmt: skip
REPORT_EVERY = 20
# glibc gives large blocks back to the system at once and faults them in again, zeroed, at the next operation: half
# of a step's time, or far more on a small virtual machine. These keep memory, in huge pages.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(64 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one sequence length; its learning rate ends at `rate` times the base rate.

    `fim` is the share of fill-in-the-middle samples in its rows; their middles count `middle_weight` times;
    with `learn_typed` what was typed before the cursor is learnt too.
    """

    name: str
    length: int
    steps: int
    rate: float
    fim: float
    middle_weight: float
    learn_typed: bool = True


def phase_at(phases: list[Phase], step: int) -> tuple[int, int]:
    """The index of the phase that a step lies in, and the step's number inside it."""
    for index, phase in enumerate(phases):
        if step < phase.steps:
            return index, step
        step -= phase.steps
    return len(phases), step


def rate_at(phases: list[Phase], step: int, warmup: int, first: float = 1.0) -> float:
    """The learning rate's factor: linear warm-up to `first`, then a straight line to each phase's own `rate`."""
    index, inside = phase_at(phases, step)
    start = phases[index - 1].rate if index else first
    end = phases[index].rate
    return min(1.0, (step + 1) / warmup) * (start + (end - start) * (inside + 1) / phases[index].steps)


def losses(logits: Tensor, targets: Tensor, roles: Tensor, middle_weight: float) -> tuple[Tensor, Tensor]:
    """The weighted mean loss to descend, and (text sum, text count, middle sum, middle count) to report.

    Shapes: logits (batch, time, vocabulary), targets and roles (batch, time).
    """
    each = functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none")
    kind = roles.flatten()
    text = (kind == samples.TEXT).float()
    middle = (kind == samples.MIDDLE).float()
    weight = text + middle_weight * middle
    report = torch.stack(((each * text).sum(), text.sum(), (each * middle).sum(), middle.sum()))
    return (each * weight).sum() / weight.sum().clamp_min(1.0), report.detach()


def split(rows: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of (id, role) numbers to inputs, targets and the targets' roles."""
    table = torch.from_numpy(rows.astype(np.int64)).to(device)
    ids, roles = table & samples.ID_MASK, table >> samples.ROLE_SHIFT
    return ids[:, :-1].contiguous(), ids[:, 1:].contiguous(), roles[:, 1:].contiguous()


class Trainer:
    """A model, its optimizers, and where they are in the run."""

    def __init__(self, options: dict[str, Any], phases: list[Phase], shape: Shape, folder: Path, seed: int) -> None:
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("high")
        self.device = torch.device(options["device"])
        self.options = options
        self.start_rate = float(options["start_rate"])
        self.phases = phases
        self.folder = folder
        self.model = Llama(shape).to(self.device)
        # One graph for each sequence length: graphs of unknown length are slower.
        self.compiled = torch.compile(self.losses_of, dynamic=False)
        self.workers = ThreadPoolExecutor(options["threads"], initializer=torch.set_num_threads, initargs=(1,))
        self.parameters = list(self.model.parameters())
        hidden = [p for p in self.model.layers.parameters() if p.ndim == 2]
        others = [p for p in self.parameters if p.ndim != 2 or p is self.model.embed_tokens.weight]
        muon_rate, adamw_rate = options["muon_lr"], options["adamw_lr"]
        # The matrices are dealt to two optimizers, so that two threads can step them.
        self.base_rates = (muon_rate, muon_rate, adamw_rate)
        self.optimizers: list[torch.optim.Optimizer] = [
            *(Muon(hidden[part::2], lr=muon_rate, weight_decay=options["weight_decay"]) for part in range(2)),
            torch.optim.AdamW(others, lr=adamw_rate, betas=(0.9, 0.95), weight_decay=0.0),
        ]
        self.graphs: set[tuple[int, float]] = set()
        self.middle_weight = phases[0].middle_weight
        self.stopping = False
        self.step = 0
        self.seconds = 0.0

    def stop(self, *_: object) -> None:
        """Finish the step in hand, write a checkpoint, and end. Fit to be a signal handler."""
        self.stopping = True

    @property
    def checkpoint(self) -> Path:
        """Where the state of the run is kept."""
        return self.folder / "checkpoint.pt"

    def losses_of(self, ids: Tensor, targets: Tensor, roles: Tensor) -> tuple[Tensor, Tensor]:
        """One pass forward."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.options["precision"] == "bf16"):
            logits = self.model(ids)
        return losses(logits, targets, roles, self.middle_weight)

    def save(self) -> None:
        """Write the checkpoint through a temporary name, so that a kill never leaves half of one."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seconds": self.seconds,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def resume(self) -> bool:
        """Go on from the checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.seconds = state["step"], state["seconds"]
        return True

    def gradients(self, rows: np.ndarray) -> tuple[tuple[Tensor, ...], Tensor]:
        """One pass forward and backward over some rows: every parameter's gradient, and the report of `losses`."""
        loss, report = self.compiled(*split(rows, self.device))
        return torch.autograd.grad(loss, self.parameters), report

    def descend(self, rows: np.ndarray) -> Tensor:
        """One optimizer step over a batch of rows. Returns the report of `losses`.

        Each micro-batch is one thread's work, taken when that thread is free: where another program takes part of
        a core, the other core does more, while threads that share each operation would wait for the slower one.
        """
        rate = rate_at(self.phases, self.step, self.options["warmup_steps"], self.start_rate)
        for optimizer, base in zip(self.optimizers, self.base_rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = base * rate
        size = max(1, self.options["micro_batch_tokens"] // (rows.shape[1] - 1))
        pieces = [rows[at : at + size] for at in range(0, len(rows), size)]
        total = torch.zeros(4, device=self.device)
        # The first graph of each kind is compiled here, alone.
        self.middle_weight = self.phases[phase_at(self.phases, self.step)[0]].middle_weight
        graph = (rows.shape[1], self.middle_weight)
        first = [] if graph in self.graphs else [self.gradients(pieces.pop())]
        self.graphs.add(graph)
        count = len(pieces) + len(first)
        for gradients, report in (*first, *self.workers.map(self.gradients, pieces)):
            total += report
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                share = gradient / count
                parameter.grad = share if parameter.grad is None else parameter.grad.add_(share)
        nn.utils.clip_grad_norm_(self.parameters, MAX_GRADIENT_NORM)
        for stepped in [self.workers.submit(optimizer.step) for optimizer in self.optimizers]:
            stepped.result()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return total.cpu()

    @torch.no_grad()
    def validate(self, rows: np.ndarray, size: int) -> tuple[float, float]:
        """Mean loss on held-out text and on held-out suggestions, nats a token."""
        total = torch.zeros(4)
        for at in range(0, len(rows), size):
            total += self.compiled(*split(rows[at : at + size], self.device))[1].cpu()
        return float(total[0] / total[1]), float(total[2] / total[3])

    def run(
        self, rows: list[np.ndarray], validation: np.ndarray, stop_after: int | None, seconds: float = float("inf")
    ) -> None:
        """Train to the end of the last phase, to a step, or for so many seconds. Writes the curve and checkpoints."""
        last = sum(phase.steps for phase in self.phases)
        last = last if stop_after is None else min(last, stop_after)
        started, saved, base = time.monotonic(), time.monotonic(), self.seconds
        total, first = torch.zeros(4), self.step
        curve = self.folder / "curve.csv"
        fresh = not curve.exists() or self.step == 0
        with curve.open("w" if fresh else "a", newline="") as file:
            writer = csv.DictWriter(file, CURVE_FIELDS)
            if fresh:
                writer.writeheader()
            while self.step < last and not self.stopping:
                index, inside = phase_at(self.phases, self.step)
                per_step = self.options["batch_tokens"] // self.phases[index].length
                table = rows[index]
                at = inside * per_step % (len(table) - per_step + 1)
                total += self.descend(table[at : at + per_step])
                self.seconds = base + time.monotonic() - started
                self.stopping |= time.monotonic() - started > seconds
                ends = self.step == last or self.stopping
                validates = self.step % self.options["validate_every"] == 0 or ends
                if self.step % REPORT_EVERY == 0 or validates:
                    record = self.record(total, index)
                    if validates:
                        size = self.options["batch_tokens"] // self.phases[0].length
                        text, middle = self.validate(validation, size)
                        record |= {"validation_text": f"{text:.4f}", "validation_middle": f"{middle:.4f}"}
                    writer.writerow(record)
                    file.flush()
                    left = (last - self.step) * (time.monotonic() - started) / (self.step - first)
                    print(f"{record} left {left / 60:.1f} min", flush=True)
                    total = torch.zeros(4)
                if ends or time.monotonic() - saved > 60 * self.options["checkpoint_minutes"]:
                    self.save()
                    saved = time.monotonic()

    def record(self, total: Tensor, phase: int) -> dict[str, Any]:
        """A row of the curve."""
        text, middle = float(total[0] / total[1]), float(total[2] / total[3])
        return {
            "step": self.step,
            "tokens": self.step * self.options["batch_tokens"],
            "seconds": round(self.seconds),
            "phase": self.phases[phase].name,
            "rate": round(rate_at(self.phases, self.step - 1, self.options["warmup_steps"], self.start_rate), 4),
            "loss": round(float((total[0] + total[2]) / (total[1] + total[3])), 4),
            "text_loss": round(text, 4),
            "middle_loss": round(middle, 4),
        }


def load_rows(path: Path) -> np.ndarray:
    """Rows that `training.samples` wrote, mapped into memory.

    Raises:
        SystemExit: they have not been made yet.
    """
    if not path.exists():
        raise SystemExit(f"No rows at {path}: run `python -m training.samples` first.")
    table: np.ndarray = np.load(path, mmap_mode="r")
    return table


def main() -> None:
    """Train, or go on training."""
    parser = settings.arguments("Train the model; goes on from the last checkpoint if there is one.")
    parser.add_argument("--folder", type=Path, help="where checkpoint and curve go (default: OUTPUT/run/NAME)")
    parser.add_argument("--restart", action="store_true", help="ignore the checkpoint and begin anew")
    parser.add_argument("--stop-after", type=int, help="stop at this step, with a checkpoint")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long, with a checkpoint")
    parser.add_argument("--device", help="cpu or cuda, instead of what the configuration says")
    parser.add_argument("--phase-steps", action="append", default=[], metavar="NAME=STEPS",
                        help="give a phase another length, for instance stable=900 to decay early")  # fmt: skip
    options = parser.parse_args()
    if sys.platform == "linux" and any(os.environ.get(name) != value for name, value in ALLOCATOR.items()):
        # The allocator reads these when the process starts.
        os.execve(sys.executable, [sys.executable, "-m", "training.train", *sys.argv[1:]], os.environ | ALLOCATOR)
    config = settings.load(options.config)
    changed = dict(item.split("=", 1) for item in options.phase_steps)
    phases = [
        Phase(**{**phase, "steps": int(changed.get(phase["name"], phase["steps"]))}) for phase in config.train["phases"]
    ]
    folder = options.folder or config.output / "run" / config.train["name"]
    folder.mkdir(parents=True, exist_ok=True)
    tokens = vocabulary.load(config.path(config.tokenizer["file"])).get_vocab_size()
    table = config.train | ({"device": options.device} if options.device else {})
    if table["device"] == "cuda" and not torch.cuda.is_available():
        raise SystemExit(f"{options.config.name} trains on a GPU and there is none: --device cpu takes days.")
    trainer = Trainer(table, phases, Shape.of(config.train, tokens), folder, config.seed)
    signal.signal(signal.SIGTERM, trainer.stop)
    signal.signal(signal.SIGINT, trainer.stop)
    origin = "from nothing"
    if not options.restart and trainer.resume():
        origin = f"resumed at step {trainer.step}"
    elif config.train["init_from"]:
        earlier = config.path(config.train["init_from"])
        tokenizer = vocabulary.load(config.path(config.tokenizer["file"]))
        kept = warm_start.begin(trainer.model, earlier, config.train["init_sha256"], tokenizer)
        origin = f"from {earlier.name}, whose vocabulary has {kept} of our tokens"
    print(f"{parameters(trainer.model) / 1e6:.2f} M parameters, {origin}")
    rows = [load_rows(config.output / "rows" / f"{config.train['name']}-{phase.name}.npy") for phase in phases]
    trainer.run(rows, load_rows(config.output / "rows" / "validation.npy"), options.stop_after, options.seconds)


if __name__ == "__main__":
    main()
