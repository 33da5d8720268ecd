"""The settings of the language server, from all layers, and what was wrong with them.

Layers, lowest first: defaults, the user's file, the project (its `.foretype.toml`, and the editor's configuration
section, which may carry a repository's settings), initializationOptions, the environment. A project may only set
`enabled`, `languages` and `ignore`, and only to narrow. `ignore` adds up over all layers. Over all of them stands the
administrator's policy, which takes away and gives nothing. Nothing here is ever fatal.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from lsp_server.paths import config_file
from lsp_server.privacy.policy import Policy, load_policy
from lsp_server.settings_layers import (
    Layer,
    Locate,
    Problem,
    read_environment,
    read_layer,
    shown,
    toml_lines,
)

PROJECT_FILE: Final = ".foretype.toml"
MAX_FILE_BYTES: Final = 262_144
"""A settings file larger than this is a mistake, and reading it would cost memory."""
MAX_PROJECT_LINE: Final = 2_000
"""Code points in one line of a project's file: a dotted key of 100,000 parts costs the TOML parser minutes."""


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """Where the edge is, and the way there. With no `urls` there is none; `token` and `proxy` are shown by nothing.

    `proxy`: an HTTP proxy, "none" for none; empty for the environment's. The others are paths of PEM files.
    """

    urls: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """The model on this machine: whether it may answer, and its name or the path of its GGUF file."""

    enabled: bool = True
    model: str = "starter"


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    """`textDocument/completion`, for editors that have no ghost text."""

    enabled: bool = False


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Counts of what became of suggestions, sent to the edge; never text."""

    enabled: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `languages` are LSP language ids, None for all; `ignore` are gitignore patterns.

    `debounce_ms` is the quiet time, in milliseconds, after which a suggestion is asked for.
    """

    enabled: bool = True
    languages: frozenset[str] | None = None
    ignore: tuple[str, ...] = ()
    debounce_ms: int = 50
    edge: EdgeSettings = EdgeSettings()
    local: LocalSettings = LocalSettings()
    completion: CompletionSettings = CompletionSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    forbidden: tuple[str, ...] = ()
    """gitignore patterns of the administrator, on whole paths; no setting sets them."""

    def allows(self, language: str) -> bool:
        """Whether suggestions are wanted in documents of `language`."""
        return self.enabled and (self.languages is None or language in self.languages)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings that hold, what was wrong with the layers, and the files that were read."""

    settings: Settings = Settings()
    problems: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()
    policy: Policy = field(default_factory=Policy)


def load_settings(
    *,
    root: Path | None = None,
    workspace: Mapping[str, object] | None = None,
    folder: Mapping[str, object] | None = None,
    initialization: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    policy_file: Path | None = None,
) -> Loaded:
    """Read every layer. `root` is the project's folder, `workspace` the editor's configuration section `foretype`,
    `folder` that section for the project's folder alone, `policy_file` stands for the administrator's (tests).

    Never raises for what a file, an editor or the environment holds.
    """
    environ = os.environ if environ is None else environ
    files: list[Path] = []
    user_file, required = config_file(environ)
    user = _file_layer(user_file, files, required=required)
    project = []
    if root is not None:
        project.append(_file_layer(root / PROJECT_FILE, files, project=True))
    if workspace is not None:
        project.append(_mapping_layer(workspace, "workspace configuration", project=True))
    if folder is not None and folder != workspace:
        project.append(_mapping_layer(folder, f"configuration of the folder {root}", project=True))
    initial = _mapping_layer({} if initialization is None else initialization, "initializationOptions")
    environment = read_environment(environ)
    layers = [user, *project, initial, environment]
    values = _merge([user], project, [initial, environment])
    problems = tuple(problem for layer in layers for problem in layer.problems)
    policy = load_policy(environ, policy_file)
    settings, overruled = governed(msgspec.convert(_nested(values), Settings), policy)
    broken = tuple(Problem(where, "policy", sentence) for where, sentence in policy.problems)
    return Loaded(settings, (*problems, *broken, *overruled), tuple(files), policy)


def governed(settings: Settings, policy: Policy) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings with what `policy` forbids taken out, and a sentence for each edge that is not used for that."""
    urls = tuple(url for url in settings.edge.urls if policy.allows_url(url))
    where = ", ".join(policy.files)
    overruled = tuple(
        Problem(where, "edge.urls", f"the administrator's policy does not allow the edge {shown(url)}: it is not used.")
        for url in settings.edge.urls
        if url not in urls and not policy.problems
    )
    governed = replace(
        settings,
        edge=replace(settings.edge, urls=urls),
        local=settings.local if policy.local else replace(settings.local, enabled=False),
        telemetry=settings.telemetry if policy.telemetry else TelemetrySettings(enabled=False),
        forbidden=policy.forbidden,
    )
    return governed, overruled


def _merge(lower: Sequence[Layer], project: Sequence[Layer], upper: Sequence[Layer]) -> dict[str, object]:
    values: dict[str, object] = {}
    for layer in lower:
        _override(values, layer.values)
    for layer in project:
        _narrow(values, layer.values)
    for layer in upper:
        _override(values, layer.values)
    return values


def _override(values: dict[str, object], layer: Mapping[str, object]) -> None:
    for key, value in layer.items():
        if key == "ignore":
            _add_ignored(values, layer)
        elif key == "languages":
            # An empty list is what editors send for "not set"; it must not switch every language off.
            if languages := _languages(value):
                values[key] = languages
        else:
            values[key] = value


def _narrow(values: dict[str, object], layer: Mapping[str, object]) -> None:
    if layer.get("enabled") is False:
        values["enabled"] = False
    if languages := _languages(layer.get("languages")):
        allowed = values.get("languages")
        values["languages"] = languages & allowed if isinstance(allowed, frozenset) else languages
    _add_ignored(values, layer)


def _languages(value: object) -> frozenset[object]:
    return frozenset(value) if isinstance(value, tuple) else frozenset()


def _add_ignored(values: dict[str, object], layer: Mapping[str, object]) -> None:
    added, known = layer.get("ignore"), values.get("ignore", ())
    if isinstance(added, tuple) and isinstance(known, tuple):
        values["ignore"] = tuple(dict.fromkeys((*known, *added)))


def _nested(values: Mapping[str, object]) -> dict[str, object]:
    tree: dict[str, object] = {}
    for key, value in values.items():
        group, dot, name = key.partition(".")
        if dot:
            table = tree.setdefault(group, {})
            if isinstance(table, dict):
                table[name] = value
        else:
            tree[key] = value
    return tree


def _mapping_layer(mapping: object, name: str, *, project: bool = False) -> Layer:
    if not isinstance(mapping, Mapping):
        problem = Problem(name, "", f"expected an object of settings, found {type(mapping).__name__}; ignored.")
        return Layer(problems=[problem])
    return read_layer(mapping, lambda key: name, project=project)


def _file_layer(path: Path, files: list[Path], *, required: bool = False, project: bool = False) -> Layer:
    try:
        text = _read(path, follow=not project)
    except FileNotFoundError:
        missing = Problem(str(path), "", "the file that FORETYPE_CONFIG names does not exist; defaults are used.")
        return Layer(problems=[missing] if required else [])
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Layer(problems=[Problem(str(path), "", f"the file cannot be read: {reason}. It is ignored.")])
    files.append(path)
    try:
        mapping = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Layer(problems=[Problem(str(path), "", f"not valid TOML: {error}. The file is ignored.")])
    return read_layer(mapping, _locator(path, toml_lines(text)), project=project)


def _locator(path: Path, lines: Mapping[str, int]) -> Locate:
    def locate(key: str) -> str:
        line = lines.get(key) or lines.get(key.rpartition(".")[0])
        return f"{path}:{line}" if line else str(path)

    return locate


def _read(path: Path, *, follow: bool) -> str:
    """The text of a settings file. Raises OSError or ValueError.

    A project's file is not followed through a link, so that a repository cannot have other files read, and must be a
    regular file, so that a named pipe cannot hang the server.
    """
    status = path.stat() if follow else path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise ValueError(f"it has {status.st_size} bytes; at most {MAX_FILE_BYTES} are read")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 (byte {error.start})") from None
    if not follow and any(len(line) > MAX_PROJECT_LINE for line in text.split("\n")):
        raise ValueError(f"a line is longer than {MAX_PROJECT_LINE} characters")
    return text
