"""The grammar of types in a resource: one line in the manner of Python's annotations, as `list[Forest] | None`.

Used by `named_types`, which knows what a term means. Nothing here knows JSON Schema or the named types of a workflow
beyond their names. A text may come from anybody: its length and depth are bounded before it is parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from alula_api.contract import diagnostics
from alula_api.contract.codes import Code
from alula_api.contract.problems import InvalidValue, Problem

MAX_CHARACTERS: Final = 1_024
"""Of the text of one type."""
MAX_LEVELS: Final = 32
"""Of brackets inside each other in the text of one type."""
MAX_NAME: Final = 200
"""Characters of the name of a type."""

UNION: Final = "|"
TUPLES: Final = "tuple of one type"
"""The head of `tuple[T, ...]`; `tuple` is that of a fixed number of items."""
TAGGED: Final = "Annotated"
"""The head of `Annotated[T, Tag("name")]`, a variant of a union under a tag of its own."""

_PLAIN = (
    *("int", "float", "bool", "str", "bytes", "None", "Any", "Never"),
    *("datetime", "NaiveDatetime", "date", "timedelta"),
)
_STORED = ("File", "Directory", "DataFrame")
_CONTAINERS: Mapping[str, int] = {"list": 1, "set": 1, "frozenset": 1, "dict": 2}
RESERVED: Final = frozenset((*_PLAIN, *_STORED, *_CONTAINERS, "tuple", "Literal", TAGGED, "Tag", "True", "False"))
"""Words that name no type of a user."""

_FIXES = {
    "Optional": "T | None",
    "Union": "A | B",
    "string": "str",
    "integer": "int",
    "number": "float",
    "double": "float",
    "boolean": "bool",
    "null": "None",
    "object": "dict",
    "array": "list[T]",
    "Path": "File",
    "NoReturn": "Never",
    "duration": "timedelta",
    "Sequence": "list[T]",
    "Mapping": "dict[str, T]",
}
_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?[0-9]+)|(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"""
    r"""|(?P<sign>\.\.\.|[][(),|])"""
)
_ESCAPED = re.compile("[\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufffe\uffff]")

Scalar: TypeAlias = str | int | None
"""What stands in a `Literal`, the format of a `File`, the name in a `Tag`; bool is an int here."""


@dataclass(frozen=True, slots=True)
class Term:
    """A type as it is written: a word and what stands in its brackets."""

    head: str
    args: tuple[Term | Scalar, ...] = ()

    @property
    def parts(self) -> tuple[Term, ...]:
        """The types in the brackets."""
        return tuple(arg for arg in self.args if isinstance(arg, Term))


ANY: Final = Term("Any")
NONE: Final = Term("None")


def text(term: Term) -> str:
    """Return the one spelling of a term."""
    match term.head:
        case "|":
            return " | ".join(_grouped(part) if part.head == UNION else text(part) for part in term.parts)
        case "tuple of one type":
            return f"tuple[{text(term.parts[0])}, ...]"
        case "tuple" if not term.args:
            return "tuple[()]"
        case "Annotated":
            return f"Annotated[{text(term.parts[0])}, Tag({_scalar(term.args[1])})]"
    inside = ", ".join(text(arg) if isinstance(arg, Term) else _scalar(arg) for arg in term.args)
    return f"{term.head}[{inside}]" if inside else term.head


def _grouped(term: Term) -> str:
    return f"({text(term)})"


def _scalar(value: object) -> str:
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", quoted)
    return str(value)


def bounded(spelled: str) -> str:
    """Return a text that is short and flat enough for a resource.

    Raises:
        InvalidValue: It is not; says how large it is.
    """
    if len(spelled) > MAX_CHARACTERS:
        _refuse(f"has {len(spelled):,} characters as text, and may have at most {MAX_CHARACTERS:,}{_NAME_IT}")
    _scan(spelled)
    return spelled


_NAME_IT = ": give a part of it a name, as a dataclass, NamedTuple or Enum"


def is_name(name: str) -> bool:
    """Tell whether a text can name a type of a user: `Forest`, `flows.a.Forest`, `Box[int]`."""
    if len(name) > MAX_NAME:
        return False
    try:
        term = _Parser(name, None).whole()
    except InvalidValue:
        return False
    return term.head == name and name not in RESERVED


def parse(spelled: str, names: Collection[str] = ()) -> Term:
    """Return the term of a text.

    Args:
        spelled: The text, which may be anything.
        names: The named types that there are.

    Raises:
        InvalidValue: It is no type; says where, what was expected and the nearest type.
    """
    if len(spelled) > MAX_CHARACTERS:
        _refuse(f"must have at most {MAX_CHARACTERS:,} characters, not {len(spelled):,}{_NAME_IT}")
    return _Parser(spelled, names).whole()


def _refuse(message: str) -> None:
    raise InvalidValue([Problem("$", message, Code.UNSUPPORTED_TYPE)])


class _Token(NamedTuple):
    kind: str
    text: str
    at: int
    """The number of its first character, from 1."""


def _scan(spelled: str) -> list[_Token]:
    """Return the tokens, with an end behind them; what is deeper than `MAX_LEVELS` is refused here, before a parse."""
    tokens: list[_Token] = []
    at, depth = 0, 0
    while at < len(spelled):
        match = _TOKEN.match(spelled, at)
        if match is None:
            quote = "; texts stand in double quotes" if spelled[at] in "'\"" else ""
            _refuse(f"has {spelled[at]!r} at character {at + 1}, which no type has{quote}")
            break
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append(_Token(kind, match.group(), at + 1))
            depth += (match.group() in ("[", "(")) - (match.group() in ("]", ")"))
            if depth > MAX_LEVELS:
                _refuse(f"is nested deeper than {MAX_LEVELS} levels at character {at + 1}{_NAME_IT}")
        at = match.end()
    return [*tokens, _Token("end", "", len(spelled) + 1)]


class _Parser:
    """One text on its way; recursive descent, as deep as the brackets, which are counted before."""

    def __init__(self, spelled: str, names: Collection[str] | None) -> None:
        self._tokens = _scan(spelled)
        self._next = 0
        self._names = names
        """None: any name is one."""

    def whole(self) -> Term:
        term = self._union()
        if self._peek.kind != "end":
            self._fail("the end or |")
        return term

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._peek
        self._next += token.kind != "end"
        return token

    def _at(self, sign: str) -> bool:
        """Whether a sign comes next; takes it."""
        found = self._peek.kind == "sign" and self._peek.text == sign
        if found:
            self._next += 1
        return found

    def _expect(self, sign: str) -> None:
        if not self._at(sign):
            self._fail(sign)

    def _fail(self, expected: str, hint: str = "") -> None:
        token = self._peek
        found = f"not {token.text}" if token.kind != "end" else "where the text ends"
        _refuse(f"must have {expected} at character {token.at}, {found}{hint}")

    def _union(self) -> Term:
        parts = [self._one()]
        while self._at(UNION):
            parts.append(self._one())
        if len(parts) > 1:
            return Term(UNION, tuple(parts))
        return parts[0].parts[0] if parts[0].head == UNION and len(parts[0].args) == 1 else parts[0]

    def _one(self) -> Term:
        if self._at("("):
            inner = self._union()
            self._expect(")")
            return Term(UNION, (inner,)) if inner.head == TAGGED else inner  # its tag is not one of the union around
        token = self._peek
        if token.kind != "name":
            self._fail(
                "a type", "; texts and numbers stand in Literal[...]" if token.kind in ("text", "number") else ""
            )
        self._next += 1
        head = token.text
        if head in _CONTAINERS:
            return self._container(head)
        if head in _STORED:
            return Term(head, (self._string("a format"),)) if self._bracket() else Term(head)
        match head:
            case "tuple":
                return self._tuple()
            case "Literal":
                return Term(head, self._literals())
            case "Annotated":
                return self._annotated()
        return Term(head) if head in _PLAIN else self._named(token)

    def _bracket(self) -> bool:
        return self._at("[")

    def _container(self, head: str) -> Term:
        count = _CONTAINERS[head]
        if not self._bracket():  # as in Python: a list of anything, and an object
            return Term(head) if head == "dict" else Term(head, (ANY,))
        args = [self._union()]
        while len(args) < count:
            self._expect(",")
            args.append(self._union())
        self._expect("]")
        return Term(head, tuple(args))

    def _tuple(self) -> Term:
        if not self._bracket():
            return Term(TUPLES, (ANY,))
        if self._at("("):
            if self._at(")"):
                self._expect("]")
                return Term("tuple")
            self._next -= 1
        args = [self._union()]
        while self._at(","):
            if len(args) == 1 and self._at("..."):
                self._expect("]")
                return Term(TUPLES, (args[0],))
            args.append(self._union())
        self._expect("]")
        return Term("tuple", tuple(args))

    def _literals(self) -> tuple[Scalar, ...]:
        self._expect("[")
        values = [self._literal()]
        while self._at(","):
            values.append(self._literal())
        self._expect("]")
        return tuple(values)

    def _literal(self) -> Scalar:
        token = self._peek
        words: dict[str, Scalar] = {"True": True, "False": False, "None": None}
        if token.kind == "name" and token.text in words:
            self._next += 1
            return words[token.text]
        if token.kind == "number":
            self._next += 1
            return int(token.text)
        return self._content("a text in double quotes, an integer, True, False or None")

    def _string(self, what: str) -> str:
        """A text and the bracket behind it."""
        found = self._content(f"{what} in double quotes")
        self._expect("]")
        return found

    def _content(self, what: str) -> str:
        token = self._peek
        if token.kind != "text":
            self._fail(what)
        self._next += 1
        try:
            found: str = json.loads(token.text)
            found.encode()
        except ValueError:
            _refuse(f"must have escapes as in JSON at character {token.at}, not {token.text}")
        return found

    def _annotated(self) -> Term:
        self._expect("[")
        inner = self._union()
        self._expect(",")
        if self._peek.text != "Tag":
            self._fail('Tag("...")')
        self._next += 1
        self._expect("(")
        tag = self._content("a tag in double quotes")
        self._expect(")")
        self._expect("]")
        return Term(TAGGED, (inner, tag))

    def _named(self, token: _Token) -> Term:
        """A type of the workflow; the arguments of a generic one are a part of its name."""
        name = token.text
        if self._bracket():
            names, self._names = self._names, None
            args = [self._union()]
            while self._at(","):
                args.append(self._union())
            self._names = names
            self._expect("]")
            name = f"{name}[{', '.join(map(text, args))}]"
        if self._names is not None and name not in self._names:
            self._unknown(token, name)
        return Term(name)

    def _unknown(self, token: _Token, name: str) -> None:
        names = self._names or ()
        fix = _FIXES.get(token.text)
        near = diagnostics.closest(name, [*names, *sorted(RESERVED - {"Tag", "True", "False", TAGGED})])
        hint = f"; write {fix}" if fix else f"; did you mean {near}?" if near else "; named types stand in spec.types"
        shown = name if len(name) <= 60 else name[:57] + "..."
        _refuse(f"has {shown} at character {token.at}, which is no type here{hint}")
