"""Ghost text in a real Neovim: shown, taken, typed through, refused, hidden; read from the screen where it matters."""

from __future__ import annotations

import pytest

from tests.editors.nvim.conftest import Start
from tests.editors.nvim.neovim import COUNT_REQUESTS, Neovim

CODE = '''"""Sums."""


def add(a, b):
    return a + b


def subtract(a, b):
    return'''


@pytest.fixture
def vim(start: Start) -> Neovim:
    """An editor with the cursor behind the last `return` of CODE."""
    editor = start()
    editor.open(CODE)
    return editor


def suggested(editor: Neovim) -> str:
    """Type the space after `return`; what is suggested then."""
    editor.type("A ")
    return editor.until_ghost()


def test_ghost_text_is_on_the_screen_after_return(vim: Neovim) -> None:
    ghost = suggested(vim)
    assert f"    return {ghost.splitlines()[0]}" in vim.screen()
    assert vim.line == "    return ", "ghost text is not in the buffer"


def test_tab_inserts_exactly_what_was_shown(vim: Neovim) -> None:
    ghost = suggested(vim)
    before = vim.text
    vim.keys("Tab")
    vim.until(lambda: vim.text != before)
    assert vim.text == before + ghost


def test_an_accepted_suggestion_reaches_the_servers_statistics(vim: Neovim) -> None:
    suggested(vim)
    vim.keys("Tab")
    vim.until(lambda: vim.line != "    return ")
    vim.keys("Escape")
    vim.until(lambda: vim.mode == "n")
    vim.rpc.call("nvim_command", "Foretype stats")
    accepted = [line.split() for line in vim.text.splitlines() if "accept" in line]
    assert any(value == "1" for *_, value in accepted), vim.text


def test_accepting_is_an_undo_step_of_its_own(vim: Neovim) -> None:
    suggested(vim)
    vim.keys("Tab")
    vim.until(lambda: vim.line != "    return ")
    vim.type("xyz")
    vim.until(lambda: "xyz" in vim.text)
    vim.keys("Escape")
    vim.until(lambda: vim.mode == "n")
    vim.keys("u")
    vim.until(lambda: "xyz" not in vim.text)
    assert vim.line != "    return ", "what was typed after it is undone first"
    vim.keys("u")
    vim.until(lambda: vim.line == "    return ", "the suggestion is undone alone")


def test_a_word_is_accepted_and_the_rest_stays(vim: Neovim) -> None:
    ghost = suggested(vim)
    vim.keys("C-Right")
    vim.until(lambda: vim.line != "    return ")
    word = vim.line.removeprefix("    return ")
    assert ghost.startswith(word)
    assert len(word) < len(ghost)
    assert vim.ghost() == ghost[len(word) :]
    first = ghost.splitlines()[0]
    vim.until(lambda: f"    return {first}" in vim.screen())


def test_typing_through_keeps_it_without_an_answer_of_the_server(vim: Neovim) -> None:
    ghost = suggested(vim)
    vim.lua("require('foretype.server').request = function() end")  # whatever is shown now comes from the editor alone
    vim.type(ghost[0])
    vim.until(lambda: vim.line == "    return " + ghost[0])
    assert vim.ghost() == ghost[1:]
    vim.keys("BSpace")
    vim.until(lambda: vim.line == "    return ")
    assert vim.ghost() == ghost


def test_typing_through_never_takes_it_off_the_screen(vim: Neovim) -> None:
    ghost = suggested(vim)
    vim.lua("""
      _G.hidden = 0
      local ghost = require('foretype.ghost')
      local hide = ghost.hide
      ghost.hide = function(...) _G.hidden = _G.hidden + 1; return hide(...) end
    """)
    for end in range(1, len(ghost.splitlines()[0])):
        vim.type(ghost[end - 1])
        vim.until(lambda end=end: vim.line == "    return " + ghost[:end])
    assert vim.lua("return _G.hidden") == 0


def test_a_contradicting_key_removes_it_at_once(vim: Neovim) -> None:
    suggested(vim)
    vim.lua("require('foretype.server').request = function() end")
    vim.type("~")
    vim.until(lambda: vim.line == "    return ~")
    assert vim.ghost() is None
    vim.until(lambda: any(line.rstrip().endswith("return ~") for line in vim.screen().splitlines()))


def test_tab_in_one_burst_with_a_contradicting_key_inserts_nothing_stale(vim: Neovim) -> None:
    ghost = suggested(vim)
    vim.lua("require('foretype.server').request = function() end")
    vim.type(ghost[0])
    vim.until(lambda: vim.line == "    return " + ghost[0])
    vim.rpc.call("nvim_input", "<BS>~<Tab>")  # the cursor's column is what it was, the text is not
    vim.until(lambda: vim.line.endswith(" "))
    assert vim.line.rstrip(" ") == "    return ~"


def test_escape_hides_it(vim: Neovim) -> None:
    suggested(vim)
    vim.keys("Escape")
    vim.until(lambda: vim.mode == "n")
    assert vim.ghost() is None
    vim.until(lambda: any(line.rstrip().endswith("    return") for line in vim.screen().splitlines()))


def test_the_dismiss_key_hides_it_and_insert_mode_goes_on(vim: Neovim) -> None:
    suggested(vim)
    vim.keys("C-]")
    vim.until(lambda: vim.ghost() is None)
    assert vim.mode == "i"
    assert vim.line == "    return "


def test_toggled_off_nothing_is_asked(vim: Neovim) -> None:
    vim.lua(COUNT_REQUESTS)
    suggested(vim)
    vim.keys("Escape")
    vim.until(lambda: vim.mode == "n")
    vim.rpc.call("nvim_command", "Foretype toggle")
    asked = vim.lua("return _G.asked")
    assert asked > 0
    vim.type("ox = 1")
    vim.until(lambda: vim.line.endswith("x = 1"))
    assert vim.lua("return _G.asked") == asked
    assert vim.lua("return _G.asked") == asked
    vim.until(lambda: vim.lua("return require('foretype').statusline()") == "Foretype off")


def test_tab_without_a_suggestion_is_a_tab(start: Start) -> None:
    editor = start("enabled = false")
    editor.open("x = 1")
    editor.keys("A", "Tab")
    editor.until(lambda: editor.line.strip(" ") != editor.line, "blanks, as Python's file type has it")
    assert editor.line.rstrip(" ") == "x = 1"


@pytest.mark.parametrize(
    "mapping",
    [
        "vim.keymap.set('i', '<Tab>', 'before')",
        "vim.keymap.set('i', '<Tab>', function() return 'before' end, { expr = true })",
        "vim.keymap.set('i', '<Tab>', function() vim.api.nvim_put({ 'before' }, 'c', false, true) end)",
        "vim.cmd([[inoremap <expr> <Tab> 'before']])",
    ],
    ids=["keys", "lua-expression", "lua-function", "vim-expression"],
)
def test_a_key_without_a_suggestion_does_what_it_did_before(start: Start, mapping: str) -> None:
    editor = start("enabled = false", before=mapping)
    editor.open("x = ")
    editor.keys("A", "Tab")
    editor.until(lambda: editor.line != "x = ")
    assert editor.line == "x = before"


def test_a_projects_false_is_not_overruled(start: Start) -> None:
    editor = start(root=lambda folder: (folder / ".foretype.toml").write_text("enabled = false\n"))
    editor.open(CODE)
    editor.until(lambda: editor.lua("return require('foretype').statusline()") == "Foretype off")
    editor.type("A ")
    assert editor.ghost() is None


def test_with_crlf_and_emoji_exactly_what_was_shown_is_inserted(start: Start) -> None:
    editor = start()
    code = CODE.replace("Sums.", "Sums 🧮.").removesuffix("return") + "'🧮 é'; return"
    editor.open(code.replace("\n", "\r\n"))
    editor.type("A ")
    ghost = editor.until_ghost()
    before = editor.text
    editor.keys("Tab")
    editor.until(lambda: editor.text != before)
    assert editor.text == before + ghost
    assert "\r" not in editor.text
    assert editor.lua("return vim.bo.fileformat") == "dos"


def test_after_100_keys_there_is_nothing_in_messages_or_the_lsp_log(vim: Neovim) -> None:
    vim.rpc.call("nvim_command", "messages clear")
    typed = (
        "\ndef multiply(a, b):\n    return a * b\n\n\ndef divide(a, b):\nif b == 0:\nraise ValueError('zero')\nreturn a"
    )
    assert len(typed) >= 100
    vim.type("o")
    for character in typed:
        vim.keys("Enter") if character == "\n" else vim.type(character)
    vim.until(lambda: vim.line.endswith("return a"))
    vim.keys("Escape")
    vim.until(lambda: vim.mode == "n")
    assert vim.messages() == ""
    assert vim.lsp_log() == ""


def test_a_menu_hides_it_and_it_comes_back(start: Start) -> None:
    editor = start(before="vim.o.completeopt = 'menu,menuone,noinsert'")
    editor.open(CODE)
    ghost = suggested(editor)
    editor.keys("C-x", "C-n")
    editor.until(lambda: editor.rpc.call("nvim_call_function", "pumvisible", []) == 1)
    editor.until(lambda: editor.ghost() is None, "nothing but the menu")
    editor.keys("C-e")
    editor.until(lambda: editor.rpc.call("nvim_call_function", "pumvisible", []) == 0)
    assert editor.line == "    return "
    editor.until(lambda: editor.ghost() == ghost, "the suggestion again")


def test_the_next_key_asks_where_there_is_none(vim: Neovim) -> None:
    suggested(vim)
    vim.keys("C-]")
    vim.until(lambda: vim.ghost() is None)
    vim.keys("M-]")
    vim.until_ghost()
    assert vim.line == "    return "


def test_checkhealth_finds_nothing_wrong(vim: Neovim) -> None:
    vim.rpc.call("nvim_command", "checkhealth foretype")
    vim.until(lambda: "Keys and neighbours" in vim.text)
    assert "ERROR" not in vim.text
    assert "WARNING" not in vim.text


def test_vim_lsp_enable_starts_it_where_neovim_has_that(start: Start) -> None:
    editor = start("autostart = false")
    if not editor.lua("return vim.lsp.enable ~= nil"):
        pytest.skip("vim.lsp.enable came with Neovim 0.11.")
    editor.lua("vim.lsp.enable('foretype')")
    editor.open(CODE)
    ghost = suggested(editor)
    editor.keys("Tab")
    editor.until(lambda: editor.ghost() is None)
    assert editor.text == CODE + " " + ghost


def test_neovims_own_renderer_is_an_option_where_it_is_there(start: Start) -> None:
    editor = start("renderer = 'native'")
    if not editor.lua("return vim.lsp.inline_completion ~= nil"):
        pytest.skip("vim.lsp.inline_completion came with Neovim 0.12.")
    editor.open(CODE)
    editor.type("A ")
    marks = """
      local ns = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')
      return #vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, {})
    """
    editor.until(lambda: editor.lua(marks) > 0, "Neovim's ghost text")
    assert editor.ghost() is None
    editor.keys("Tab")
    editor.until(lambda: len(editor.text) > len(CODE) + 1, "the suggestion in the text")
    assert "\t" not in editor.text
