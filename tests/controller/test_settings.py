"""What the environment of an installation means."""

from __future__ import annotations

import pytest

from alula_controller import settings
from alula_controller.settings import Root, SettingsError


def read(**variables: str) -> settings.Settings:
    return settings.from_environment({"ALULA_ROOTS": "s3://bucket/prefix/", **variables})


def test_one_url_is_the_default_root() -> None:
    found = read()
    assert found.roots == {"default": Root("default", "s3://bucket/prefix")}
    assert found.default_root == "default"


def test_several_roots_are_json_and_the_default_is_named() -> None:
    roots = '{"eu": {"url": "s3://eu", "endpoint": "https://s3.eu"}, "us": "gs://us"}'
    found = read(ALULA_ROOTS=roots, ALULA_DEFAULT_ROOT="us")
    assert found.roots == {"eu": Root("eu", "s3://eu", "https://s3.eu"), "us": Root("us", "gs://us")}
    assert found.default_root == "us"


def test_the_only_root_is_the_default_whatever_its_name() -> None:
    assert read(ALULA_ROOTS='{"eu": "s3://eu"}').default_root == "eu"


def test_namespaces_are_all_or_a_list() -> None:
    assert read().scopes == ("",)
    assert read(ALULA_NAMESPACES="*").scopes == ("",)
    assert read(ALULA_NAMESPACES="b, a,").scopes == ("a", "b")


def test_the_identity_is_the_hosts_name_unless_given() -> None:
    assert read().identity
    assert read(ALULA_IDENTITY="me").identity == "me"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        settings.from_environment(
            {
                "ALULA_ROOTS": "{oops",
                "ALULA_NAMESPACES": "Bad_Name",
                "ALULA_PORT": "http",
                "ALULA_LOG_FORMAT": "xml",
                "ALULA_WORKERS": "0",
                "ALULA_FILL_SECONDS": "nan",
            }
        )
    wrong = [problem.split()[0] for problem in caught.value.problems]
    assert wrong == [
        "ALULA_ROOTS",
        "ALULA_NAMESPACES",
        "ALULA_PORT",
        "ALULA_LOG_FORMAT",
        "ALULA_WORKERS",
        "ALULA_FILL_SECONDS",
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"ALULA_ROOTS": ""},
        {"ALULA_ROOTS": '{"a": {"url": ""}}'},
        {"ALULA_ROOTS": '{"a": 3}'},
        {"ALULA_ROOTS": '{"a": "s3://a", "b": "s3://b"}'},
        {"ALULA_DEFAULT_ROOT": "nowhere"},
    ],
)
def test_roots_that_make_no_sense_are_refused(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        read(**variables)


def test_every_variable_has_a_default_that_is_valid_and_a_sentence() -> None:
    defaults = {variable.name: variable.default for variable in settings.VARIABLES if variable.name != "ALULA_ROOTS"}
    assert settings.from_environment({"ALULA_ROOTS": "s3://b", **defaults}) == read(ALULA_ROOTS="s3://b")
    assert all(variable.sentence.endswith(".") for variable in settings.VARIABLES)
