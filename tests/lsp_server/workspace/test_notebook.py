"""A notebook's cells as the text before and after the active one."""

from __future__ import annotations

from lsp_server.anchor import Anchor
from lsp_server.context import AFTER_CHARACTERS, BEFORE_CHARACTERS, build_context
from lsp_server.documents import Documents
from lsp_server.positions import Position
from lsp_server.workspace.notebook import Cell, around
from lsp_server.workspace.parts import Surroundings
from wire_protocol.frames import Context


def cell(uri: str, text: str, language: str = "python") -> Cell:
    return Cell(uri, language, lambda: text)


CELLS = [
    cell("c1", "import numpy as np\r\n"),
    cell("c2", "# Title", "markdown"),
    cell("c3", "x = np."),
    cell("c4", "print(x)\n"),
    cell("c5", "SELECT 1", "sql"),
]


def context(text: str, surroundings: Surroundings) -> Context:
    document = Documents(lambda: 0.0).open("nb:c3", "python", 1, text)
    snapshot = document.snapshot(Position(99, 99))
    return build_context(snapshot, Anchor().place(snapshot), "a.ipynb", surroundings)


def test_cells_of_the_same_language_are_joined_in_their_order() -> None:
    assert around(CELLS, "c3") == ("import numpy as np\n\n", "\n\nprint(x)\n\n")


def test_a_cell_that_is_not_there_has_none_around_it() -> None:
    assert around(CELLS, "c9") == ("", "")


def test_the_model_sees_them_as_one_text() -> None:
    above, below = around(CELLS, "c3")
    seen = context("x = np.", Surroundings(above=above, below=below))
    assert (seen.before, seen.typed, seen.after) == ("import numpy as np\n\n", "x = np.", "\n\nprint(x)\n\n")


def test_the_parts_stay_within_their_budgets() -> None:
    long = [cell(f"l{number}", f"value_{number} = {number}\n" * 50) for number in range(60)]
    above, below = around(long, "l30")
    seen = context("y = 1\n" * 100, Surroundings(above=above, below=below))
    assert BEFORE_CHARACTERS // 2 < len(seen.before) <= BEFORE_CHARACTERS
    assert AFTER_CHARACTERS // 2 < len(seen.after) <= AFTER_CHARACTERS
    assert seen.before.startswith("value_")


def test_the_window_does_not_move_with_every_line_typed() -> None:
    long = [cell(f"l{number}", f"value_{number} = {number}\n" * 50) for number in range(60)]
    above, _ = around(long, "l30")
    starts = {context("y = 1\n" * lines, Surroundings(above=above)).before[:40] for lines in range(1, 9)}
    assert len(starts) <= 2
