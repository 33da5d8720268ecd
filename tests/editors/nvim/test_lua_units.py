"""The plugin's pure Lua modules, run in each headless Neovim; literal code with the cursor as │."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.editors.nvim.neovim import PLUGIN

TIMEOUT_S = 20


@pytest.fixture
def lua(program: str, tmp_path: Path) -> Any:
    """Runs a Lua chunk (its arguments come as `...`) and gives what it returns, as JSON does."""

    def run(chunk: str, *arguments: object) -> Any:
        (tmp_path / "chunk.lua").write_text(
            f"vim.opt.rtp:prepend({json.dumps(str(PLUGIN))})\n"
            f"local function chunk(...)\n{chunk}\nend\n"
            f"local given = vim.json.decode([==[{json.dumps(list(arguments))}]==])\n"
            "local result = chunk(unpack(given))\n"
            "io.stdout:write(vim.json.encode({ result == nil and vim.NIL or result }))\n"
        )
        command = [program, "-u", "NONE", "-i", "NONE", "-l", str(tmp_path / "chunk.lua")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)[0]

    return run


FOLLOW = """
local cases, out = ..., {}
local function cursor(code)
  local lines = vim.split(code, '\\n', { plain = true })
  for row, line in ipairs(lines) do
    local col = line:find('│', 1, true)
    if col then
      lines[row] = line:sub(1, col - 1) .. line:sub(col + #'│')
      return lines, row - 1, col - 1
    end
  end
end
for i, case in ipairs(cases) do
  local was, row, col = cursor(case[1])
  local anchor = { row = row, col = col, before = was[row + 1]:sub(1, col), after = was[row + 1]:sub(col + 1) }
  local now, row_now, col_now = cursor(case[3])
  local lines = vim.list_slice(now, row + 1, row_now + 1)
  out[i] = require('foretype.follow').rest(anchor, case[2], lines, row_now, col_now) or vim.NIL
end
return out
"""

FOLLOWED = {
    "nothing typed": ("x = │", "a + b", "x = │", "a + b"),
    "typed through": ("x = │", "a + b", "x = a │", "+ b"),
    "typed to its end": ("x = │", "a", "x = a│", None),
    "contradicted": ("x = │", "a + b", "x = b│", None),
    "contradicted later": ("x = │", "a + b", "x = a -│", None),
    "deleted before it": ("x = │", "a", "x =│", None),
    "deleted and something else typed": ("x = │", "a", "x -│", None),
    "moved to another line": ("y\nx = │", "a", "│y\nx = ", None),
    "typed over a line break": ("if x:│", "\n    return\n", "if x:\n    re│", "turn\n"),
    "another indentation": ("if x:│", "\n    return", "if x:\n  │", "  return"),
    "deeper indentation": ("if x:│", "\n  return", "if x:\n    │", None),
    "a bracket closed automatically": ("f│", "(a, b)", "f(│)", "a, b)"),
    "the rest of the line changed": ("f(│) + 1", "a", "f(│) + 2", None),
    "several bytes a character": ("x = │", "'é🧮'", "x = 'é│", "🧮'"),
}


def test_what_is_left_after_typing_follows_from_the_text_alone(lua: Any) -> None:
    cases = [case[:3] for case in FOLLOWED.values()]
    found = dict(zip(FOLLOWED, lua(FOLLOW, cases), strict=True))
    assert found == {name: case[3] for name, case in FOLLOWED.items()}


def test_columns_agree_with_python_in_every_encoding(lua: Any) -> None:
    line = "aé€🧮z"
    chunk = """
      local line, positions, out = ..., require('foretype.positions'), {}
      for _, encoding in ipairs({ 'utf-8', 'utf-16', 'utf-32' }) do
        for _, to in ipairs({ 0, 1, 3, 6, 10, 11 }) do
          local units = positions.units(line:sub(1, to), encoding)
          out[#out + 1] = { units, positions.bytes(line, units, encoding) }
        end
      end
      return out
    """
    prefixes = [line[:end] for end in range(len(line) + 1)]
    sizes = [len(prefix.encode()) for prefix in prefixes]
    units = [len(prefix.encode(coding)) // size for coding, size in
             (("utf-8", 1), ("utf-16-le", 2), ("utf-32-le", 4)) for prefix in prefixes]  # fmt: skip
    assert lua(chunk, line) == [list(pair) for pair in zip(units, sizes * 3, strict=True)]


def test_words_and_lines_are_taken_piece_by_piece(lua: Any) -> None:
    chunk = """
      local texts, chunks, out = ..., require('foretype.chunks'), {}
      for i, text in ipairs(texts) do out[i] = { chunks.word(text), chunks.line(text) } end
      return out
    """
    texts = ["a + b\nc", " + b", "+= b", "\n    return x\ny", "größe = 1", "  "]
    assert lua(chunk, texts) == [
        ["a", "a + b"],
        [" +", " + b"],
        ["+=", "+= b"],
        ["\n    return", "\n    return x"],
        ["größe", "größe = 1"],
        ["  ", "  "],
    ]


def test_pieces_of_any_text_are_its_beginning_and_never_empty(lua: Any) -> None:
    chunk = """
      local chunks = require('foretype.chunks')
      math.randomseed(1)
      local letters = { 'a', '_', ' ', '\\n', '+', '(', 'é', '🧮', '\\t' }
      for _ = 1, 2000 do
        local text = ''
        for _ = 1, math.random(1, 12) do text = text .. letters[math.random(#letters)] end
        for _, piece in ipairs({ chunks.word(text), chunks.line(text) }) do
          if piece == '' or text:sub(1, #piece) ~= piece then return text end
        end
      end
    """
    assert lua(chunk) is None


def test_wrong_options_keep_their_defaults_and_each_gets_a_sentence(lua: Any) -> None:
    chunk = """
      local options, problems = require('foretype.options').resolve({
        popup = 'maybe', cmd = {}, colour = 1, keymaps = { accept = 7, acept = '<Tab>', dismiss = false } })
      return { options.popup, options.cmd, options.keymaps.accept, options.keymaps.dismiss, problems }
    """
    popup, cmd, accept, dismiss, problems = lua(chunk)
    assert (popup, cmd, accept, dismiss) == ("hide", ["foretype-lsp", "--stdio"], "<Tab>", False)
    assert len(problems) == 5
    assert any('`popup` is "maybe"; it must be' in problem for problem in problems)


@pytest.mark.parametrize(("given", "sent"), [("{}", None), ("{ settings = { enabled = true } }", {"enabled": True})])
def test_only_settings_that_the_user_set_are_sent(lua: Any, given: str, sent: object) -> None:
    chunk = f"""
      require('foretype.options').current = require('foretype.options').resolve({given})
      return require('foretype.server').config().init_options
    """
    assert lua(chunk) == sent


def test_tabs_are_drawn_as_wide_as_they_would_be(lua: Any) -> None:
    chunk = """
      local expand = require('foretype.ghost').expand_tabs
      return { expand('\\tx', 0, 4), expand('\\tx', 2, 4), expand('ab\\tx\\t', 0, 4), expand('x', 0, 4) }
    """
    assert lua(chunk) == ["    x", "  x", "ab  x   ", "x"]


def test_subcommands_are_completed(lua: Any) -> None:
    chunk = """
      local complete = require('foretype.command').complete
      return { complete('', 'Foretype '), complete('st', 'Foretype st'), complete('', 'Foretype toggle '),
               complete('b', 'Foretype toggle b'), complete('', 'Foretype stats ') }
    """
    assert lua(chunk) == [
        ["explain", "log", "stats", "status", "toggle"],
        ["stats", "status"],
        ["all", "buffer", "filetype"],
        ["buffer"],
        {} if lua("return vim.json.encode({}) == '{}'") else [],
    ]


def test_every_tag_of_the_help_file_is_found(lua: Any, program: str, tmp_path: Path) -> None:
    (tmp_path / "doc").mkdir()
    (tmp_path / "doc" / "foretype.txt").write_text((PLUGIN / "doc" / "foretype.txt").read_text())
    tags = lua(
        "vim.cmd.helptags(...); return vim.fn.readfile((...) .. '/tags')",
        str(tmp_path / "doc"),
    )
    names = {line.split("\t")[0] for line in tags}
    assert {"foretype", "foretype-options", ":Foretype", "foretype.setup()", "ForetypeSuggestion"} <= names
