"""What the controller's log lines hold, for programs and for people."""

from __future__ import annotations

import json
import logging
import re

import pytest

from alula_controller import logs


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_line_says_what_it_is_about_in_either_form(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.configure(form, "info")
        about = logs.about(namespace="penguins-dev", name="train-1")
        logging.getLogger("alula_controller.runs").info("Admitted", extra=about)
        logging.getLogger("alula_controller.runs").warning("nothing else")
        try:
            raise ValueError("broken")
        except ValueError:
            logging.getLogger("alula_controller.runs").exception("failed", extra=about)
    finally:
        for handler in root.handlers[:]:
            root.removeHandler(handler)
        for handler in before:
            root.addHandler(handler)
        root.setLevel(level)
    lines = capsys.readouterr().err.splitlines()
    if form == "json":
        first, second, third = map(json.loads, lines)
        assert (first["message"], first["namespace"], first["name"]) == ("Admitted", "penguins-dev", "train-1")
        assert second.keys() == {"time", "level", "logger", "message"}
        assert (third["name"], "ValueError: broken" in third["traceback"]) == ("train-1", True)
    else:
        told = [re.sub(r"^\S+ \S+ ", "", line) for line in lines]
        assert told[0] == "INFO    alula_controller.runs: Admitted (namespace=penguins-dev, name=train-1)"
        assert told[1] == "WARNING alula_controller.runs: nothing else"
        assert told[2] == "ERROR   alula_controller.runs: failed (namespace=penguins-dev, name=train-1)"
        assert (lines[3], lines[-1]) == ("Traceback (most recent call last):", "ValueError: broken")
