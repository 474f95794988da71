"""`[tool.alula]` and `ALULA_*`: defaults, overruling, and what is told about wrong ones."""

from __future__ import annotations

import pytest

from alula import errors, settings
from tests.code.projects import Project


def load(project: Project, **environment: str) -> settings.Settings:
    return settings.load(project.root, environment)


def test_a_project_needs_no_settings(project: Project) -> None:
    made = load(project)
    assert (made.root, made.project, made.domain, made.image) == (project.root, "acme", "local", "")
    assert made.store == str(project.root / ".alula" / "store")
    assert made.prefix == f"{made.store}/acme/local"


def test_settings_come_from_pyproject_and_the_environment_overrules_them(project: Project) -> None:
    project.write(
        "pyproject.toml",
        '[project]\nname = "x"\n'
        '[tool.alula]\nproject = "penguins"\nstore = "s3://bucket/root/"\nimage = "ghcr.io/a/b:1"\n',
    )
    made = load(project, ALULA_DOMAIN="dev", ALULA_IMAGE="other:2")
    assert (made.project, made.domain, made.image) == ("penguins", "dev", "other:2")
    assert made.prefix == "s3://bucket/root/penguins/dev"
    assert load(project, ALULA_STORE_ROOT="data").store == str(project.root / "data")


def test_the_file_of_a_project_will_do(project: Project) -> None:
    path = project.write("src/acme/flow.py", "")
    assert settings.load(path, {}).root == project.root


def test_names_become_dns_labels(project: Project) -> None:
    project.write("pyproject.toml", '[project]\nname = "My_Project"\n')
    assert load(project).project == "my-project"


@pytest.mark.parametrize(
    ("text", "environment", "message"),
    [
        ('[tool.alula]\nprojct = "x"\n', {}, "did you mean project?"),
        ("[tool.alula]\nproject = 3\n", {}, "the setting project cannot be 3"),
        ("[tool.alula]\nproject = 'My Project'\n", {}, "is not a name that a namespace can have"),
        ("", {"ALULA_DOMAIN": "Dev!"}, "ALULA_DOMAIN: error BAD_NAME: the domain 'Dev!'"),
        ("[tool.alula\n", {}, "pyproject.toml cannot be read"),
        ("[tool]\nalula = 3\n", {}, "must be a table"),
    ],
)
def test_a_wrong_setting_is_told(project: Project, text: str, environment: dict[str, str], message: str) -> None:
    project.write("pyproject.toml", text)
    with pytest.raises(errors.SettingsError) as caught:
        load(project, **environment)
    assert message in str(caught.value)
