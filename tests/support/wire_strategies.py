"""Hypothesis strategies for every struct of the protocol, derived from its declared types and bounds."""

from __future__ import annotations

from typing import Any, get_args

import msgspec.inspect as inspect
from hypothesis import strategies as st

from wire_protocol.frames import AnyFrame, Context, Snippet

LONGEST = 40
"""Generated strings and lists stay short: bounds have tests of their own."""

CODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=LONGEST)


def _longest(limit: int | None) -> int:
    return LONGEST if limit is None else min(limit, LONGEST)


def of_type(info: inspect.Type) -> st.SearchStrategy[Any]:
    """Values of a msgspec type, within its bounds."""
    match info:
        case inspect.Metadata(type=inner):
            return of_type(inner)
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=low, le=high):
            return st.integers(low, high)
        case inspect.FloatType(ge=low, le=high):
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case inspect.StrType(min_length=low, max_length=high):
            return st.text(st.characters(exclude_categories=["Cs"]), min_size=low or 0, max_size=_longest(high))
        case inspect.BytesType(min_length=low, max_length=high):
            return st.binary(min_size=low or 0, max_size=_longest(high))
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.ListType(item_type=item, max_length=high):
            return st.lists(of_type(item), max_size=min(_longest(high), 4))
        case inspect.UnionType(types=types):
            return st.one_of([of_type(each) for each in types])
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: of_type(field.type) for field in fields})
    raise AssertionError(f"no strategy for {info}")


FRAME_TYPES = get_args(AnyFrame)


def of_frame(frame: type) -> st.SearchStrategy[Any]:
    """Instances of one frame type."""
    return of_type(inspect.type_info(frame))


ANY_FRAME = st.one_of([of_frame(frame) for frame in FRAME_TYPES])
CONTEXTS = st.builds(
    Context,
    before=CODE,
    typed=CODE,
    tail=CODE,
    after=CODE,
    snippets=st.lists(st.builds(Snippet, path=CODE, text=CODE), max_size=3),
    path=CODE,
    language=CODE,
)
