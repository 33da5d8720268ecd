"""What a body of `/v1/completions` asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge_proxy.openai_door.calls import DEFAULT_TOKENS, Call, parse
from edge_proxy.openai_door.problems import Problem
from wire_protocol.frames import MAX_TEXT, MAX_TOKENS, Context, Snippet


def call(headers: dict[str, str] | None = None, /, **fields: Any) -> Call:
    return parse(json.dumps({"model": "foretype", "prompt": "x", **fields}).encode(), headers or {})


def test_the_line_of_the_cursor_is_what_was_typed() -> None:
    made = call(prompt="def add(a, b):\n    ret", suffix="\n\nadd(1, 2)\n")
    assert made.context == Context(before="def add(a, b):\n", typed="    ret", after="\n\nadd(1, 2)\n")


def test_a_very_long_line_stays_before_the_cursor() -> None:
    assert call(prompt="a\n" + "x" * 600).context == Context(before="a\n" + "x" * 600)


def test_line_ends_become_newlines() -> None:
    assert call(prompt="a\r\nb\rc", suffix="\r\nd").context == Context(before="a\nb\n", typed="c", after="\nd")


def test_a_laid_out_prompt_gives_its_parts_without_a_marker() -> None:
    prompt = "<|file_sep|>u.py\nU = 1\n<|file_sep|>a.py\n<|fim_prefix|>a\nb = <|fim_suffix|>\nc<|fim_middle|>"
    context = call(prompt=prompt).context
    assert context == Context(
        before="a\n", typed="b = ", after="\nc", path="a.py", snippets=[Snippet(path="u.py", text="U = 1\n")]
    )


def test_a_list_of_one_prompt_is_that_prompt() -> None:
    assert call(prompt=["x = "]).context == Context(typed="x = ")


def test_what_is_left_out_is_openai_s_default() -> None:
    made = call()
    assert (made.max_tokens, made.stop, made.stream, made.kind) == (DEFAULT_TOKENS, (), False, "automatic")


def test_control_tokens_are_dropped_from_the_stops() -> None:
    assert call(stop=["\n\n", "<|endoftext|>", "", "<fim_middle>", "\n\n"]).stop == ("\n\n",)
    assert call(stop="```").stop == ("```",)


def test_the_headers_say_how_urgent_it_is() -> None:
    made = call({"X-Foretype-Kind": "invoked", "X-Foretype-Give-Up-Ms": "1500", "traceparent": "00-a"})
    assert (made.kind, made.give_up, made.trace) == ("invoked", 1.5, "00-a")


def test_unknown_fields_and_sampling_are_passed_over() -> None:
    made = call(n_predict=3, seed=1, frequency_penalty=1.0, temperature=0.7, top_p=0.9, logprobs=None, echo=False, n=1)
    assert made.named == "foretype"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": "x" * (MAX_TEXT + 1)}, "prompt"),
        ({"suffix": 1}, "suffix"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": MAX_TOKENS + 1}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"n": 2}, "n"),
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 5}, "logprobs"),
        ({"echo": True}, "echo"),
        ({"stop": [1]}, "stop"),
        ({"stop": ["x" * 129]}, "stop"),
        ({"stop": [f"stop {number}" for number in range(17)]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": 3}}, "stream_options"),
        ({"user": "u" * 257}, "user"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Problem) as refused:
        call(**fields)
    assert (refused.value.status, refused.value.param) == (400, param)
    assert refused.value.message.endswith((".", ").")), refused.value.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"model": "\\ud800"}', b"null"])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse(body, {})
    assert refused.value.status == 400


@pytest.mark.parametrize("headers", [{"X-Foretype-Kind": "soon"}, {"X-Foretype-Give-Up-Ms": "-1"}])
def test_a_header_that_says_nothing_known_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Problem, match="header X-Foretype"):
        call(headers)


@pytest.mark.parametrize("header", ["\udcff", "00-\udc80-01", "é" * 40])
def test_a_trace_that_is_no_ascii_is_not_passed_on(header: str) -> None:
    assert call({"traceparent": header}).trace == ""
