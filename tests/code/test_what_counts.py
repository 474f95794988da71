"""`cache=True`: whatever edit to the project changes a task's result changes its version. One small project a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from alula.code import closure
from tests.code.projects import Project


class Edit(NamedTuple):
    """Sources by file (the task is `it` in flows/a.py), and one edit: what is replaced, by what, in which file."""

    files: dict[str, str]
    old: str
    new: str
    file: str = "flows/a.py"


HEAD = "from alula import task, workflow, LaunchPlan\n"


def flow(body: str, result: str, **others: str) -> dict[str, str]:
    """A project whose task returns the text of `result`; other files by their module's name (`flows__b`)."""
    text = f"{HEAD}{body}\n\n@task(cache=True)\ndef it(n: int) -> str:\n    return repr({result})\n"
    places = {name.replace("____init__", "/ init ").replace("__", "/").replace(" ", "__"): name for name in others}
    return {"flows/a.py": text} | {f"{place}.py": others[name] for place, name in places.items()}


REGISTRY = "MODELS = {}\n\ndef register(f):\n    MODELS[f.__name__] = f\n    return f\n\n"
DISPATCH = (
    "import functools\n\n@functools.singledispatch\ndef area(x):\n    return 0\n\n"
    "@area.register\ndef _(x: int):\n    return x * 2\n"
)
HOOK = "class Base:\n    seen = []\n    def __init_subclass__(cls, **kw):\n        Base.seen.append(cls.rate)\n\n"
CHANGES_THE_RESULT = {
    "an if": Edit(flow("FAST = True\nif FAST:\n    F = 2\nelse:\n    F = 3\n", "n * F"), "FAST = True", "FAST = False"),
    "a name bound again": Edit(flow("F = 2\nF = F + 1\n", "n * F"), "F + 1", "F + 2"),
    "the order of two bindings": Edit(flow("F = 2\nF = 3\n", "n * F"), "F = 2\nF = 3", "F = 3\nF = 2"),
    "an augmented assignment": Edit(flow("F = 2\nF += 1\n", "n * F"), "+= 1", "+= 2"),
    "a match": Edit(flow("K = 1\nmatch K:\n    case 1: F = 2\n    case _: F = 3\n", "F"), "K = 1", "K = 2"),
    "a with": Edit(flow("import io\nwith io.StringIO('7') as s:\n    F = s.read()\n", "F"), "'7'", "'8'"),
    "a walrus": Edit(flow("G = (F := 2) + 1\n", "F"), "F := 2", "F := 3"),
    "an else behind the main guard": Edit(
        flow("if __name__ == '__main__':\n    F = 1\nelse:\n    F = 2\n", "F"), "F = 2", "F = 3"
    ),
    "an import that is tried": Edit(
        flow("try:\n    from flows.fast import f\nexcept ImportError:\n    from flows.slow import f\n", "f(n)",
             flows__fast="def f(x): return x * 2\n", flows__slow="def f(x): return x\n"),
        "* 2", "* 3", "flows/fast.py",
    ),
    "a helper of an import that is tried": Edit(
        flow("try:\n    import flows.fast as m\nexcept ImportError:\n    import flows.slow as m\n", "m.f(n)",
             flows__fast="from flows.deep import K\ndef f(x): return x * K\n", flows__deep="K = 2\n",
             flows__slow="def f(x): return x\n"),
        "K = 2", "K = 3", "flows/deep.py",
    ),
    "one list by two names": Edit(flow("A = B = [1]\nA.append(2)\n", "B"), "append(2)", "append(3)"),
    "an abstract class that is registered with": Edit(
        flow("import abc\nclass B(abc.ABC): pass\nclass K: pass\nB.register(K)\n", "isinstance(K(), B)"),
        "B.register(K)", "B.register(int)",
    ),
    "an import that is tried inside the function": Edit(
        {
            "flows/a.py": f"{HEAD}@task(cache=True)\ndef it(n: int) -> str:\n    try:\n"
            "        from flows.fast import f\n    except ImportError:\n        from flows.slow import f\n"
            "    return repr(f(n))\n",
            "flows/fast.py": "def f(x): return x * 2\n",
            "flows/slow.py": "def f(x): return x\n",
        },
        "* 2", "* 3", "flows/fast.py",
    ),
    "a module imported by a text that is tried": Edit(
        flow("import importlib\ntry:\n    m = importlib.import_module('flows.fast')\n"
             "except ImportError:\n    m = None\n", "m.f(n)", flows__fast="def f(x): return x * 2\n"),
        "* 2", "* 3", "flows/fast.py",
    ),
    "a module run by its name, in a module that counts whole": Edit(
        flow("import runpy\nif True:\n    def f(x): return runpy.run_module('flows.fast')['f'](x)\n", "f(n)",
             flows__fast="def f(x): return x * 2\n"),
        "* 2", "* 3", "flows/fast.py",
    ),
    "a method that is replaced by the package": Edit(
        flow("from flows.b import K\n", "K().m()", flows__b="class K:\n    def m(self): return 1\n",
             flows__patch="from flows.b import K\nK.m = lambda self: 2\n", flows____init__="import flows.patch\n"),
        "self: 2", "self: 3", "flows/patch.py",
    ),
    "a list that its own method changes by another name": Edit(
        flow("T = []\nadd = T.append\nadd(2)\n", "T"), "add(2)", "add(3)"
    ),
    "a default that is a table": Edit(
        flow("T = []\ndef add(v, t=T): t.append(v)\nadd(2)\n", "T"), "add(2)", "add(3)"
    ),
    "a registry that is an object": Edit(
        flow("class R:\n    def __init__(self): self.items = []\n    def add(self, f):\n        self.items.append(f)\n"
             "        return f\nr = R()\n@r.add\ndef h(): return 2\n", "r.items[0]()"),
        "return 2", "return 3",
    ),
    "a context manager": Edit(
        flow("import contextlib\n@contextlib.contextmanager\ndef cm():\n    yield 5\nwith cm() as F:\n    pass\n", "F"),
        "yield 5", "yield 6",
    ),
    "a choice between modules": Edit(
        flow("from flows import fast, slow\nFAST = True\nm = fast if FAST else slow\n", "m.f(n)",
             flows__fast="def f(x): return x * 2\n", flows__slow="def f(x): return x\n"),
        "* 2", "* 3", "flows/fast.py",
    ),
    "a registry by decorator": Edit(
        flow(REGISTRY + "@register\ndef linear(x): return x * 2\n", "MODELS['linear'](n)"), "* 2", "* 3"
    ),
    "a registry in another module": Edit(
        flow("from flows.registry import MODELS\nimport flows.models\n", "MODELS['linear'](n)",
             flows__registry=REGISTRY,
             flows__models="from flows.registry import register\n\n@register\ndef linear(x): return x * 2\n"),
        "* 2", "* 3", "flows/models.py",
    ),
    "a registry that a package fills": Edit(
        flow("import flows.models\nfrom flows.registry import MODELS\n", "MODELS['linear'](n)",
             flows__registry=REGISTRY, flows__models____init__="from flows.models import one\n",
             flows__models__one="import flows.registry as r\n\n@r.register\ndef linear(x): return x * 2\n"),
        "* 2", "* 3", "flows/models/one.py",
    ),
    "a registry by a call": Edit(
        flow(REGISTRY + "def linear(x): return x * 2\nregister(linear)\n", "MODELS['linear'](n)"), "* 2", "* 3"
    ),
    "modules found by name": Edit(
        flow("import importlib, pkgutil\nimport flows.models\nfrom flows.registry import MODELS\n"
             "for found in pkgutil.iter_modules(flows.models.__path__):\n"
             "    importlib.import_module('flows.models.' + found.name)\n", "MODELS['linear'](n)",
             flows__registry=REGISTRY, flows__models____init__="",
             flows__models__one="from flows.registry import register\n\n@register\ndef linear(x): return x * 2\n"),
        "* 2", "* 3", "flows/models/one.py",
    ),
    "a module imported by a computed name": Edit(
        flow("from importlib import import_module as load\n", "load('flows.' + 'b').F", flows__b="F = 2\n"),
        "F = 2", "F = 3", "flows/b.py",
    ),
    "a module imported by a text": Edit(
        flow("import importlib\n", "importlib.import_module('flows.b').F", flows__b="F = 2\n"),
        "F = 2", "F = 3", "flows/b.py",
    ),
    "a module from sys.modules": Edit(
        flow("import sys\nimport flows.b\n", "sys.modules['flows.b'].F", flows__b="F = 2\n"),
        "F = 2", "F = 3", "flows/b.py",
    ),
    "singledispatch": Edit(flow(DISPATCH, "area(n)"), "x * 2", "x * 3"),
    "singledispatch from another module": Edit(
        flow("from flows.area import area\nimport flows.more\n", "area(n)",
             flows__area="import functools\n\n@functools.singledispatch\ndef area(x):\n    return 0\n",
             flows__more="from flows.area import area\n\n@area.register\ndef _(x: int):\n    return x * 2\n"),
        "x * 2", "x * 3", "flows/more.py",
    ),
    "__init_subclass__": Edit(flow(HOOK + "class One(Base):\n    rate = 2\n", "Base.seen"), "rate = 2", "rate = 3"),
    "__subclasses__": Edit(
        flow("class Base: pass\nclass One(Base):\n    rate = 2\n", "[c.rate for c in Base.__subclasses__()]"),
        "rate = 2", "rate = 3",
    ),
    "a metaclass": Edit(
        flow("class Meta(type):\n    seen = []\n    def __init__(cls, *a):\n"
             "        Meta.seen.append(a[2].get('rate'))\n\nclass One(metaclass=Meta):\n    rate = 2\n",
             "Meta.seen"),
        "rate = 2", "rate = 3",
    ),
    "setup() with global": Edit(
        flow("F = 1\ndef setup():\n    global F\n    F = 2\nsetup()\n", "F"), "    F = 2", "    F = 3"
    ),
    "setup() that fills a table": Edit(
        flow("T = {}\ndef setup(k):\n    T['k'] = k\nsetup(k=2)\n", "T['k']"), "k=2", "k=3"
    ),
    "setup() in another module": Edit(
        flow("from flows.b import T\nimport flows.c\n", "T", flows__b="T = {}\n",
             flows__c="from flows import b\ndef setup(k):\n    b.T['k'] = k\nsetup(2)\n"),
        "setup(2)", "setup(3)", "flows/c.py",
    ),
    "T[k] = v": Edit(flow("T = {}\nT['k'] = 2\n", "T"), "= 2", "= 3"),
    "del T[k]": Edit(flow("T = {'a': 1, 'b': 2}\ndel T['a']\n", "T"), "del T['a']", "del T['b']"),
    "T.pop": Edit(flow("T = {'a': 1, 'b': 2}\nT.pop('a')\n", "T"), "pop('a')", "pop('b')"),
    "a popped value": Edit(flow("T = [1, 2, 3]\nLAST = T.pop(0)\n", "T"), "pop(0)", "pop(1)"),
    "a keyword argument": Edit(
        flow("T = []\ndef fill(target, value):\n    target.append(value)\nfill(target=T, value=2)\n", "T"),
        "value=2)", "value=3)",
    ),
    "a library that changes a list": Edit(
        flow("import bisect\nT = [1, 5]\nbisect.insort(T, 2)\n", "T"), "T, 2", "T, 3"
    ),
    "an alias of a table": Edit(flow("T = {}\nA = T\nA['k'] = 2\n", "T"), "= 2", "= 3"),
    "an attribute of a class": Edit(flow("class C:\n    rate = 1\nC.rate = 2\n", "C.rate"), "C.rate = 2", "C.rate = 3"),
    "setattr on a class": Edit(
        flow("class C:\n    rate = 1\nsetattr(C, 'rate', 2)\n", "C.rate"), "'rate', 2", "'rate', 3"
    ),
    "an attribute of a function": Edit(flow("def f(): return f.k\nf.k = 2\n", "f()"), "f.k = 2", "f.k = 3"),
    "assignment from another module": Edit(
        flow("from flows import b\nimport flows.c\n", "b.F", flows__b="F = 1\n",
             flows__c="import flows.b\nflows.b.F = 2\n"),
        "F = 2", "F = 3", "flows/c.py",
    ),
    "assignment from a package": Edit(
        flow("from flows import b\n", "b.F", flows____init__="import flows.b as b\nb.F = 2\n", flows__b="F = 1\n"),
        "F = 2", "F = 3", "flows/__init__.py",
    ),
    "getattr of a module": Edit(
        flow("from flows import b\n", "getattr(b, 'F')", flows__b="F = 2\n"), "F = 2", "F = 3", "flows/b.py"
    ),
    "vars of a module, and what it imports": Edit(
        flow("from flows import b\n", "vars(b)['F']", flows__b="from flows.c import F\n", flows__c="F = 2\n"),
        "F = 2", "F = 3", "flows/c.py",
    ),
    "a lazy __getattr__": Edit(
        flow("from flows import b\n", "b.F",
             flows__b="def __getattr__(name):\n    if name == 'F': return 2\n    raise AttributeError(name)\n"),
        "return 2", "return 3", "flows/b.py",
    ),
    "a lazy __getattr__ of a from import": Edit(
        flow("from flows.b import F\n", "F",
             flows__b="V = {'F': 2}\ndef __getattr__(name):\n    if name in V: return V[name]\n"
             "    raise AttributeError(name)\n"),
        "'F': 2", "'F': 3", "flows/b.py",
    ),
    "globals()": Edit(flow("F = 2\n", "globals()['F']"), "F = 2", "F = 3"),
    "globals()[...] = ": Edit(flow("globals()['F'] = 2\n", "F"), "= 2", "= 3"),
    "eval": Edit(flow("F = 2\n", "eval('F')"), "F = 2", "F = 3"),
    "exec": Edit(flow("exec('F = 2')\n", "F"), "F = 2", "F = 3"),
    "a star import": Edit(flow("from flows.b import *\n", "F", flows__b="F = 2\n"), "F = 2", "F = 3", "flows/b.py"),
    "a star import of a star import": Edit(
        flow("from flows.b import *\n", "F", flows__b="from flows.c import *\n", flows__c="F = 2\n"),
        "F = 2", "F = 3", "flows/c.py",
    ),
    "a star import that hides a builtin": Edit(
        flow("from flows.b import *\n", "len([])", flows__b="def len(x): return 2\n"),
        "return 2", "return 3", "flows/b.py",
    ),
    "the seed of a library": Edit(
        flow("import random\nrandom.seed(2)\nK = random.random()\n", "(random.seed(0) or K)"), "seed(2)", "seed(3)"
    ),
    "an option of a library, set elsewhere": Edit(
        flow("import decimal\nimport flows.c\n", "decimal.Decimal(1) / 3",
             flows__c="import decimal\ndecimal.getcontext().prec = 5\n"),
        "= 5", "= 6", "flows/c.py",
    ),
    "the environment, set at import": Edit(
        flow("import os\nos.environ['ALULA_TEST_F'] = '2'\n", "os.environ['ALULA_TEST_F']"), "'2'", "'3'"
    ),
    "import a.b.c": Edit(
        flow("import flows.feat.build\n", "flows.feat.build.price(n)", flows____init__="", flows__feat____init__="",
             flows__feat__build="def price(x): return x * 2\n"),
        "* 2", "* 3", "flows/feat/build.py",
    ),
    "import a.b.c without __init__.py": Edit(
        flow("import flows.feat.build\n", "flows.feat.build.price(n)",
             flows__feat__build="def price(x): return x * 2\n"),
        "* 2", "* 3", "flows/feat/build.py",
    ),
    "from a import b, then b.c.f": Edit(
        flow("from flows import feat\nimport flows.feat.build\n", "feat.build.price(n)", flows____init__="",
             flows__feat____init__="", flows__feat__build="def price(x): return x * 2\n"),
        "* 2", "* 3", "flows/feat/build.py",
    ),
    "an import inside the function": Edit(
        {"flows/a.py": HEAD + "@task(cache=True)\ndef it(n: int) -> str:\n    import flows.feat.build as b\n"
         "    return repr(b.price(n))\n", "flows/feat/build.py": "def price(x): return x * 2\n"},
        "* 2", "* 3", "flows/feat/build.py",
    ),
    "a wrapper applied by a call": Edit(
        {"flows/a.py": "import functools\nfrom alula import task\n\ndef twice(f):\n    @functools.wraps(f)\n"
         "    def inner(n):\n        return f(n) * 2\n    return inner\n\n"
         "def base(n: int) -> str:\n    return str(n)\n\nit = task(cache=True)(twice(base))\n"},
        "* 2", "* 3",
    ),
    "a factor that a wrapper holds": Edit(
        {"flows/a.py": "import functools\nfrom alula import task\n\ndef times(k):\n    def wrap(f):\n"
         "        @functools.wraps(f)\n        def inner(n):\n            return f(n) * k\n        return inner\n"
         "    return wrap\n\ndef base(n: int) -> str:\n    return str(n)\n\nit = task(cache=True)(times(2)(base))\n"},
        "times(2)", "times(3)",
    ),
    "an inner of two wrappers of one name": Edit(
        {"flows/a.py": "import functools\nfrom alula import task\n\ndef add(k):\n    def wrap(f):\n"
         "        @functools.wraps(f)\n        def inner(n):\n            return f(n) + k\n        return inner\n"
         "    return wrap\n\ndef base(n: int) -> str:\n    return str(n)\n\n"
         "it = task(cache=True)(add('a')(add('b')(base)))\n"},
        "'b'", "'c'",
    ),
    "a decorator called task": Edit(
        {"flows/a.py": "from flows.common import task\n\n@task\ndef it(n: int) -> str:\n    return str(n)\n",
         "flows/common.py": "import alula, functools\n\ndef twice(f):\n    @functools.wraps(f)\n    def inner(n):\n"
         "        return f(n) * 2\n    return inner\n\ndef task(f):\n    return alula.task(cache=True)(twice(f))\n"},
        "* 2", "* 3", "flows/common.py",
    ),
    "the argument of a decorator": Edit(
        {"flows/a.py": "import functools\nfrom alula import task\n\ndef times(k):\n    def wrap(f):\n"
         "        @functools.wraps(f)\n        def inner(n):\n            return f(n) * k\n        return inner\n"
         "    return wrap\n\nK = 2\n\n@task(cache=True)\n@times(K)\ndef it(n: int) -> str:\n    return str(n)\n"},
        "K = 2", "K = 3",
    ),
    "the default of a function that another made": Edit(
        {"flows/a.py": "from alula import task\n\ndef make(k):\n    @task(cache=True)\n"
         "    def step(n: int, f=k) -> str:\n        return repr(n * f)\n    return step\n\nit = make(2)\n"},
        "make(2)", "make(3)",
    ),
    "the default of a helper": Edit(flow("K = 2\ndef f(x, k=K): return x * k\n", "f(n)"), "K = 2", "K = 3"),
    "a base class": Edit(
        flow("class A:\n    def f(self): return 2\nclass B(A): pass\n", "B().f()"), "return 2", "return 3"
    ),
    "a class in a string annotation": Edit(
        flow("from typing import get_type_hints\nclass C:\n    rate = 2\ndef f(x: 'list[C]'): pass\n",
             "get_type_hints(f)['x'].__args__[0].rate"), "rate = 2", "rate = 3",
    ),
    "a constant that a call made": Edit(flow("def make(): return 2\nF = make()\n", "F"), "return 2", "return 3"),
    "a lambda": Edit(flow("f = lambda x: x * 2\n", "f(n)"), "* 2", "* 3"),
    "a lambda of several in a line": Edit(flow("f, g = (lambda x: x * 2), (lambda x: x)\n", "f(n)"), "* 2", "* 3"),
    "a task that is called": Edit(
        flow("@task\ndef other(n: int) -> int:\n    return n * 2\n", "other.function(n)"), "* 2", "* 3"
    ),
    "text that only its kind tells apart": Edit(flow("F = 1\n", "F"), "F = 1", "F = True"),
    "a text and its bytes": Edit(flow("F = '1'\n", "F"), "F = '1'", "F = b'1'"),
    "an f-string": Edit(flow("F = 2\n", "f'{F!r:>4}'"), "!r:>4", "!r:>5"),
}  # fmt: skip


def run(project: Project, edit: Edit) -> tuple[Any, str]:
    """The task's result and its version as the files stand."""
    it = project.load("flows/a.py").it
    return it.function(5), it.version


@pytest.mark.parametrize("name", CHANGES_THE_RESULT)
def test_an_edit_that_changes_the_result_changes_the_version(name: str, project: Project, tmp_path: Path) -> None:
    edit = CHANGES_THE_RESULT[name]
    for file, text in edit.files.items():
        project.write(file, text)
    result, version = run(project, edit)
    assert run(project, edit) == (result, version)
    text = edit.files[edit.file]
    assert edit.old in text
    project.write(edit.file, text.replace(edit.old, edit.new))
    new_result, new_version = run(project, edit)
    assert new_result != result
    assert new_version != version


TWENTY = "\n".join(
    f"@task(cache=True)\n@timed\ndef step_{i}(n: int) -> str:\n    return repr(clean(n) + {i} + OFFSET)\n"
    for i in range(20)
)
PLAIN = f'''"""A module as people write them."""
from __future__ import annotations

import functools
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import alula
from alula import Cron, LaunchPlan, Resources, task, workflow
from flows import helpers
from flows.helpers import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["it", "w"]
logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)
ROOT = Path(__file__).parent
WORD = re.compile(r"\\w+")
OFFSET = 3
COLUMNS = ["a", "b"]
SMALL = Resources(cpu=1, memory="1Gi")


@dataclass(frozen=True)
class Config:
    """A config."""

    rate: float = 0.5
    names: list[str] = field(default_factory=list)


DEFAULT = Config(rate=0.25)


def timed(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        logger.info("begins %s", function)
        return function(*args, **kwargs)
    return inner


def unnamed(n):
    """It is not called."""
    return n + 1


{TWENTY}

@task(cache=True, retries=2, resources=SMALL)
@timed
def it(n: int, config: Config = DEFAULT) -> str:
    """Do it."""
    # a comment
    return repr((clean(n) * config.rate + OFFSET, COLUMNS, helpers.scale(n), WORD.pattern, ROOT.name))


@workflow
def w(n: int = 5) -> str:
    """All of it."""
    for step in (step_0, step_1):
        step(n)
    return it(n)


nightly = LaunchPlan("nightly", w, schedule=Cron("0 2 * * *"), inputs={{"n": 7}})
alula.LaunchPlan("weekly", w, schedule=Cron("0 2 * * 1"))

if __name__ == "__main__":
    print(w(3))
'''
HELPERS = "def clean(x):\n    return x\n\n\ndef scale(x):\n    return x * 2\n\n\ndef idle(x):\n    return x\n"
CANNOT_MATTER = {
    "another task": Edit({}, "clean(n) + 7", "clean(n) + 70"),
    "another task's options": Edit({}, "retries=2", "retries=3"),
    "a workflow": Edit({}, "(step_0, step_1)", "(step_0, step_2)"),
    "a launch plan": Edit({}, '"n": 7', '"n": 8'),
    "a launch plan without a name": Edit({}, '"0 2 * * 1"', '"0 3 * * 1"'),
    "resources": Edit({}, 'memory="1Gi"', 'memory="2Gi"'),
    "a helper that nothing names": Edit({}, "return n + 1", "return n + 2"),
    "a helper of another module that nothing names": Edit(
        {}, "def idle(x):\n    return x", "def idle(x):\n    return x + 1", "flows/helpers.py"
    ),
    "the main guard": Edit({}, "print(w(3))", "print(w(4))"),
    "an import for types": Edit({}, "import Sequence", "import Mapping"),
    "__all__": Edit({}, '["it", "w"]', '["it"]'),
    "settings of the log": Edit({}, "level=logging.INFO", "level=logging.DEBUG"),
    "a comment": Edit({}, "# a comment", "# another"),
    "a docstring": Edit({}, '"""Do it."""', '"""Do that."""'),
    "the docstring of a class": Edit({}, '"""A config."""', '"""Settings."""'),
    "a module's docstring": Edit({}, '"""A module as people write them."""\n', ""),
    "the layout of a call": Edit({}, "config.rate + OFFSET, COLUMNS", "config.rate\n        + OFFSET, COLUMNS"),
    "a trailing comma": Edit({}, "WORD.pattern, ROOT.name))", "WORD.pattern, ROOT.name,))"),
    "quotes": Edit({}, '["a", "b"]', "['a', 'b']"),
    "brackets that say nothing": Edit({}, "OFFSET = 3", "OFFSET = (3)"),
    "blank lines": Edit({}, "OFFSET = 3\n", "\n\nOFFSET = 3\n\n"),
    "a definition more": Edit({}, "OFFSET = 3\n", "OFFSET = 3\nANOTHER = 4\n"),
}


@pytest.mark.parametrize("name", CANNOT_MATTER)
def test_an_edit_that_cannot_matter_keeps_the_version(name: str, project: Project) -> None:
    edit = CANNOT_MATTER[name]
    files = {"flows/a.py": PLAIN, "flows/helpers.py": HELPERS}
    for file, text in files.items():
        project.write(file, text)
    before = project.load("flows/a.py").it.version
    assert edit.old in files[edit.file]
    project.write(edit.file, files[edit.file].replace(edit.old, edit.new))
    assert project.load("flows/a.py").it.version == before


MATTERS_IN_PLAIN = {
    "the offset": ("OFFSET = 3", "OFFSET = 4"),
    "a field's default": ("rate: float = 0.5", "rate: float = 0.75"),
    "an instance": ("Config(rate=0.25)", "Config(rate=0.5)"),
    "the decorator": ("begins %s", "starts %s"),
    "a list": ('["a", "b"]', '["a", "c"]'),
}


@pytest.mark.parametrize("name", MATTERS_IN_PLAIN)
def test_in_a_plain_module_what_the_task_names_counts(name: str, project: Project) -> None:
    old, new = MATTERS_IN_PLAIN[name]
    project.write("flows/helpers.py", HELPERS)
    project.write("flows/a.py", PLAIN)
    before = project.load("flows/a.py").it.version
    assert old in PLAIN
    project.write("flows/a.py", PLAIN.replace(old, new))
    assert project.load("flows/a.py").it.version != before


def test_an_edit_of_one_of_twenty_tasks_changes_its_version_alone(project: Project) -> None:
    def versions() -> dict[str, str]:
        module = project.load("flows/a.py")
        return {name: getattr(module, name).version for name in [f"step_{i}" for i in range(20)] + ["it"]}

    project.write("flows/helpers.py", HELPERS)
    project.write("flows/a.py", PLAIN)
    before = versions()
    project.write("flows/a.py", PLAIN.replace("clean(n) + 7 +", "clean(n) + 8 +"))
    after = versions()
    assert [name for name, version in after.items() if version != before[name]] == ["step_7"]


def test_a_statement_is_looked_at_as_often_however_many_there_are(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    touched = closure.touched

    def counted(module: Any, number: int) -> Any:
        looks.append(number)
        return touched(module, number)

    def looks_at(count: int) -> float:
        statements = "".join(f"random.seed({number})\n" for number in range(count))
        project.write(
            "flows/a.py", f"{HEAD}import random\n{statements}\n@task(cache=True)\ndef it() -> int: return 1\n"
        )
        task = project.load("flows/a.py").it
        looks.clear()
        assert task.version
        return len(looks) / count

    monkeypatch.setattr(closure, "touched", counted)
    assert looks_at(80) < 3
