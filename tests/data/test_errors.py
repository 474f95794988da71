"""Errors of stores: what they say, and what they never show."""

from __future__ import annotations

import copy

import pytest

from alula_data import errors

ALL = [errors.StoreError, errors.NotFound, errors.Damaged, errors.Unavailable, errors.Denied]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/prefix", "s3://bucket/prefix"),
        ("https://user:password@host/path", "https://host/path"),
        ("https://token@host/path", "https://host/path"),
        ("https://host/path?X-Amz-Signature=abc&sig=def", "https://host/path"),
        ("abfss://container@account.dfs.core.windows.net/p", "abfss://container@account.dfs.core.windows.net/p"),
        ("abfss://container:key@account.dfs.core.windows.net/p", "abfss://account.dfs.core.windows.net/p"),
    ],
)
def test_an_address_is_shown_without_what_opens_it(url: str, shown: str) -> None:
    assert errors.clean_url(url) == shown
    assert errors.StoreError(url).url == shown


def test_the_values_of_secret_variables_are_blotted_out() -> None:
    environment = {"AWS_SECRET_ACCESS_KEY": "hunter2hunter2", "AZURE_STORAGE_SAS_KEY": "sig=xyzzy", "HOME": "/home/me"}
    text = "put with hunter2hunter2 and sig=xyzzy to /home/me failed"
    assert errors.clean(text, environment) == "put with *** and *** to /home/me failed"


def test_what_a_server_repeats_of_the_request_is_cut_off() -> None:
    text = "403: <Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA123</AWSAccessKeyId><StringToSign>x"
    assert errors.clean(text, {}) == "403: <Code>SignatureDoesNotMatch</Code>"


def test_only_the_first_paragraph_is_shown_and_not_too_much_of_it() -> None:
    assert errors.clean("a\nb\n\nDebug source: c", {}) == "a b"
    assert len(errors.clean("x" * 10_000, {})) < 400


@pytest.mark.parametrize("kind", ALL)
def test_an_error_names_code_place_detail_and_hint_and_survives_a_process_border(kind: type[errors.StoreError]) -> None:
    error = kind("s3://bucket/p", "cas/aa/1", "refused", "do this")
    assert str(error).endswith(": s3://bucket/p/cas/aa/1 (refused); do this")
    twin = copy.copy(error)
    assert type(twin) is kind
    assert (twin.url, twin.key, twin.hint, str(twin)) == ("s3://bucket/p", "cas/aa/1", "do this", str(error))


def test_each_kind_of_error_has_a_code_of_its_own() -> None:
    assert len({kind("x").code for kind in ALL}) == len(ALL)
