"""Draws the 50 cursors of prompts.json from files of this repository; run it only to replace them.

    python tests/parity/draw_prompts.py

The result is committed, because a prompt that changed with every edit of the repository would compare nothing.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = Path(__file__).with_name("prompts.json")
SEED = 20261121
PROMPTS = 50
# Three quarters Python, the rest what people edit beside it.
SOURCES = (
    (38, ("wire_protocol/*.py", "lsp_server/*.py", "edge_proxy/*.py", "gpu_worker/*.py", "training/*.py")),
    (12, ("*/README.md", "scripts/*.sh", "pyproject.toml", "training/*.toml", "Makefile")),
)
MAX_BEFORE, MAX_AFTER, TRUTH = 1_400, 500, 160
"""Characters before the cursor's line, after what is being written, and of what is being written."""


def draw(text: str, path: str, generator: random.Random) -> dict[str, str]:
    """One cursor in a text: anywhere in a line that has something in it, with as much context as comes out."""
    starts = [0, *(at + 1 for at, character in enumerate(text[:-1]) if character == "\n")]
    starts = [at for at in starts if text[at : text.find("\n", at)].strip()]
    anchor = generator.choice(starts)
    line = text[anchor : text.find("\n", anchor)]
    cursor = anchor + generator.randint(0, len(line))
    end = cursor + TRUTH
    first = text.rfind("\n", 0, max(0, anchor - generator.randint(0, MAX_BEFORE))) + 1
    return {
        "path": path,
        "before": text[min(first, anchor) : anchor],
        "typed": text[anchor:cursor],
        "truth": text[cursor:end],
        "after": text[end : end + generator.randint(0, MAX_AFTER)],
    }


def main() -> None:
    """Write prompts.json."""
    generator = random.Random(SEED)
    prompts = []
    for count, patterns in SOURCES:
        files = sorted(path for pattern in patterns for path in REPOSITORY.glob(pattern))
        texts = [(path.relative_to(REPOSITORY).as_posix(), path.read_text(encoding="utf-8")) for path in files]
        prompts += [draw(text, path, generator) for path, text in generator.choices(texts, k=count)]
    TARGET.write_text(json.dumps(prompts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(prompts)} prompts")


if __name__ == "__main__":
    main()
