"""Workflows are functions: a test calls them."""

from flows.greetings import greet, words


def test_a_task_is_a_function() -> None:
    assert words("ada") == ["hello", "ada"]


def test_a_workflow_runs_in_this_process() -> None:
    assert greet(name="ada") == "hello ada"
