"""The switch of the ablation benchmark."""

from __future__ import annotations

import pytest

from lsp_server.techniques import WITHOUT, Techniques


def test_everything_is_on() -> None:
    assert Techniques.from_environment({}) == Techniques()


def test_techniques_are_switched_off_by_name() -> None:
    without = Techniques.from_environment({WITHOUT: "prefetch, joining"})
    assert without == Techniques(prefetch=False, joining=False)


def test_a_name_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'prefetching', which is no technique: .*prefetch"):
        Techniques.from_environment({WITHOUT: "prefetching"})
