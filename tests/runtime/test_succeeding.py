"""What a pod does when all is well: values through, results into the cache, large ones into the store."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from alula_api.contract import keys, references, values
from alula_data import caches, content
from tests.data import damaging
from tests.runtime.pod import INTEGER, STRING, Ended, Pod

INCREMENT = """
from pathlib import Path
from alula import task

@task
def f(x: int) -> int:
    with Path(__file__).parents[1].joinpath("called").open("a") as file:
        file.write("x")
    print("half a line", end="")
    return x + 1
"""

ECHO = """
from alula import task

@task
def f(x: str) -> str:
    return x
"""


def calls(pod: Pod) -> int:
    path = pod.project / "called"
    return len(path.read_text()) if path.exists() else 0


def test_an_int_goes_in_and_an_int_comes_out(pod: Pod) -> None:
    pod.write(INCREMENT)
    ended = pod.start({"x": 41}).end()
    assert (ended.code, ended.outputs, ended.message) == (0, {"o0": "42"}, "")
    assert ended.stdout == "half a line"
    assert ended.stderr == ""
    assert pod.committed() == []


def test_the_second_time_the_function_is_not_called(pod: Pod) -> None:
    pod.write(INCREMENT)
    first = pod.start({"x": 41}, cache="1").end()
    second = pod.start({"x": 41}, cache="1", environment={"ALULA_RUN": "run-2", "ALULA_NODE": "run-2.f"}).end()
    assert (first.outputs, second.outputs) == ({"o0": "42"}, {"o0": "42"})
    assert calls(pod) == 1
    assert second.stderr == "alula: cached: the result of run-1.f in run-1\n"
    assert [key.split("/")[0] for key in pod.committed()] == ["cache"]


@pytest.mark.parametrize("change", [{"inputs": {"x": 7}}, {"cache": "2"}])
def test_another_input_or_version_is_another_call(pod: Pod, change: dict[str, Any]) -> None:
    pod.write(INCREMENT)
    pod.run({"x": 41}, cache="1")
    arguments = {"inputs": {"x": 41}, "cache": "1", **change}
    assert pod.run(arguments.pop("inputs"), **arguments).code == 0
    assert calls(pod) == 2


def test_the_key_is_the_contracts_with_what_the_resource_says(pod: Pod) -> None:
    pod.write(INCREMENT.replace("@task", '@task(cache=True, name="decorated")'))
    pod.run({"x": 41}, cache="from the resource")
    interface = keys.interface_digest([("x", INTEGER)], [("o0", INTEGER)])
    identity = values.codec(INTEGER).identity(41)
    key = keys.cache_key("flows.m:f", "from the resource", interface, {"x": identity})
    entry = caches.CacheIndex(pod.store).find(key, {"o0": INTEGER}).entry
    assert entry is not None
    assert (entry.outputs, entry.run, entry.node, entry.task) == ({"o0": 42}, "run-1", "run-1.f", "flows.m:f")


HOSTILE = [
    "", " ", "{{workflow.uid}}", "{{=1+1}}", "{{", "}}", "$$", "$(HOME)", "$(", '"', "\\", "'", "`", "\x07\x00\x1f\x7f",
    "\r\n\t", "null", "7", '{"$stored": 1}', "--input", "-", "\ufeff", "\u2028\u2029", "é e\u0301",
    "😀🏴\U000e0067\U000e007f",
    "\U0010ffff", "\ud7ff\ue000", "%s%(x)s", "</script>&", "a" * 4000,
]  # fmt: skip


@pytest.mark.parametrize("limit", ["4096", "128"])
def test_hostile_texts_arrive_byte_for_byte_and_leave_argo_safe(pod: Pod, limit: str) -> None:
    pod.write(ECHO.replace("x: str) -> str", "x: list[str]) -> list[str]"))
    schema = {"type": "array", "items": STRING}
    ended = pod.run(
        {"x": HOSTILE}, types={"x": schema}, outputs={"o0": schema}, environment={"ALULA_INLINE_LIMIT": limit}
    )
    assert ended.code == 0, ended.stderr
    assert "{{" not in ended.outputs["o0"]
    assert content.Content(pod.store).load_value(ended.value()) == HOSTILE


@pytest.mark.parametrize(
    "text", ['{"$stored":7}', f'{{"$stored":{{"digest":"{"0" * 64}","size":1,"hash":"{"1" * 64}"}}}}']
)
def test_a_users_own_value_in_the_shape_of_an_envelope_is_theirs(pod: Pod, text: str) -> None:
    pod.write(
        ECHO.replace("x: str) -> str", "x: str) -> dict").replace("return x", "import json; return json.loads(x)")
    )
    ended = pod.run({"x": text}, types={"x": STRING}, outputs={"o0": {"type": "object"}})
    assert ended.code == 0, ended.stderr
    assert ended.value() != json.loads(text)
    assert content.Content(pod.store).load_value(ended.value()) == json.loads(text)


def test_a_large_result_is_stored_and_read_back_by_the_next_task(pod: Pod) -> None:
    pod.write(ECHO.replace("return x", "return x + 'é' * 5_000_000"))
    pod.write(ECHO.replace("-> str", "-> int").replace("return x", "return len(x)"), "flows/n.py")
    made = pod.run({"x": ""}, types={"x": STRING}, outputs={"o0": STRING}, cache="1")
    assert made.code == 0, made.stderr
    assert len(made.outputs["o0"]) < 250
    stored = references.stored(made.value())
    assert stored is not None
    text = json.dumps("é" * 5_000_000, ensure_ascii=False).encode()
    assert (stored.digest, stored.size) == (hashlib.sha256(text).hexdigest(), 10_000_002)
    assert stored.hash == values.codec(STRING).identity("é" * 5_000_000)
    read = pod.run(texts={"x": made.outputs["o0"]}, types={"x": STRING}, entrypoint="flows.n:f", cache="1")
    assert read.outputs == {"o0": "5000000"}
    again = pod.run({"x": ""}, types={"x": STRING}, outputs={"o0": STRING}, cache="1")
    assert again.outputs == made.outputs
    assert "cached" in again.stderr


def test_the_key_of_a_stored_input_is_that_of_the_same_value_inline(pod: Pod) -> None:
    pod.write(INCREMENT.replace("x: int", "x: str").replace("x + 1", "len(x)"))
    value = "v" * 3000
    codec = values.codec(STRING)
    stored = content.Content(pod.store).save_value(codec.wire(value), codec.identity(value), 100)
    assert pod.run({"x": value}, types={"x": STRING}, cache="1").outputs == {"o0": "3000"}
    ended = pod.run(texts={"x": values.dumps(stored)}, types={"x": STRING}, cache="1")
    assert ended.outputs == {"o0": "3000"}
    assert calls(pod) == 1


def test_a_small_limit_stores_what_another_run_kept_inline(pod: Pod) -> None:
    pod.write(ECHO)
    options: dict[str, Any] = {"types": {"x": STRING}, "outputs": {"o0": STRING}, "cache": "1"}
    inline = pod.run({"x": "y" * 2000}, **options)
    assert inline.value() == "y" * 2000
    small = pod.run({"x": "y" * 2000}, environment={"ALULA_INLINE_LIMIT": "128"}, **options)
    assert "cached" in small.stderr
    assert references.stored(small.value()) is not None
    assert content.Content(pod.store).load_value(small.value()) == "y" * 2000


def test_many_outputs_of_some_size_still_fit_into_one_entry(pod: Pod) -> None:
    names = ", ".join("str" for _ in range(40))
    pod.write(f"from alula import task\n\n@task\ndef f() -> tuple[{names}]:\n    return ('z' * 3900,) * 40\n")
    outputs = {f"o{number}": STRING for number in range(40)}
    first = pod.run(outputs=outputs, cache="1")
    assert first.code == 0, first.stderr
    second = pod.run(outputs=outputs, cache="1")
    assert "cached" in second.stderr
    assert second.outputs == first.outputs
    assert len(first.outputs) == 40


def test_several_outputs_and_none(pod: Pod) -> None:
    pod.write(
        "from alula import task\n\n@task\ndef f(x: int) -> tuple[int, str]:\n    return x, 'a'\n\n"
        "@task\ndef g(x: int) -> None:\n    print('done')\n"
    )
    assert pod.run({"x": 1}, outputs={"o0": INTEGER, "o1": STRING}, cache="1").outputs == {"o0": "1", "o1": '"a"'}
    for _ in range(2):
        ended = pod.run({"x": 1}, outputs={}, entrypoint="flows.m:g", cache="1")
        assert (ended.code, ended.outputs) == (0, {})
    assert "cached" in ended.stderr


def test_attribute_paths_and_lists_that_several_nodes_made(pod: Pod) -> None:
    pod.write("from alula import task\n\n@task\ndef f(x: int, xs: list[str]) -> str:\n    return f'{x} {xs}'\n")
    codec = values.codec({})
    stored = content.Content(pod.store).save_value(codec.wire({"deep": ["{{long}}" * 99]}), codec.identity({}), 10)
    options: dict[str, Any] = {
        "texts": {"x": '{"a":{"b":[10,20]}}'},
        "items": {"xs": ["one", stored, "three"]},
        "paths": {"x": ["a", "b", "1"], "xs.1": ["deep", "0"]},
        "types": {"xs": {"type": "array", "items": STRING}},
        "outputs": {"o0": STRING},
        "cache": "1",
    }
    for _ in range(2):
        ended = pod.run(**options)
        assert ended.code == 0, ended.stderr
        assert ended.value() == f"20 {['one', '{{long}}' * 99, 'three']}"
    assert "cached" in ended.stderr


def test_a_default_has_the_key_of_the_same_value_given(pod: Pod) -> None:
    pod.write(INCREMENT.replace("x: int", "x: int = 5"))
    interface = keys.interface_digest([("x", INTEGER)], [("o0", INTEGER)])
    assert pod.run(cache="1", interface=interface).outputs == {"o0": "6"}
    assert pod.run({"x": 5}, cache="1").outputs == {"o0": "6"}
    assert calls(pod) == 1


def test_code_below_src_is_found_without_it_and_arguments_are_not_the_users(pod: Pod) -> None:
    pod.write("import sys\n" + INCREMENT.replace("return x + 1", "return len(sys.argv)"), "src/lib/m.py")
    ended = pod.run({"x": 1}, entrypoint="lib.m:f")
    assert ended.outputs == {"o0": "1"}, ended.stderr


def test_an_async_task_runs_to_its_end(pod: Pod) -> None:
    pod.write(
        "import asyncio\nfrom alula import task\n\n@task\nasync def f(x: int) -> int:\n"
        "    await asyncio.sleep(0)\n    return x + 1\n"
    )
    assert pod.run({"x": 1}).outputs == {"o0": "2"}


FRAMES = """
import pandas
from alula import File, task

@task
def make() -> pandas.DataFrame:
    return pandas.DataFrame({"a": [1, 2, 3], "b": ["x", None, "{{z}}"]}, index=[10, 20, 30])

@task
def take(df: pandas.DataFrame) -> float:
    return float(df.loc[20, "a"] + sum(df.index))

@task
def report(df: pandas.DataFrame) -> File["html"]:
    file = File.new("report.html")
    file.path.write_text(df.to_html())
    return file

@task
def size(report: File["html"]) -> int:
    with open(report) as file:
        return len(file.read())
"""
FRAME = {"x-alula-type": "frame", "format": "parquet"}
HTML = {"x-alula-type": "file", "format": "html"}


def frames(pod: Pod) -> tuple[Ended, Ended]:
    made = pod.run(outputs={"o0": FRAME}, entrypoint="flows.m:make", cache="1")
    assert made.code == 0, made.stderr
    reported = pod.run(
        texts={"df": made.outputs["o0"]},
        types={"df": FRAME},
        outputs={"o0": HTML},
        entrypoint="flows.m:report",
        cache="1",
    )
    assert reported.code == 0, reported.stderr
    return made, reported


def test_frames_and_files_travel_by_reference_and_hit_the_cache(pod: Pod) -> None:
    pod.write(FRAMES)
    made, reported = frames(pod)
    taken = pod.run(
        texts={"df": made.outputs["o0"]},
        types={"df": FRAME},
        outputs={"o0": {"type": "number"}},
        entrypoint="flows.m:take",
    )
    assert taken.outputs == {"o0": "62.0"}, taken.stderr
    reference = references.Reference.from_json(reported.value())
    assert (reference.name, reference.format) == ("report.html", "html")
    html = content.Content(pod.store).read(reference)
    assert b"{{z}}" in html
    sized = pod.run(texts={"report": reported.outputs["o0"]}, types={"report": HTML}, entrypoint="flows.m:size")
    assert sized.value() == len(html)
    assert [ended.stderr.startswith("alula: cached") for ended in frames(pod)] == [True, True]


@pytest.mark.parametrize("way", [name for name in damaging.WAYS if name != "a bit flipped"])
def test_an_entry_whose_file_is_gone_or_cut_is_a_miss_that_the_run_mends(pod: Pod, way: str) -> None:
    pod.write(
        "from pathlib import Path\nfrom alula import File, task\n\n@task\ndef f(x: int) -> File:\n"
        "    file = File.new('a.txt')\n    file.path.write_text('content')\n"
        "    Path(__file__).parents[1].joinpath('called').open('a').write('x')\n    return file\n"
    )
    options: dict[str, Any] = {"outputs": {"o0": {"x-alula-type": "file"}}, "cache": "1"}
    first = pod.run({"x": 1}, **options)
    reference = references.Reference.from_json(first.value())
    damaging.WAYS[way](pod.store, reference.path())
    second = pod.run({"x": 1}, **options)
    assert (second.code, second.outputs) == (0, first.outputs)
    assert calls(pod) == 2
    assert f"not cached: its output o0 is gone or damaged: {reference.path()}" in second.stderr
    assert content.Content(pod.store).read(reference) == b"content"
    assert "alula: cached" in pod.run({"x": 1}, **options).stderr
    assert calls(pod) == 2


def test_what_was_kept_first_is_what_all_hand_on(pod: Pod) -> None:
    pod.write(
        "import time\nfrom pathlib import Path\nfrom alula import task\n\n@task\ndef f(x: int) -> int:\n"
        "    here = Path(__file__).parents[1]\n    (here / 'started').touch()\n"
        "    while not (here / 'go').exists():\n        time.sleep(0.01)\n"
        "    return time.perf_counter_ns()\n"
    )
    slow = pod.start({"x": 1}, cache="1")
    slow.wait_for(pod.project / "started")
    interface = keys.interface_digest([("x", INTEGER)], [("o0", INTEGER)])
    key = keys.cache_key("flows.m:f", "1", interface, {"x": values.codec(INTEGER).identity(1)})
    index = caches.CacheIndex(pod.store)
    assert index.record(
        keys.CacheEntry(key, "flows.m:f", {"o0": 77}, "", "run-0", "run-0.f", "flows.m:f"), {"o0": INTEGER}
    )
    Path(pod.project / "go").touch()
    ended = slow.end()
    assert (ended.code, ended.outputs) == (0, {"o0": "77"})
    assert "another run was first" in ended.stderr


def test_a_result_counts_even_if_the_cache_cannot_keep_it(pod: Pod) -> None:
    pod.write(INCREMENT.replace("return x + 1", "import shutil, os; shutil.rmtree(os.environ['VICTIM'], True);\n"
                                "    open(os.environ['VICTIM'], 'w'); return x + 1"))  # fmt: skip
    ended = pod.run({"x": 1}, cache="1", environment={"VICTIM": pod.store.root})
    assert (ended.code, ended.outputs) == (0, {"o0": "2"})
    assert "could not be kept in the cache" in ended.stderr


def test_the_function_runs_with_garbage_collection_and_with_the_real_inspect(pod: Pod) -> None:
    pod.write(
        "import gc, inspect\nfrom alula import task\n\n@task\ndef f(x: int) -> str:\n"
        "    return f'{gc.isenabled()} {inspect.signature(int.bit_length)} {len(inspect.stack()) > 1}'\n"
    )
    ended = pod.start({"x": 1}, outputs={"o0": STRING}).end()
    assert ended.outputs == {"o0": '"True (self, /) True"'}, ended.stderr


def test_what_another_function_of_the_same_name_made_is_a_miss(pod: Pod) -> None:
    pod.write(INCREMENT + "\n@task\ndef g(x: int) -> int:\n    return x + 100\n")
    assert pod.run({"x": 1}, cache="1", task="shared").outputs == {"o0": "2"}
    other = pod.run({"x": 1}, cache="1", task="shared", entrypoint="flows.m:g")
    assert other.outputs == {"o0": "101"}
    assert "not cached: the entry was made by flows.m:f, not by flows.m:g" in other.stderr


def test_the_environment_of_the_resource_counts(pod: Pod) -> None:
    pod.write(INCREMENT)
    assert pod.run({"x": 1}, cache="1", digest="e1").outputs == {"o0": "2"}
    assert "cached" not in pod.run({"x": 1}, cache="1", digest="e2").stderr
    assert "alula: cached" in pod.run({"x": 1}, cache="1", digest="e1").stderr


def test_code_that_is_not_that_of_the_resource_runs_without_the_cache(pod: Pod) -> None:
    pod.write(INCREMENT.replace("@task", "@task(cache=True)"))
    for _ in range(2):
        ended = pod.run({"x": 1}, cache=f"code:{'0' * 64}")
        assert ended.outputs == {"o0": "2"}
        assert f"the cache is not used: the resource was made for the code code:{'0' * 64}" in ended.stderr
    held = ended.stderr.partition("this pod holds ")[2].split()[0]
    assert pod.run({"x": 1}, cache=held).outputs == {"o0": "2"}
    assert "alula: cached" in pod.run({"x": 1}, cache=held).stderr


PLACES = """
import os, tempfile
from pathlib import Path
from alula import task

@task
def f(x: int) -> str:
    Path("left-behind").write_text("x")
    found = [os.getcwd(), os.environ["HOME"], tempfile.gettempdir(), os.environ["XDG_CACHE_HOME"]]
    with tempfile.NamedTemporaryFile():
        return " ".join(map(os.path.realpath, found))
"""


def test_a_task_starts_in_a_folder_of_its_own_that_home_and_temporary_files_lead_to(pod: Pod) -> None:
    pod.write(PLACES)
    here, home, temporary, cache = pod.run({"x": 1}, outputs={"o0": STRING}).value().split()
    assert (home, temporary, cache) == (here, f"{here}/tmp", f"{here}/.cache")
    assert here.endswith("/scratch")
    assert not (pod.project / "left-behind").exists()
