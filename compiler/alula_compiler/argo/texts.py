r"""What is live in compiled text, and how people's text is kept dead.

Argo evaluates `{{...}}` wherever it stands in a template, and several times; the kubelet evaluates `$(NAME)` and `$$`
in arguments and environment. The only live tags in our output are `LIVE_TAGS`; everything else that people wrote goes
through one of the functions here, or is Argo-safe JSON.
"""

from __future__ import annotations

import re
from typing import Final

from alula_api.contract import lists, names
from alula_api.contract.graphs.conditions import NONE_COMPARED

RUN: Final = "{{workflow.name}}"
RUN_UID: Final = "{{workflow.uid}}"
NODE: Final = "{{node.name}}"
"""`<run>.<node>[.<node>...]`; in a template with retries the same for every attempt."""
ATTEMPT: Final = "{{retries}}"

_NAME = "[-a-zA-Z0-9_]+"
_LITERAL = r'"(?:[^"\\{}]|\\.)*"'
_READ = rf"(?:tasks\['{_NAME}'\]\.outputs|inputs)\.parameters\['{_NAME}'\]"
_DECIDED = (
    r"asInt\(|asFloat\(|trim\(|, '\"'\)|\(|\)|'[-a-z0-9]*'|'\"[0-9a-f]{64}\"'|-?[0-9][-+.0-9e]*"
    r"|'-?(?:[0-9][-+.0-9e]*|Infinity)'|'NaN'|&&|\|\||[=!<>]=|[<>!?:]|true|false| "
    rf"|'{NONE_COMPARED.format(_NAME)}'"
)
"""The parts of a decision: what a condition compares, and the names of branches."""
_MAPPED = (
    r"fromJSON\(|toJson\(|len\(|string\(|\[asInt\(item\)\]|\['\$stored'\]|\['items'\]|'='|\)|\[|\]|,| \+ | == | \? | : "
    r"|'\\u007b\"\$stored\":\\u007b\"items\":\[?'|'\]?\\u007d\\u007d'"
    rf"|'{_NAME} {lists.UNEQUAL}{_NAME} has '|' and {_NAME} has '"
    rf"|0|'{lists.TOO_FEW.format(0, 0, '[0-9]+')}'"
)
"""The parts of what a map computes: the number of its items, and the list of one of them."""
_BATCHED = (
    r"map\(|#\[[0-9]\]|#| == nil|'(?:items|batches)'|fromJSON\(|toJson\(|int\(|string\(|len\(|min\("
    rf"|asInt\(item\)|\['(?:\$stored|{lists.ITEMS}|{lists.BATCHES}|size|count)'\]|[0-9]++|\[|\]|:int\(|\)|\(|, "
    r"| \+ | - | \* | / | == | <= | \? | : | \?\? |'\\u007b\"\$stored\":\\u007b\"'|'\":'"
    r"|',\"(?:size|start|count)\":'"
    rf"|'\\u007d\\u007d'|'{_NAME} {lists.UNEQUAL}{_NAME} has '|' and {_NAME} has '"
    rf"|'{lists.TOO_FEW.format(0, 0, '[0-9]+')}'|'{_NAME} has '|' items, and the map takes at most [0-9]++'"
)
"""Likewise of a map that knows of batches: how many there are, and what one of them gets of a list."""
_COUNTED = (
    rf"tasks\['{names.ITEM}'\]\.outputs\.parameters\['{names.SUCCEEDED}'\]"
    rf"|inputs\.parameters\['{_NAME}'\]|\['\$stored'\]\['(?:count|{lists.ITEMS})'\]| \?\? |sum\(map\(|, int\(#\)\)\)"
    rf"|map\(\[fromJSON\(|\['\$stored'\]|, int\(#\['count'\] \?\? len\(#\['{lists.ITEMS}'\]\)\)\)\[0\]|\]"
    r"|fromJSON\(|len\(|filter\(|, # == 'true'\)|string\(|max\(|int\(|\)|\(|, |[0-9]+| [*+/] | >= | \? | : |'1'"
    r"|'only '|' of '|' items succeeded, and '|' must'"
)
"""The parts of what a map of items that may fail computes: whether enough of them succeeded."""
_AMOUNT = r"[.0-9][.0-9A-Za-z]*"
_STEP = (
    rf"int\(max\(0, min\([0-9]+, \((?:lastRetry\.message contains 'memory {_AMOUNT}\)' \? [0-9]+ : )+"
    r"asInt\(retries\) - 1\) \+ \(lastRetry\.message startsWith 'main: OOMKilled' \? 1 : 0\)\)\)\)"
)
"""How far the memory of a task's attempts has grown."""
_SETTING = r"'(?:[-A-Za-z0-9_./:,\"\[\]]|\\u007[bd])*'"
"""A setting of a pod as JSON, in which are no texts but labels and names of Kubernetes."""
LIVE_TAGS: Final = (
    r"\{\{workflow\.name\}\}",
    r"\{\{workflow\.uid\}\}",
    r"\{\{node\.name\}\}",
    r"\{\{retries\}\}",
    rf"\{{\{{=\['{_AMOUNT}'(?:,'{_AMOUNT}')*\]\[{_STEP}\]\}}\}}",
    rf"\{{\{{=asInt\(retries\) < [0-9]+ \? {_SETTING} : {_SETTING}\}}\}}",
    rf"\{{\{{inputs\.parameters\.{_NAME}\}}\}}",
    rf"\{{\{{tasks\.{_NAME}\.outputs\.parameters\.{_NAME}\}}\}}",
    rf"\{{\{{=(?:{_READ}|{_DECIDED})+\}}\}}",
    rf"\{{\{{=(?:{_READ}|{_LITERAL}|{_MAPPED})+\}}\}}",
    rf"\{{\{{=(?:{_COUNTED})+\}}\}}",
    rf"\{{\{{=(?:inputs\.parameters\['{_NAME}'\]|{_BATCHED})+\}}\}}",
    rf"\{{\{{=toJson\(\[(?:(?:{_READ}|{_LITERAL})(?:,(?:{_READ}|{_LITERAL}))*)?\]\)\}}\}}",
)
"""Every form of `{{...}}` that compiled output may hold, as regular expressions."""

BRACE_NAME: Final = "ALULA_BRACE"
BRACE: Final = {"name": BRACE_NAME, "value": "{"}
"""The variable by which `exact` writes a brace; it must stand before the variables that use it."""

_SECOND_BRACE = re.compile(r"(?<=\{)\{")
_LIVE = re.compile("|".join(LIVE_TAGS))


def readable(text: str) -> str:
    """Return text for people's eyes, with a space between braces that Argo would take for a tag."""
    return _SECOND_BRACE.sub(" {", text)


def exact(text: str) -> str:
    """Return an argument or a value of the environment from which the process gets exactly `text`.

    Where it `needs_brace`, the container must have the variable `BRACE`.
    """
    return _SECOND_BRACE.sub(f"$({BRACE_NAME})", text.replace("$", "$$"))


def needs_brace(text: str) -> bool:
    """Tell whether `exact` uses the variable `BRACE` for this text."""
    return "{{" in text


def stray_tags(text: str) -> list[str]:
    """Return what stands after each `{{` that is not of a live tag, shortened."""
    if _LIVE.fullmatch(text):  # as nearly every one is
        return []
    rest = _LIVE.sub("", text)
    return [rest[match.start() : match.start() + 40] for match in re.finditer(r"\{\{", rest)]
