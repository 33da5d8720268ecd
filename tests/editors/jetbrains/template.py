"""How LSP4IJ loads a template folder, by its rules: what it needs, what it ignores, what it makes of it; pure.

Rules as of LSP4IJ 0.20 (`LanguageServerTemplateManager`, `ServerTemplateJsonDeserializer`, `InstallerTaskRegistry`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILES: Final = frozenset({
    "template.json", "settings.json", "settings.schema.json", "initializationOptions.json", "clientSettings.json",
    "installer.json", "experimental.json", "README.md",
})  # fmt: skip
"""Names that are read; every other file, and every folder, is passed over in silence."""

TASKS: Final = frozenset({"exec", "download", "configureServer", "showMessage"})


class BadTemplateError(Exception):
    """LSP4IJ would refuse the folder, or fail on it."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Files of a type or of name patterns are sent to the server as `language`."""

    patterns: tuple[str, ...]
    file_type: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """What LSP4IJ holds after importing a folder."""

    id: str | None
    name: str
    commands: dict[str, str]
    mappings: tuple[Mapping, ...]
    settings: Any
    schema: Any
    initialization_options: Any
    client_settings: Any
    installer: Any
    description: str
    ignored: tuple[str, ...]


def load(folder: Path) -> Template:
    """Import `folder`. Raises BadTemplateError where LSP4IJ would throw."""
    files = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    if "template.json" not in files:
        raise BadTemplateError("template.json is required")
    described = _object(files["template.json"], "template.json")
    try:
        name, commands = described["name"], described["programArgs"]
    except KeyError as missing:
        raise BadTemplateError(f"template.json has no {missing}") from None
    if not isinstance(name, str) or not isinstance(commands, dict):
        raise BadTemplateError("name is a string, programArgs an object")
    if not all(isinstance(command, str) for command in commands.values()):
        raise BadTemplateError("each of programArgs is a string")
    return Template(
        id=described.get("id"),
        name=name,
        commands=commands,
        mappings=tuple(_mapping(each) for each in described.get("fileTypeMappings", [])),
        settings=_object(files.get("settings.json", "{}"), "settings.json"),
        schema=_object(files["settings.schema.json"], "settings.schema.json")
        if "settings.schema.json" in files
        else None,
        initialization_options=_object(files.get("initializationOptions.json", "{}"), "initializationOptions.json"),
        client_settings=_object(files.get("clientSettings.json", "{}"), "clientSettings.json"),
        installer=_installer(files.get("installer.json", "{}")),
        description=files.get("README.md", ""),
        ignored=tuple(sorted(files.keys() - FILES)),
    )


def command(template: Template, system: str) -> str:
    """The command on `system`, "windows", "mac" or "linux"; the default where the template has none for it."""
    return template.commands.get(system, template.commands["default"])


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadTemplateError(f"{name}: {error}") from None
    if not isinstance(value, dict):
        raise BadTemplateError(f"{name} holds no object")
    return value


def _mapping(described: dict[str, Any]) -> Mapping:
    file_type = described.get("fileType")
    if not isinstance(file_type, dict):
        raise BadTemplateError("a mapping without an object fileType ends the import")
    return Mapping(tuple(file_type.get("patterns") or ()), file_type.get("name"), described.get("languageId"))


def _installer(text: str) -> dict[str, Any]:
    installer = _object(text, "installer.json")
    for step in ("check", "run"):
        if step in installer:
            _task(installer[step])
    return installer


def _task(described: dict[str, Any]) -> None:
    """A task is its first key; one that is not known would be passed over, and the step would do nothing."""
    kind = next(iter(described), None)
    if kind not in TASKS:
        raise BadTemplateError(f"{kind!r} is no task")
    task = described[kind]
    if kind == "exec" and not isinstance(task.get("command"), dict | list | str):
        raise BadTemplateError("exec has no command")
    for follower in ("onSuccess", "onFail"):
        if follower in task:
            _task(task[follower])
