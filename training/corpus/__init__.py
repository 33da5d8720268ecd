"""Step 1: fetch permissively licensed packages, keep what is worth learning from, write it and its manifest.

`python -m training.corpus` runs the step; `read_jsonl` is what the later steps need of it.
"""

from training.corpus.records import read_jsonl

__all__ = ["read_jsonl"]
