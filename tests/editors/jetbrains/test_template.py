"""The template folder passes LSP4IJ's loading rules, and says what `foretype-lsp` understands."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from lsp_server.settings import load_settings
from lsp_server.syntax import GRAMMARS
from lsp_server.workspace.languages import LANGUAGES
from tests.editors.jetbrains.template import BadTemplateError, command, load

FOLDER = Path(__file__).parents[3] / "editors" / "jetbrains" / "foretype"


def test_the_folder_is_loaded_and_no_file_of_it_is_passed_over() -> None:
    template = load(FOLDER)
    assert (template.id, template.name) == ("foretype", "Foretype")
    assert template.ignored == ()
    assert template.description.startswith("# Foretype")


@pytest.mark.parametrize("system", ["linux", "mac", "windows"])
def test_the_command_of_each_system_speaks_on_stdio(system: str) -> None:
    words = shlex.split(command(load(FOLDER), system))
    assert words[-1].endswith("--stdio")
    assert "foretype-lsp" in " ".join(words)


def test_every_language_of_the_server_is_mapped_to_its_language_id() -> None:
    mapped = {mapping.language: mapping for mapping in load(FOLDER).mappings}
    assert set(LANGUAGES.values()) | set(GRAMMARS) <= mapped.keys()
    for extension, language in LANGUAGES.items():
        assert f"*{extension}" in mapped[language].patterns


def test_each_mapping_has_patterns_since_an_ide_may_not_know_the_file_type() -> None:
    assert all(mapping.patterns and mapping.file_type for mapping in load(FOLDER).mappings)


def test_no_pattern_is_mapped_twice() -> None:
    patterns = [pattern for mapping in load(FOLDER).mappings for pattern in mapping.patterns]
    assert len(patterns) == len(set(patterns))


def test_the_initialization_options_are_settings_without_a_fault(tmp_path: Path) -> None:
    options = load(FOLDER).initialization_options
    loaded = load_settings(initialization=options, environ={"FORETYPE_CONFIG": str(_empty(tmp_path))})
    assert loaded.problems == ()
    assert loaded.settings.local.enabled


def test_the_settings_are_the_section_that_the_server_asks_for(tmp_path: Path) -> None:
    section = load(FOLDER).settings["foretype"]
    loaded = load_settings(workspace=section, environ={"FORETYPE_CONFIG": str(_empty(tmp_path))})
    assert loaded.problems == ()


def test_the_schema_offers_exactly_what_a_project_may_set() -> None:
    schema = load(FOLDER).schema
    assert set(schema["properties"]["foretype"]["properties"]) == {"enabled", "languages", "ignore"}


def test_no_token_has_a_place_in_what_is_exported() -> None:
    assert "token" not in json.dumps(load(FOLDER).initialization_options)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("template.json", None, "required"),
        ("template.json", "[]", "no object"),
        ("template.json", '{"name": "x"}', "programArgs"),
        ("template.json", '{"name": "x", "programArgs": {"default": ["x"]}}', "string"),
        ("template.json", '{"name": "x", "programArgs": {}, "fileTypeMappings": [{"fileType": "Go"}]}', "fileType"),
        ("installer.json", '{"check": {"look": {}}}', "no task"),
        ("settings.json", "{", "settings.json"),
    ],
)
def test_a_folder_that_lsp4ij_refuses_is_refused_here_too(
    tmp_path: Path, name: str, text: str | None, sentence: str
) -> None:
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if text is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(text)
    with pytest.raises(BadTemplateError, match=sentence):
        load(tmp_path)


def _empty(folder: Path) -> Path:
    path = folder / "config.toml"
    path.touch()
    return path
