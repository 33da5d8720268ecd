"""Settings from all layers: which one holds, what a project may do, and what is said about mistakes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.settings import MAX_FILE_BYTES, PROJECT_FILE, Loaded, Settings, load_settings
from lsp_server.settings_layers import MAX_STRING, RULES


class Home:
    """A user's file, a project, and an environment."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config.toml"
        self.root = folder / "project"
        self.root.mkdir()
        self.environ = {"XDG_CONFIG_HOME": str(folder / "xdg")}

    def user(self, text: str) -> None:
        self.config.write_text(text)
        self.environ["FORETYPE_CONFIG"] = str(self.config)

    def project(self, text: str) -> None:
        (self.root / PROJECT_FILE).write_text(text)

    def load(self, workspace: object = None, initialization: object = None, **environ: str) -> Loaded:
        return load_settings(
            root=self.root,
            workspace=workspace,  # type: ignore[arg-type]  # wrong types are part of what is tested
            initialization=initialization,  # type: ignore[arg-type]
            environ={**self.environ, **environ},
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def only(loaded: Loaded) -> str:
    """The one problem, as a sentence."""
    assert len(loaded.problems) == 1, loaded.problems
    return str(loaded.problems[0])


def test_without_any_layer_the_defaults_hold(home: Home) -> None:
    assert home.load() == Loaded(Settings(), (), ())


def test_the_users_file_is_read(home: Home) -> None:
    home.user(
        'debounce_ms = 80\nlanguages = ["python"]\n[edge]\nurls = ["wss://e.example"]\ntoken = "t"\n'
        '[local]\nenabled = false\nmodel = "m.gguf"\n[telemetry]\nenabled = true\n[completion]\nenabled = true\n'
    )
    loaded = home.load()
    settings = loaded.settings
    assert loaded.problems == ()
    assert loaded.files == (home.config,)
    assert (settings.debounce_ms, settings.languages) == (80, frozenset({"python"}))
    assert (settings.edge.urls, settings.edge.token) == (("wss://e.example/v1/session",), "t")
    assert (settings.local.enabled, settings.local.model) == (False, "m.gguf")
    assert settings.telemetry.enabled
    assert settings.completion.enabled


def test_the_default_place_of_the_users_file_is_dot_config(home: Home) -> None:
    folder = Path(home.environ["XDG_CONFIG_HOME"]) / "foretype"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("debounce_ms = 7\n")
    if sys.platform != "win32":
        assert home.load().settings.debounce_ms == 7


def test_each_layer_overrides_the_one_below(home: Home) -> None:
    home.user("debounce_ms = 1\n")
    assert home.load().settings.debounce_ms == 1
    assert home.load(initialization={"debounce_ms": 2}).settings.debounce_ms == 2
    loaded = home.load(initialization={"debounce_ms": 2}, FORETYPE_DEBOUNCE_MS="3")
    assert loaded.settings.debounce_ms == 3


def test_initialization_options_may_be_nested_or_dotted_and_null_means_unset(home: Home) -> None:
    nested = home.load(initialization={"edge": {"urls": ["ws://127.0.0.1:1"], "token": None}})
    dotted = home.load(initialization={"edge.urls": ["ws://127.0.0.1:1"]})
    assert nested == dotted
    assert nested.settings.edge.urls == ("ws://127.0.0.1:1/v1/session",)


def test_the_environment_sets_everything(home: Home) -> None:
    settings = home.load(
        FORETYPE_EDGE_URLS="wss://a.example/v1/session, wss://b.example",
        FORETYPE_EDGE_TOKEN="t",
        FORETYPE_LOCAL_ENABLED="off",
        FORETYPE_LOCAL_MODEL="m",
        FORETYPE_ENABLED="0",
        FORETYPE_TELEMETRY_ENABLED="YES",
        FORETYPE_LANGUAGES="python,rust",
    ).settings
    assert settings.edge.urls == ("wss://a.example/v1/session", "wss://b.example/v1/session")
    assert (settings.edge.token, settings.local.enabled, settings.local.model) == ("t", False, "m")
    assert (settings.enabled, settings.telemetry.enabled) == (False, True)
    assert settings.languages == {"python", "rust"}


def test_an_empty_environment_variable_is_not_set(home: Home) -> None:
    assert home.load(FORETYPE_EDGE_URLS="", FORETYPE_ENABLED=" ") == Loaded()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('debounce_ms = "soon"\n', 1, ["debounce_ms", "soon", "whole number"]),
        ("\n[local]\n# why\nenabled = 3\n", 4, ["local.enabled", "3", "true or false"]),
        ('[edge]\nurls = ["http://e.example"]\n', 2, ["edge.urls", "ws://"]),
        ('edge.urls = ["e.example:9000"]\n', 1, ["edge.urls", "ws:// or wss://"]),
        ('edge.urls = ["ws://u:p@e.example"]\n', 1, ["edge.token"]),
        ('edge.urls = ["ws://localhost:99999"]\n', 1, ["edge.urls"]),
        ('edge.urls = "ws://localhost"\n', 1, ["list"]),
        ("languages = [1]\n", 1, ["languages", "1"]),
        ("debounce_ms = inf\n", 1, ["inf"]),
        ("debounce_ms = 1.5\n", 1, ["1.5"]),
        ("debounce_ms = -1\n", 1, ["-1"]),
        ("debounce_ms = true\n", 1, ["True"]),
        ('languges = ["python"]\n', 1, ["languges", "did you mean `languages`"]),
        ("[local]\nmodle = 1\n", 2, ["local.modle", "did you mean `local.model`"]),
        ("edge = 3\n", 1, ["edge"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(
    home: Home, text: str, line: int, words: list[str]
) -> None:
    home.user(text)
    loaded = home.load()
    sentence = only(loaded)
    assert sentence.startswith(f"{home.config}:{line}: ")
    assert all(word in sentence for word in words), sentence
    assert loaded.settings == Settings()


def test_a_bad_value_falls_back_to_the_layer_below_and_the_rest_of_its_layer_holds(home: Home) -> None:
    home.user("debounce_ms = 80\n")
    loaded = home.load(initialization={"debounce_ms": "x", "completion": {"enabled": True}})
    assert loaded.settings.debounce_ms == 80
    assert loaded.settings.completion.enabled
    assert only(loaded).startswith("initializationOptions: ")


def test_an_edge_on_another_machine_without_tls_is_warned_of_and_used(home: Home) -> None:
    loaded = home.load(FORETYPE_EDGE_URLS="ws://e.example:9000,ws://127.0.0.1:1,ws://[::1]:2,ws://localhost:3")
    assert len(loaded.settings.edge.urls) == 4
    assert "wss://" in only(loaded)
    assert loaded.problems[0].severity == "warning"


def test_a_token_is_shown_by_nothing(home: Home) -> None:
    home.user('[edge]\ntoken = "hunter2"\n')
    loaded = home.load()
    assert "hunter2" not in repr(loaded)
    bad = home.load(initialization={"edge": {"token": ["hunter3"]}})
    assert "hunter3" not in repr(bad)
    assert "edge.token" in only(bad)
    assert "hunter4" not in repr(home.load(initialization={"edge.token": "hunter4" * MAX_STRING}))


def test_a_file_that_is_no_toml_is_named_with_its_line(home: Home) -> None:
    home.user("debounce_ms = 1\n[edge\n")
    loaded = home.load()
    assert "line 2" in only(loaded)
    assert loaded.settings == Settings()


def test_a_named_file_that_is_missing_is_said(home: Home) -> None:
    assert "FORETYPE_CONFIG" in only(home.load(FORETYPE_CONFIG=str(home.config)))


def test_a_huge_or_binary_file_is_not_read(home: Home) -> None:
    home.user("#" * (MAX_FILE_BYTES + 1))
    assert str(MAX_FILE_BYTES) in only(home.load())
    home.config.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in only(home.load())


@pytest.mark.parametrize("name", ["FORETYPE_EDGE_URL", "FORETYPE_LOCAL_MODELL"])
def test_a_misspelt_variable_is_named_with_the_nearest(home: Home, name: str) -> None:
    assert "did you mean FORETYPE_" in only(home.load(**{name: "x"}))


@pytest.mark.parametrize("value", [3, "text", ["list"]])
def test_options_that_are_no_object_are_said(home: Home, value: object) -> None:
    loaded = home.load(initialization=value)
    assert "initializationOptions" in only(loaded)
    assert loaded.settings == Settings()


# What comes with a project.


@pytest.mark.parametrize("key", sorted(key for key, rule in RULES.items() if not rule.project))
def test_a_project_cannot_set_what_is_not_its_own(home: Home, key: str) -> None:
    home.project(f'{key} = "ws://evil.example"\n')
    in_file = home.load()
    in_workspace = home.load(workspace={key: "ws://evil.example"})
    assert in_file.settings == Settings()
    assert "cannot be set by a project" in str(in_file.problems[0])
    assert in_workspace.settings == Settings()


def test_a_project_may_switch_itself_off_but_not_on(home: Home) -> None:
    home.project("enabled = false\n")
    assert not home.load().settings.enabled
    home.project("enabled = true\n")
    home.user("enabled = false\n")
    assert not home.load().settings.enabled


def test_the_person_decides_over_a_project_that_is_off(home: Home) -> None:
    home.project("enabled = false\n")
    assert home.load(FORETYPE_ENABLED="true").settings.enabled


def test_a_projects_languages_only_narrow(home: Home) -> None:
    home.project('languages = ["python", "rust"]\n')
    assert home.load().settings.languages == {"python", "rust"}
    home.user('languages = ["python", "go"]\n')
    assert home.load().settings.languages == {"python"}
    assert not home.load().settings.allows("rust")


def test_languages_with_nothing_in_common_leave_none(home: Home) -> None:
    home.user('languages = ["go"]\n')
    home.project('languages = ["rust"]\n')
    assert home.load().settings.languages == frozenset()
    assert not home.load().settings.allows("go")


def test_an_empty_list_of_languages_is_unset(home: Home) -> None:
    assert home.load(workspace={"languages": []}, initialization={"languages": []}).settings.languages is None


def test_ignore_patterns_add_up_and_no_layer_removes_one(home: Home) -> None:
    home.user('ignore = ["*.pem"]\n')
    home.project('ignore = ["secret/", "*.pem"]\n')
    loaded = home.load(workspace={"ignore": ["w/"]}, initialization={"ignore": []}, FORETYPE_IGNORE="e/")
    assert loaded.settings.ignore == ("*.pem", "secret/", "w/", "e/")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_projects_file_is_not_followed_elsewhere_and_cannot_hang(home: Home) -> None:
    home.user("enabled = true\n")
    outside = home.root.parent / "outside.toml"
    outside.write_text("enabled = false\n")
    (home.root / PROJECT_FILE).symlink_to(outside)
    loaded = home.load()
    assert loaded.settings.enabled
    assert "not a regular file" in only(loaded)
    (home.root / PROJECT_FILE).unlink()
    os.mkfifo(home.root / PROJECT_FILE)
    assert "not a regular file" in only(home.load())


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["[" + " " * 200_000, "x." * 100_000 + "x = 1", ("x." * 900 + "x = 1\n") * 100])
def test_a_hostile_project_file_costs_no_time(home: Home, text: str) -> None:
    home.project(text + "\nenabled = false")
    assert home.load().settings == Settings()
    assert "ignored" in only(home.load())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(st.sampled_from([*RULES, "edge", "local", "telemetry", "x"]), json_values)


@settings(max_examples=40)
@given(mappings, mappings)
def test_whatever_editors_send_settings_load_and_the_workspace_never_widens(
    workspace: dict[str, object], initialization: dict[str, object]
) -> None:
    without = load_settings(initialization=initialization, environ={"XDG_CONFIG_HOME": "/nowhere"})
    loaded = load_settings(workspace=workspace, initialization=initialization, environ={"XDG_CONFIG_HOME": "/nowhere"})
    for name in ("edge", "local", "telemetry", "completion", "debounce_ms"):
        assert getattr(loaded.settings, name) == getattr(without.settings, name)
    assert set(without.settings.ignore) <= set(loaded.settings.ignore)
    assert all(str(problem) for problem in loaded.problems)


@given(st.text(max_size=300))
def test_whatever_a_file_holds_it_loads(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("c") / "config.toml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    loaded = load_settings(environ={"FORETYPE_CONFIG": str(file)})
    assert isinstance(loaded.settings, Settings)
