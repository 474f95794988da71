"""The project's settings: `[tool.alula]` of the nearest pyproject.toml, overruled by `ALULA_*` variables.

Read by the command line, the local runner and emission. Pods are configured by their arguments and never read this.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alula import errors
from alula.code import places
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

LOCAL_DOMAIN = "local"
FOLDER = ".alula"
"""In the project, where nothing else is set: what local runs keep."""
_VARIABLES = {
    "project": "ALULA_PROJECT",
    "domain": "ALULA_DOMAIN",
    "image": "ALULA_IMAGE",
    "source": "ALULA_SOURCE",
    # Not ALULA_STORE: that is the prefix of a domain, which pods get.
    "store": "ALULA_STORE_ROOT",
}


@dataclass(frozen=True)
class Settings:
    """Where this project stores and what it is called.

    Attributes:
        root: The project's folder.
        project: Its name, a DNS label; without a setting that of `[project]`, or of the folder.
        domain: The domain of local runs.
        store: A folder or URL; below it lie `<project>/<domain>`. Without a setting `.alula/store` in the project.
        image: The image that tasks run in when they name none; empty when not set.
        source: This code repository among those of the project, as a DNS label: `source`, else the name in `[project]`,
            else that of the folder. Its releases lie in a folder called so.
    """

    root: Path
    project: str
    domain: str
    store: str
    image: str
    source: str

    @property
    def prefix(self) -> str:
        """`<store>/<project>/<domain>`."""
        return f"{self.store.rstrip('/')}/{self.project}/{self.domain}"


def load(path: str | os.PathLike[str] = ".", environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of the project that a file or folder belongs to.

    Args:
        path: A file or folder of the project.
        environment: Instead of the process's variables.

    Raises:
        SettingsError: A file cannot be read, or a setting is unknown or malformed; says all that is wrong.
    """
    given = os.environ if environment is None else environment
    start = Path(path).resolve()
    root = Path(places.root(str(start / "x.py" if start.is_dir() else start))[0])
    problems: list[Diagnostic] = []
    document = _document(root / "pyproject.toml", problems)
    values, origins = _values(document.get("tool", {}).get("alula", {}), given, problems)
    if problems:
        raise errors.SettingsError(problems)
    named = document.get("project", {}).get("name")
    from alula_api.contract import names

    own = names.dns_label(named if isinstance(named, str) and named else root.name or "project")
    project = values.get("project") or own
    source = names.dns_label(values["source"]) if "source" in values else own
    domain = values.get("domain", LOCAL_DOMAIN)
    for key, value in (("project", project), ("domain", domain)):
        problems += name_problems(key, value, origins.get(key, ""))
    if problems:
        raise errors.SettingsError(problems)
    return Settings(root, project, domain, _store(root, values.get("store", "")), values.get("image", ""), source)


def name_problems(key: str, value: str, place: str = "") -> list[Diagnostic]:
    """What is wrong with the name of a project or domain: namespaces and folders are called after it."""
    from alula_api.contract import names

    if key == "project" and value in names.RESERVED_PROJECTS:
        message = f"no project can be called {value!r}: the gitops repository has a folder of that name"
        return [
            Diagnostic(Code.BAD_NAME, message, place, "", "another name than " + ", ".join(names.RESERVED_PROJECTS))
        ]
    if key == "domain" and value in names.RESERVED_DOMAINS:
        message = f"no domain can be called {value!r}: the project's store has a folder of that name"
        return [Diagnostic(Code.BAD_NAME, message, place, "", "another name than " + ", ".join(names.RESERVED_DOMAINS))]
    if names.is_dns_label(value):
        return []
    message = f"the {key} {value!r} is not a name that a namespace can have"
    return [Diagnostic(Code.BAD_NAME, message, place, "", "lower case letters, digits and -")]


def _document(file: Path, problems: list[Diagnostic]) -> dict[str, Any]:
    import tomllib

    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        problems.append(Diagnostic(Code.BAD_OPTION, f"{file.name} cannot be read: {problem}", str(file)))
        return {}


def _values(
    table: Any, environment: Mapping[str, str], problems: list[Diagnostic]
) -> tuple[dict[str, str], dict[str, str]]:
    """Each setting and where it comes from."""
    place = "pyproject.toml [tool.alula]"
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    if not isinstance(table, dict):
        problems.append(Diagnostic(Code.BAD_OPTION, "[tool.alula] must be a table", "pyproject.toml"))
        table = {}
    for key, value in table.items():
        if key not in _VARIABLES:
            hint = did_you_mean(key, _VARIABLES, f"there are {', '.join(_VARIABLES)}", str)
            problems.append(Diagnostic(Code.BAD_OPTION, f"there is no setting {key!r}", place, hint=hint))
        elif not isinstance(value, str) or not value:
            problems.append(Diagnostic(Code.BAD_OPTION, f"the setting {key} cannot be {value!r}", place, "", "a text"))
        else:
            values[key], origins[key] = value, place
    for key, variable in _VARIABLES.items():
        if environment.get(variable):
            values[key], origins[key] = environment[variable], variable
    return values, origins


def _store(root: Path, given: str) -> str:
    if "://" in given:
        return given.rstrip("/")
    return str(root / (Path(given).expanduser() if given else Path(FOLDER) / "store"))
