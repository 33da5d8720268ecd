"""Reads training/starter.toml: one place for paths, seeds and sizes of every step."""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_CONFIG = Path(__file__).resolve().parent / "starter.toml"


@dataclass(frozen=True)
class Settings:
    """The whole configuration; sections stay as the plain tables of the file."""

    seed: int
    output: Path
    corpus: dict[str, Any]
    tokenizer: dict[str, Any]
    samples: dict[str, Any]
    train: dict[str, Any]
    export: dict[str, Any]

    def path(self, name: str) -> Path:
        """A file named in the configuration, relative to the repository root unless absolute."""
        return REPOSITORY / name


def laid_over(base: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """The base with what the table says instead; tables inside are merged, anything else is replaced."""
    merged = dict(base)
    for key, value in table.items():
        below = base.get(key)
        merged[key] = laid_over(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


def read(path: Path) -> dict[str, Any]:
    """A configuration file's tables, over those of its base."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    base = table.pop("base", None)
    return table if base is None else laid_over(read(path.parent / base), table)


def load(path: Path = DEFAULT_CONFIG) -> Settings:
    """Read a configuration file.

    A file with `base = "other.toml"` (beside it) says only what differs: its tables are laid over the base's,
    key by key.

    Raises:
        SystemExit: the file is missing, is not TOML, or lacks a section; the message says which.
    """
    try:
        table = read(path)
        return Settings(
            seed=table["seed"],
            output=REPOSITORY / table["output"],
            **{name: table[name] for name in ("corpus", "tokenizer", "samples", "train", "export")},
        )
    except FileNotFoundError as error:
        raise SystemExit(f"No configuration file at {error.filename}: pass one with --config.") from None
    except tomllib.TOMLDecodeError as error:
        raise SystemExit(f"{path} is not valid TOML: {error}.") from None
    except KeyError as error:
        raise SystemExit(f"{path} has no {error} section: see training/starter.toml for one that works.") from None


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the `--config` option that every step has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="default: training/starter.toml")
    return parser
