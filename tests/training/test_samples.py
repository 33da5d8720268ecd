"""Fill-in-the-middle samples: they restore the text, cut at characters, and label what is to be learnt."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from training import samples, settings, spans
from training import tokenizer as vocabulary

CONFIG = settings.load()
LAYOUT = samples.Layout(vocabulary.load(CONFIG.path(CONFIG.tokenizer["file"])))
OPTIONS = {**CONFIG.samples, "empty_after": 0.0}
CODE = '''import os


class Store:
    """Keeps values."""

    def __init__(self, path):
        self.path = path
        self.values = {}

    def get(self, name, default=None):
        """The value of a name,
        or the default.
        """
        if name in self.values:
            return self.values[name]
        return default

    def load(self, reader=open):
        with reader(os.path.join(self.path, "values.txt")) as file:
            for line in file:
                name, _, value = line.partition("=")
                self.values[name.strip()] = value
'''
LINES = spans.Lines.of(CODE)
END = LAYOUT.special[vocabulary.END]

texts = st.one_of(
    st.just(CODE),
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=300),
    st.lists(st.sampled_from(["", "    x = f(a, b)", "def f():", '    """Doc."""', "\tπ = '…'"]), max_size=12).map(
        "\n".join
    ),
)


def sample_of(seed: int, text: str = CODE, **options: float) -> samples.Sample | None:
    return samples.cut(text, "a/b.py", {**OPTIONS, **options}, random.Random(seed))


def many(count: int = 300, **options: float) -> list[samples.Sample]:
    """Samples of the example, cut with one seed after another."""
    return [sample for seed in range(count) if (sample := sample_of(seed, **options)) is not None]


@property_settings(deadline=None)
@given(texts, st.integers(0, 2**32))
def test_the_parts_of_a_sample_restore_the_text(text: str, seed: int) -> None:
    sample = sample_of(seed, text)
    if sample is not None:
        assert sample.before + sample.typed + sample.middle + sample.after == text


@property_settings(deadline=None)
@given(texts, st.integers(0, 2**32))
def test_what_was_typed_begins_at_the_start_of_a_line(text: str, seed: int) -> None:
    sample = sample_of(seed, text)
    if sample is not None:
        assert sample.before == "" or sample.before.endswith("\n")


@property_settings(deadline=None)
@given(st.integers(0, 2**32))
def test_tokens_decode_to_the_layout_of_the_worker(seed: int) -> None:
    sample = sample_of(seed, suffix_first=0.0, path=1.0)
    assert sample is not None
    pairs = LAYOUT.fill(sample, room=4000, after_share=0.3)
    assert pairs is not None
    text = LAYOUT.tokenizer.decode([token for token, _ in pairs], skip_special_tokens=False)
    assert text == (
        f"<|file_sep|>a/b.py\n<|fim_prefix|>{sample.before}<|fim_suffix|>{sample.after}"
        f"<|fim_middle|>{sample.typed}{sample.middle}<|endoftext|>"
    )


@property_settings(deadline=None)
@given(st.integers(0, 2**32))
def test_tokens_decode_to_the_suffix_first_layout(seed: int) -> None:
    sample = sample_of(seed, suffix_first=1.0, path=0.0)
    assert sample is not None
    pairs = LAYOUT.fill(sample, room=4000, after_share=0.3)
    assert pairs is not None
    text = LAYOUT.tokenizer.decode([token for token, _ in pairs], skip_special_tokens=False)
    assert text == (
        f"<|fim_prefix|><|fim_suffix|>{sample.after}<|fim_middle|>{sample.before}{sample.typed}"
        f"{sample.middle}<|endoftext|>"
    )


@property_settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 1.0]))
def test_the_middle_is_tokenised_on_its_own_and_labelled_to_its_end_token(seed: int, suffix_first: float) -> None:
    sample = sample_of(seed, suffix_first=suffix_first)
    assert sample is not None
    pairs = LAYOUT.fill(sample, room=4000, after_share=0.3)
    assert pairs is not None
    labelled = [token for token, role in pairs if role == samples.MIDDLE]
    assert labelled == [*LAYOUT.ids(sample.middle), END]
    assert [role for _, role in pairs[-len(labelled) :]] == [samples.MIDDLE] * len(labelled)


@property_settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(60, 400), st.floats(0.1, 0.4))
def test_a_sample_never_exceeds_its_room_and_keeps_its_markers(seed: int, room: int, after_share: float) -> None:
    sample = sample_of(seed)
    assert sample is not None
    pairs = LAYOUT.fill(sample, room, after_share)
    if pairs is not None:
        ids = [token for token, _ in pairs]
        assert len(ids) <= room
        for name in (vocabulary.FIM_PREFIX, vocabulary.FIM_SUFFIX, vocabulary.FIM_MIDDLE, vocabulary.END):
            assert ids.count(LAYOUT.special[name]) == 1


def test_markers_and_the_last_token_before_the_cursor_are_not_learnt() -> None:
    sample = samples.Sample("p.py", "a\n", "return se", "lf", "\n", suffix_first=False, kind="rest_of_line")
    pairs = LAYOUT.fill(sample, room=100, after_share=0.3)
    assert pairs is not None
    ignored = LAYOUT.tokenizer.decode([t for t, role in pairs if role == samples.IGNORED], skip_special_tokens=False)
    assert ignored == "<|file_sep|>p.py\n<|fim_prefix|><|fim_suffix|><|fim_middle|> se"


def test_without_learning_what_was_typed_only_context_and_middle_are_learnt() -> None:
    sample = samples.Sample("p.py", "a\n", "return se", "lf", "\n", suffix_first=False, kind="rest_of_line")
    pairs = LAYOUT.fill(sample, room=100, after_share=0.3, learn_typed=False)
    assert pairs is not None
    learnt = LAYOUT.tokenizer.decode([t for t, role in pairs if role != samples.IGNORED], skip_special_tokens=False)
    assert learnt == "a\n\nlf<|endoftext|>"


def test_cursors_fall_inside_words() -> None:
    inside = [s for s in many() if s.typed[-1:].isalpha() and s.middle[:1].isalpha()]
    assert len(inside) > 30


def test_all_kinds_of_spans_occur() -> None:
    kinds = {sample.kind for sample in many(600)}
    assert kinds == {"rest_of_line", "nothing", "block", "lines", "brackets", "docstring", "anything"}


def test_a_rest_of_line_ends_where_the_line_ends() -> None:
    rests = [sample for sample in many() if sample.kind == "rest_of_line"]
    assert rests
    assert all(sample.after.startswith("\n") and "\n" not in sample.middle for sample in rests)


def test_brackets_end_before_the_closing_bracket() -> None:
    insides = [sample for sample in many(600) if sample.kind == "brackets"]
    assert insides
    assert all(sample.after[0] in ")]}" for sample in insides)


def test_a_docstring_ends_with_its_closing_quotes() -> None:
    docstrings = [sample for sample in many(2000) if sample.kind == "docstring"]
    assert docstrings
    assert all(sample.middle.endswith('"""') for sample in docstrings)


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("        if name in self.values:", "            return self.values[name]"),
        ("    def load(self, reader=open):", "                self.values[name.strip()] = value"),
        ("        self.path = path", "        self.values = {}"),
        ("        return default", "        return default"),
    ],
)
def test_a_block_ends_with_its_body(line: str, last: str) -> None:
    index = next(at for at in range(len(LINES)) if LINES.at(at) == line)
    end = spans.block_end(LINES, index)
    assert end is not None
    assert LINES.at(end) == last


def test_a_body_too_long_for_a_suggestion_is_no_block() -> None:
    lines = spans.Lines.of("def f():\n" + "    x += 1\n" * 40)
    assert spans.block_end(lines, 0) is None


def test_the_suffix_is_sometimes_empty() -> None:
    empty = [sample for sample in many(400, empty_after=0.15) if not sample.after]
    assert 20 < len(empty) < 140


@pytest.mark.parametrize("text", ["", "\n", "   \n\n"])
def test_a_text_without_code_gives_no_sample(text: str) -> None:
    assert sample_of(1, text) is None


def rows_of(seed: int, length: int = 256) -> samples.Rows:
    records = [{"package": "p", "path": path, "text": text} for path, text in (("a.py", CODE), ("b.py", CODE * 5))]
    return samples.Rows(records, LAYOUT, OPTIONS, length, 0.75, seed)


def test_rows_are_full_and_hold_only_known_tokens_and_roles() -> None:
    for row in itertools.islice(rows_of(3), 30):
        assert row.shape == (257,)
        assert int((row & samples.ID_MASK).max()) < LAYOUT.tokenizer.get_vocab_size()
        assert set(np.unique(row >> samples.ROLE_SHIFT)) <= {samples.TEXT, samples.MIDDLE, samples.IGNORED}


def test_rows_are_the_same_for_the_same_seed_and_differ_for_another() -> None:
    one, two, other = (np.stack(list(itertools.islice(rows_of(seed), 5))) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_token_ids_leave_room_for_the_role() -> None:
    assert LAYOUT.tokenizer.get_vocab_size() <= samples.ID_MASK + 1


def test_neighbouring_snippets_stand_first_each_under_its_path() -> None:
    sample = samples.Sample(
        "pkg/a.py", "x = 1\n", "y", " = 2", "\n", suffix_first=False, kind="rest_of_line",
        snippets=(("pkg/b.py", "def b():\n    pass\n"),),
    )  # fmt: skip
    filled = LAYOUT.fill(sample, 256, 0.2)
    assert filled is not None
    separator = LAYOUT.special[vocabulary.FILE_SEPARATOR]
    assert filled[0][0] == separator
    text = LAYOUT.tokenizer.decode([token for token, _ in filled], skip_special_tokens=False)
    assert text.startswith("<|file_sep|>pkg/b.py\ndef b():\n    pass\n<|file_sep|>pkg/a.py\n<|fim_prefix|>x = 1\n")


def test_rows_take_snippets_from_other_files_of_the_same_package_and_language() -> None:
    records = [
        {
            "package": package,
            "language": language,
            "path": f"{package}/{number}.{language}",
            "text": f"{package}{number}\n" * 9,
        }
        for package in ("one", "two")
        for language in ("python", "go")
        for number in range(3)
    ]
    rows = samples.Rows(records, LAYOUT, {**CONFIG.samples, "snippets": 1.0}, 128, 1.0, seed=3)
    seen = {record["path"]: {path for _ in range(40) for path, _ in rows.snippets(record)} for record in records}
    for record in records:
        folder, ending = record["path"].split("/")[0], record["language"]
        assert seen[record["path"]] == {
            f"{folder}/{number}.{ending}" for number in range(3) if f"{folder}/{number}.{ending}" != record["path"]
        }


def test_a_documentation_comment_of_the_c_family_is_a_span_that_ends_with_its_closing() -> None:
    code = "/** Adds two\n * numbers. */\nfunction add(a, b) {\n  return a + b;\n}\n"
    lines = spans.Lines.of(code)
    span = spans.docstring(code, lines, 0, random.Random(1))
    assert span is not None
    assert code[span.cursor : span.end].endswith("numbers. */")
