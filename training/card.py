"""Step 9: put the measured figures into MODEL_CARD.md, between their markers; the prose around them is by hand.

Every block comes from a file that a documented command wrote, named in the block. A block whose file is missing keeps
what it says, and is named on stderr, so that a card never mixes figures that nobody measured.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from training import settings, show_suggestions

CARD = Path(__file__).resolve().parent / "MODEL_CARD.md"
OUTPUT = settings.REPOSITORY / "benchmarks" / "output"
QUALITY = OUTPUT / "quality.json"
DRAFT = OUTPUT / "draft_acceptance.json"
SPEED = OUTPUT / "starter_speed.json"
BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
MB = 1e6

Json = dict[str, Any]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(estimate: Json) -> str:
    """`25.3 % (21.9–29.0)`: a share with its 95 % interval."""
    if estimate["value"] is None:
        return "–"
    value, low, high = (100 * estimate[name] for name in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f}–{high:.1f})"


def number(estimate: Json) -> str:
    """`1.84 (1.79–1.90)`."""
    return f"{estimate['value']:.2f} ({estimate['low']:.2f}–{estimate['high']:.2f})"


def load(path: Path) -> Json:
    """A JSON file's object."""
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def model(config: settings.Settings) -> str:
    """What the shipped file is."""
    card = load(config.path(config.export["install"]) / f"{config.train['name']}.json")
    train = config.train
    longest = max(phase["length"] for phase in train["phases"])
    sizes = (
        f"Llama: {train['layers']} layers of {train['width']}, {train['heads']} heads ({train['kv_heads']} for keys), "
        f"feed-forward {train['feed_forward']}, tied embeddings"
    )
    rows = [
        ["file", f"`{config.export['install']}/{card['file']}`, {card['bytes'] / MB:.2f} MB"],
        ["SHA-256", f"`{card['sha256']}`"],
        ["architecture", sizes],
        ["parameters", f"{card['parameters'] / MB:.2f} M"],
        ["vocabulary", f"{card['vocabulary']} tokens, byte-level BPE"],
        ["quantisation", card["quantisation"]],
        ["context", f"{card['context_tokens']} tokens stated; trained at up to {longest}"],
        ["licence", "Apache-2.0"],
        ["languages", ", ".join(card["languages"])],
    ]  # fmt: skip
    return "".join(f"| {' | '.join(row)} |\n" for row in [["", ""], ["---", "---"], *rows])


def data(config: settings.Settings) -> str:
    """The corpus by language, and what is held out."""
    manifest = load(config.path(config.corpus["manifest"]))
    total = manifest["bytes"]
    held_out, shared = manifest["held_out_languages"], manifest["overlap"]["languages"]
    rows = [
        [
            name,
            f"{row['files']:,}",
            f"{row['bytes'] / MB:.1f}",
            f"{100 * row['bytes'] / total:.1f} %",
            f"{held_out.get(name, {}).get('bytes', 0) / MB:.2f}",
            f"{100 * shared[name]['share']:.1f} %" if name in shared else "–",
        ]
        for name, row in sorted(manifest["languages"].items(), key=lambda item: -item[1]["bytes"])
    ]
    licences = sorted({row["licence"] for row in manifest["train"]})
    head = ["language", "files", "MB", "share", "held out, MB", "its 13-word runs that occur in training"]
    return (
        f"{manifest['files']:,} files, {total / MB:.1f} MB, of {len(manifest['train'])} packages; "
        f"{len(manifest['held_out'])} other packages are held out whole.\n\n{table(head, rows)}\n"
        f"Licences, as the packages state them: {'; '.join(licences)}.\n"
    )


def training(config: settings.Settings) -> str:
    """How long, and to what loss: the last line of the curve that validated."""
    with config.path(config.export["curve"]).open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    last = [line for line in lines if line["validation_text"]][-1]
    return (
        f"{int(last['step']):,} steps, {int(last['tokens']) / MB:.1f} M tokens, {int(last['seconds']) / 60:.0f} "
        "minutes of two CPU cores shared with other work. Validation loss at the end: "
        f"{float(last['validation_text']):.2f} nats a token of held-out text, "
        f"{float(last['validation_middle']):.2f} of held-out suggestions. The curve: "
        f"`{config.export['curve']}`.\n"
    )


def quality(config: settings.Settings) -> str:
    """The quality bench's tables."""
    results = load(QUALITY)["results"]
    out = []
    for task, title in (("single", "The rest of a line"), ("multi", "A block")):
        tasks = [result["tasks"][task] for result in results]
        head = [f"{title}, {tasks[0]['cursors']} cursors", *(result["label"] for result in results)]
        rows = [[name, *(percent(each["measures"][name]) for each in tasks)] for name in tasks[0]["measures"]]
        for kind, groups in tasks[0]["by"].items():
            if "quarter" not in kind:
                rows += [
                    [f"exact, {group}", *(percent(each["by"][kind][group]["exact match"]) for each in tasks)]
                    for group in groups
                ]
        out.append(table(head, rows))
    return "\n".join(out)


def calibration(config: settings.Settings) -> str:
    """The shipped model's thresholds."""
    found = load(QUALITY)["results"][0]["tasks"]["single"]["calibration"]
    rows = [
        [
            "any" if row["mean_logprob"] is None else f"≥ {row['mean_logprob']:g}",
            percent(row["shown"]),
            percent(row["exact"]),
            percent(row["right"]),
        ]
        for row in found["thresholds"]
    ]
    head = ["mean log-probability", "share shown", "of these exact", "of these right up to their end"]
    return f"Expected calibration error {found['expected_calibration_error']:.3f}.\n\n{table(head, rows)}"


def draft(config: settings.Settings) -> str:
    """The draft's acceptance by kind of code."""
    found = load(DRAFT)
    parts = {"all": found["overall"], **found["by_kind"], **found["by_group"]}
    rows = [
        [name, percent(part["of_proposed"]), percent(part["of_judged"]), f"{100 * part['share_of_proposals']:.1f} %"]
        for name, part in parts.items()
    ]
    used = found["settings"]
    return (
        f"{table(['', 'accepted of proposed', 'of those reached', 'share of proposals'], rows)}\n"
        f"{used['k']} tokens proposed at a time, {used['cursors']} cursors. Tokens a step of the target gives: "
        f"{number(found['tokens_per_target_step'])}; seconds with the draft over without, on two CPU cores: "
        f"{number(found['seconds_with_draft_over_without_decoding'])} (above 1: slower). The case study reports "
        f"{100 * used['case_study_acceptance']:.0f} % overall for its own pair of models.\n"
    )


def memorisation(config: settings.Settings) -> str:
    """How often 50-token runs of the training data come out."""
    found = load(config.output / "memorisation.json")
    rows = [
        [
            f"{row['part']}, {row['layout']}, {row['context']} tokens of context",
            str(row["prompts"]),
            percent(row["continuation_reproduced"]),
            percent(row["training_run_reproduced"]),
            percent(row["training_run_reproduced_not_trivial"]),
        ]
        for row in found["results"]
    ]
    head = ["places", "prompts", "the true continuation", "any training run", "of it not trivial"]
    return f"{table(head, rows)}\nTrivial: {found['settings']['trivial']}.\n"


def speed(config: settings.Settings) -> str:
    """First token and tokens a second, beside llama.cpp's own server in the same run."""
    found = load(SPEED)
    names = {"cold": "first token, 1,000 new tokens", "keystroke": "first token, one key more"}
    rows = []
    for label in next(iter(found["servers"].values())):
        unit = "tokens/s" if label.startswith("rate") else "ms"
        title = names.get(label, f"generation, {label.removeprefix('rate ')} at once")
        rows.append([f"{title}, {unit}", *(f"{each[label]['p50']:.1f}" for each in found["servers"].values())])
    return table(["p50", *found["servers"]], rows)


def suggestions(config: settings.Settings) -> str:
    """Ten good and ten bad ones, by the seed."""
    if not QUALITY.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(QUALITY))
    label, answers = show_suggestions.answers_of(QUALITY, None, "single")
    return show_suggestions.markdown(label, answers, show_suggestions.COUNT, show_suggestions.SEED)


BLOCKS: dict[str, Callable[[settings.Settings], str]] = {
    block.__name__: block
    for block in (model, data, training, quality, calibration, draft, memorisation, speed, suggestions)
}


def filled(card: str, config: settings.Settings) -> tuple[str, list[str]]:
    """The card with every block whose figures are there, and a sentence for each that kept its old ones."""
    missing: list[str] = []

    def block(match: re.Match[str]) -> str:
        opening, name, closing = match.groups()
        try:
            return f"{opening}{BLOCKS[name](config)}{closing}"
        except FileNotFoundError as error:
            missing.append(f"{name} keeps its old figures: there is no {error.filename}.")
            return match.group()

    return BLOCK.sub(block, card), missing


def main() -> None:
    """Rewrite the card's blocks."""
    options = settings.arguments("Put the measured figures into training/MODEL_CARD.md.").parse_args()
    text, missing = filled(CARD.read_text(encoding="utf-8"), settings.load(options.config))
    CARD.write_text(text, encoding="utf-8")
    for sentence in missing:
        print(sentence, file=sys.stderr)


if __name__ == "__main__":
    main()
