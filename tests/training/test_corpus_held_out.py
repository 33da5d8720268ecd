"""Held-out code does not leak into training, and what is still shared is counted."""

from __future__ import annotations

from training.corpus import held_out, ngrams
from training.corpus.records import Package

CODE = '''"""Counts things that somebody wants to have counted."""


def count_wanted_items(items, wanted):
    """How many of the items are wanted by somebody."""
    total = sum(1 for item in items if item == wanted)
    return total


def count_unwanted_items(items, wanted):
    """How many of the items are not wanted by anybody."""
    return sum(1 for item in items if item != wanted)
'''
WORDS = " ".join(f"word{n}" for n in range(100))


def package(name: str, files: dict[str, str], language: str = "python") -> Package:
    """A package with files of one language."""
    return Package("pypi", name, "1", "MIT", files, dict.fromkeys(files, language))


def test_a_file_copied_from_a_held_out_package_is_dropped_even_if_edited() -> None:
    edited = CODE.replace("total", "amount") + "\n\nVERSION = 2\n"
    train = package("other", {"a.py": edited, "b.py": "import something_else_that_is_long\n" * 9})
    held_out.drop_copies([train], [package("kept", {"a.py": CODE})], most=0.25)
    assert (set(train.files), train.dropped) == ({"b.py"}, {"overlaps_held_out": 1})


def test_all_of_a_copy_is_counted_as_overlap() -> None:
    report = held_out.overlap([package("copy", {"a.py": WORDS})], [package("kept", {"b.py": WORDS})])
    assert report["languages"]["python"] == {
        "held_out_runs": 88, "in_training": 88, "share": 1.0, "files": 1, "contaminated_files": ["pypi:kept b.py"],
    }  # fmt: skip


def test_twelve_shared_words_are_no_overlap_and_thirteen_are_one() -> None:
    twelve, thirteen = (" ".join(f"word{n}" for n in numbers) for numbers in (range(12), range(50, 63)))
    train = package("other", {"a.py": f"{twelve} other {thirteen}"})
    report = held_out.overlap([train], [package("kept", {"b.py": WORDS})])
    assert report["languages"]["python"]["in_training"] == 1


def test_overlap_is_told_apart_by_the_language_of_the_held_out_file() -> None:
    kept = [package("kept", {"b.py": WORDS}), package("unseen", {"c.go": WORDS.replace("word", "name")}, "go")]
    report = held_out.overlap([package("copy", {"a.py": WORDS})], kept)
    assert {name: row["share"] for name, row in report["languages"].items()} == {"go": 0.0, "python": 1.0}


def test_runs_are_equal_only_for_equal_tokens_in_equal_order() -> None:
    vocabulary = ngrams.Vocabulary()
    first = ngrams.runs(vocabulary.tokens("a = b + c"), 5)
    again = ngrams.runs(ngrams.Vocabulary().tokens("a=b +\n c"), 5)
    other = ngrams.runs(vocabulary.tokens("a = c + b"), 5)
    assert (first[0] == again[0], first[0] == other[0], len(first)) == (True, False, 1)


def test_a_text_shorter_than_a_run_has_none() -> None:
    assert ngrams.runs(ngrams.Vocabulary().tokens("a = b"), 13).tolist() == []


def test_a_tokens_hash_is_the_same_in_every_process() -> None:
    assert ngrams.Vocabulary().tokens("return").tolist() == [0x250483AB993F0C5]
