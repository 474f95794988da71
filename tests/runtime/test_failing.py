"""What a pod says and does when something is wrong: whose failure it is, what is told where, what Argo shall do."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from alula_api.contract import failures, pods, references, values
from alula_data import bundles, content
from alula_data.stores import folders
from tests.data import damaging
from tests.runtime.pod import INTEGER, RUN_UID, STRING, Pod

FILE = {"x-alula-type": "file"}


def task(body: str, signature: str = "x: int) -> int", head: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{head}\nfrom alula import File, NonRecoverable, task\n\n\n@task\ndef f({signature}:\n{lines}"


def only(pod: Pod) -> failures.FailureRecord:
    records = pod.records()
    assert len(records) == 1
    return records[0]


def test_a_users_exception_is_told_everywhere_in_their_own_frames(pod: Pod) -> None:
    pod.write(task("return inner(x)") + "\n\ndef inner(x):\n    raise KeyError('no such column')\n")
    ended = pod.start({"x": 7}, retries=2).end()
    record = only(pod)
    assert ended.code == 91
    assert (record.kind, record.code, record.exception, record.retryable) == ("user", "TASK_FAILED", "KeyError", True)
    assert (record.run, record.node, record.attempt, record.task) == ("run-1", "run-1.f", 1, "flows.m:f")
    assert record.source == "flows/m.py:11"
    assert record.inputs == {"x": "7"}
    assert "return inner(x)" in record.traceback
    assert "alula/runtime" not in record.traceback
    assert "alula/attempt" not in record.traceback
    assert ended.message.startswith("KeyError: 'no such column' (flows/m.py:11, attempt 1)\n")
    assert "raise KeyError" in ended.message
    assert "raise KeyError" in ended.stderr
    assert "alula: TASK_FAILED, attempt 1, may be tried again: 'no such column'" in ended.stderr
    assert ended.outputs == {}
    assert pod.committed() == []


def test_the_users_share_of_attempts_is_counted_over_attempts(pod: Pod) -> None:
    pod.write(task("raise ValueError('again')"))
    assert [pod.run({"x": 1}, retries=2, attempt=attempt).code for attempt in range(3)] == [91, 91, 90]
    assert [record.attempt for record in pod.records()] == [1, 2, 3]


def test_failures_of_the_system_do_not_use_up_the_users_share(pod: Pod) -> None:
    pod.write(task("raise ValueError('again')"))
    system = failures.FailureRecord("system", "TASK_KILLED", "evicted", node="run-1.f", run="run-1")
    for attempt in (1, 3):
        record = values.dumps({**system.to_json(), "attempt": attempt}).encode()
        pod.store.put(failures.path(RUN_UID, "run-1.f", attempt), record)
    # Attempt 2 was lost with its node and left nothing.
    assert pod.run({"x": 1}, retries=1, attempt=3).code == 91


def test_failures_of_an_earlier_run_of_the_same_name_are_none_of_this_run(pod: Pod) -> None:
    pod.write(task("raise ValueError('again')"))
    assert pod.run({"x": 1}, retries=1, environment={"ALULA_RUN_UID": "uid-of-last-month"}).code == 91
    # The first attempt of the new run was evicted and left nothing, the second is its first failure.
    assert pod.run({"x": 1}, retries=1, attempt=1).code == 91
    assert pod.run({"x": 1}, retries=1, attempt=2).code == 90


def test_user_code_does_not_run_again_after_more_losses_than_are_forgiven(pod: Pod) -> None:
    pod.write(task("open(__file__ + '.ran', 'a').write('x')\nraise ValueError('again')"))
    ended = pod.run({"x": 1}, retries=5, system_retries=0, attempt=0)
    assert ended.code == 91
    # Attempt 2 was killed and left nothing.
    ended = pod.run({"x": 1}, retries=5, system_retries=0, attempt=2)
    assert ended.code == 90
    assert "1 of 2 attempts before this one ended without a failure of the task's own code" in ended.message
    assert (pod.project / "flows/m.py.ran").read_text() == "x"


def test_losses_are_forgiven_up_to_system_retries(pod: Pod) -> None:
    pod.write(task("return x + 1"))
    assert [pod.run({"x": 1}, system_retries=1, attempt=attempt).code for attempt in (1, 2)] == [0, 90]


@pytest.mark.parametrize(("system_retries", "code"), [(1, 91), (0, 90)])
def test_a_store_without_an_answer_uses_up_the_systems_budget(pod: Pod, system_retries: int, code: int) -> None:
    pod.write(task("return x + 1"))
    environment = {"ALULA_STORE": "s3://nowhere/p/d", "ALULA_STORE_ENDPOINT": "http://127.0.0.1:9", "AWS_REGION": "x"}
    ended = pod.run({"x": 1}, cache="1", retries=3, system_retries=system_retries, environment=environment)
    assert (ended.code, ended.outputs) == (code, {})
    assert pod.run({"x": 1}, retries=1, attempt=4).code == 90


def test_failures_before_the_run_was_retried_by_hand_are_forgiven(pod: Pod) -> None:
    pod.write(task("raise ValueError('again')"))
    assert [pod.run({"x": 1}, retries=1, attempt=attempt).code for attempt in (0, 1, 0, 1)] == [91, 90, 91, 90]


def test_other_nodes_do_not_count(pod: Pod) -> None:
    pod.write(task("raise ValueError('again')"))
    pod.run({"x": 1}, retries=1, environment={"ALULA_NODE": "run-1.f-2"})
    pod.run({"x": 1}, retries=1, environment={"ALULA_RUN": "run-2"})
    assert pod.run({"x": 1}, retries=1).code == 91


def test_a_node_deep_in_nested_graphs_has_its_records_too(pod: Pod) -> None:
    pod.write(task("raise ValueError('again')"))
    deep = {"ALULA_NODE": "run-1" + ".a-node-in-a-graph-in-a-graph" * 20}
    assert [pod.run({"x": 1}, retries=1, attempt=attempt, environment=deep).code for attempt in (0, 1)] == [91, 90]
    assert [record.node for record in pod.records()] == [deep["ALULA_NODE"]] * 2
    twin = {"ALULA_NODE": deep["ALULA_NODE"][:-1]}
    assert pod.run({"x": 1}, retries=1, environment=twin).code == 91


def test_without_retries_the_first_failure_is_fatal(pod: Pod) -> None:
    pod.write(task("raise ValueError('no')"))
    assert pod.run({"x": 1}).code == 90


def test_non_recoverable_is_fatal_whatever_retries_say(pod: Pod) -> None:
    pod.write(task("raise NonRecoverable('the model is wrong')"))
    ended = pod.run({"x": 1}, retries=5)
    assert ended.code == 90
    assert only(pod).retryable is False
    assert "the model is wrong" in ended.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import sys; sys.exit(3)", "the task called sys.exit(3) instead of returning"),
        ("import sys; sys.exit()", "the task called sys.exit(None) instead of returning"),
        ("raise KeyboardInterrupt", ""),
        ("raise BaseException('odd')", "odd"),
        ("raise RuntimeError('lone \\ud800 surrogate, \\x00 and {{tag}}')", "lone \\ud800 surrogate, \x00 and {{tag}}"),
        ("def g(n): return g(n + 1)\nreturn g(0)", "maximum recursion depth exceeded"),
        ("class E(Exception):\n    def __str__(self): raise ValueError('worse')\nraise E", ""),
    ],
)
def test_odd_ends_are_the_users_failures(pod: Pod, body: str, message: str) -> None:
    pod.write(task(body))
    ended = pod.run({"x": 1}, retries=1)
    assert ended.code == 91, ended.stderr
    record = only(pod)
    assert (record.kind, record.code) == ("user", "TASK_FAILED")
    assert message in record.message
    assert "{{" not in ended.message


@pytest.mark.parametrize(
    ("body", "code"), [("import os; os._exit(3)", 3), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
                       ("import faulthandler; faulthandler._sigsegv()", -11)],
)  # fmt: skip
def test_a_process_that_ends_without_a_word_leaves_a_message_and_nothing_else(pod: Pod, body: str, code: int) -> None:
    pod.write(task(body))
    ended = pod.start({"x": 1}, cache="1", retries=3).end()
    assert ended.code == code
    assert "ended without a report" in ended.message
    assert ended.outputs == {}
    assert list(pod.store.list()) == []
    assert ("flows/m.py" in ended.stderr) == (code == -11)


def test_every_failed_attempt_of_a_task_whose_memory_grows_names_its_memory(pod: Pod) -> None:
    memory = {pods.Env.MEMORY: "1536Mi"}
    pod.write(task("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert pod.start({"x": 1}, environment=memory).end().message.endswith("(memory 1536Mi)")
    pod.write(task("raise ValueError('no')"))
    assert ", attempt 1, memory 1536Mi)" in pod.start({"x": 1}, environment=memory).end().message


def test_a_kill_in_the_middle_of_a_commit_leaves_nothing_readable_and_the_next_attempt_mends(pod: Pod) -> None:
    pod.write(
        task(
            "file = File.new('big.bin')\n"
            "with file.path.open('wb') as out:\n    out.truncate(600 << 20)\n"
            "open(__file__ + '.written', 'w').close()\n"
            "return file",
            signature="x: int) -> File",
        )
    )
    running = pod.start({"x": 1}, outputs={"o0": FILE}, cache="1")
    running.wait_for(pod.project / "flows/m.py.written")
    store = Path(pod.store.root)
    deadline = time.monotonic() + 30
    while not list(store.glob("cas/*/*/*")):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    running.process.kill()
    ended = running.end()
    assert ended.code == -9
    assert (ended.outputs, pod.committed()) == ({}, [])
    pod.write((pod.project / "flows/m.py").read_text().replace("600 << 20", "9 << 20"))
    again = pod.run({"x": 1}, outputs={"o0": FILE}, cache="1", attempt=1)
    assert again.code == 0, again.stderr
    assert len(pod.committed()) == 2


def test_sigterm_lets_the_task_clean_up_and_is_the_systems_failure(pod: Pod) -> None:
    pod.write(
        task(
            "try:\n    open(__file__ + '.started', 'w').close(); time.sleep(60)\n"
            "finally:\n    open(__file__ + '.cleaned', 'w').close()",
            head="import time",
        )
    )
    running = pod.start({"x": 1})
    running.wait_for(pod.project / "flows/m.py.started")
    running.process.send_signal(signal.SIGTERM)
    ended = running.end()
    assert ended.code == 143
    record = only(pod)
    assert (record.kind, record.code, record.retryable) == ("system", "TASK_KILLED", True)
    assert "asked to end" in ended.message
    assert (pod.project / "flows/m.py.cleaned").exists()


def test_a_task_past_its_timeout_is_the_users_failure(pod: Pod) -> None:
    pod.write(
        task(
            "try:\n    time.sleep(60)\nexcept Exception:\n    pass\n"
            "finally:\n    open(__file__ + '.cleaned', 'w').close()",
            head="import time",
        )
    )
    ended = pod.run({"x": 1}, retries=1, environment={"ALULA_TIMEOUT": "2.5"})
    assert ended.code == 91
    # The second time it is over before the function begins: time is the attempt's, not the function's.
    assert pod.run({"x": 1}, retries=1, attempt=1, environment={"ALULA_TIMEOUT": "0.05"}).code == 90
    record = pod.records()[0]
    assert (record.kind, record.code) == ("user", "TASK_TIMEOUT")
    assert "timeout of" in record.message
    assert (pod.project / "flows/m.py.cleaned").exists()


def test_a_task_that_is_done_in_time_is_not_disturbed(pod: Pod) -> None:
    pod.write(task("return x"))
    ended = pod.run({"x": 1}, environment={"ALULA_TIMEOUT": "30"})
    assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("signature", "body", "outputs"),
    [
        ("x: int) -> int", "return 'seven'", {"o0": INTEGER}),
        ("x: int) -> int", "return None", {"o0": INTEGER}),
        ("x: int) -> tuple[int, str]", "return 1, 2", {"o0": INTEGER, "o1": STRING}),
        ("x: int) -> tuple[int, str]", "return 1", {"o0": INTEGER, "o1": STRING}),
        ("x: int) -> None", "return 1", {}),
        ("x: int) -> File", "return File('nowhere.txt')", {"o0": FILE}),
        ("x: int) -> str", "return '\\ud800'", {"o0": STRING}),
    ],
)
def test_a_result_that_does_not_fit_is_the_users_failure(
    pod: Pod, signature: str, body: str, outputs: dict[str, Any]
) -> None:
    pod.write(task(body, signature))
    ended = pod.run({"x": 1}, outputs=outputs, retries=3)
    assert ended.code == 90, ended.stderr
    record = only(pod)
    assert (record.kind, record.code, record.retryable) == ("user", "OUTPUT_TYPE", False)
    assert record.source.startswith("flows/m.py:")
    assert "Traceback" not in ended.stderr
    assert pod.committed() == []


@pytest.mark.parametrize("text", ['"seven"', "7.5", "null", "not json", "", "[1,2", "{}", '{"a":1,"a":2}', "NaN"])
@pytest.mark.parametrize("cache", ["", "1"])
def test_an_input_that_does_not_fit_is_fatal_and_named(pod: Pod, text: str, cache: str) -> None:
    if cache and text not in ('"seven"', "not json"):
        return
    pod.write(task("return x"))
    ended = pod.run(texts={"x": text}, retries=3, cache=cache)
    assert ended.code == 90
    record = only(pod)
    assert record.code in ("BAD_VALUE", "BAD_JSON")
    assert "x" in record.message
    assert "Traceback" not in ended.stderr


def test_a_part_of_an_input_that_is_not_there_is_named(pod: Pod) -> None:
    pod.write(task("return x"))
    ended = pod.run(texts={"x": '{"a":1}'}, paths={"x": ["b"]})
    assert ended.code == 90
    assert "the input x cannot be read: $.b does not exist" in only(pod).message


def large(pod: Pod) -> tuple[references.Stored, str]:
    codec = values.codec(STRING)
    value = content.Content(pod.store).save_value(codec.wire("y" * 9000), codec.identity("y" * 9000), 10)
    stored = references.stored(value)
    assert stored is not None
    return stored, values.dumps(value)


@pytest.mark.parametrize("way", damaging.WAYS)
def test_a_stored_input_that_is_gone_or_damaged_is_lost_and_fatal(pod: Pod, way: str) -> None:
    pod.write(task("return len(x)", "x: str) -> int"))
    stored, text = large(pod)
    damaging.WAYS[way](pod.store, stored.path())
    ended = pod.run(texts={"x": text}, types={"x": STRING}, retries=3)
    assert ended.code == 92
    record = only(pod)
    assert (record.kind, record.code, record.retryable) == ("system", "INPUT_LOST", False)
    assert stored.path() in record.message


@pytest.mark.parametrize(
    "body",
    [
        "return len(x.read_bytes())",
        "try:\n    return len(x.read_bytes())\nexcept Exception as e:\n    raise ValueError('mine') from e",
    ],
)
@pytest.mark.parametrize("way", ["gone", "a bit flipped"])
def test_a_file_that_turns_out_lost_in_the_function_is_no_failure_of_the_users(pod: Pod, way: str, body: str) -> None:
    pod.write(task(body, "x: File) -> int"))
    reference = content.Content(pod.store).commit_bytes(b"data" * 99, type="file", name="a.txt")
    damaging.WAYS[way](pod.store, reference.path())
    ended = pod.run({"x": reference.to_json()}, types={"x": FILE}, retries=3)
    assert ended.code == 92
    record = only(pod)
    assert (record.kind, record.code) == ("system", "INPUT_LOST")
    # The one that made it finds it gone and makes it again.
    assert pod.store.head(reference.path()) is None


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_store_that_cannot_be_reached_is_the_systems_failure_and_worth_another_attempt(pod: Pod) -> None:
    pod.write(task("return x"))
    environment = {
        "ALULA_STORE": "s3://bucket/p/d",
        "ALULA_STORE_ENDPOINT": f"http://127.0.0.1:{unused_port()}",
        "AWS_ACCESS_KEY_ID": "AKIAcanary",
        "AWS_SECRET_ACCESS_KEY": "canary-secret-key",
    }
    started = time.monotonic()
    ended = pod.run({"x": 1}, cache="1", environment=environment)
    assert ended.code == 91
    assert time.monotonic() - started < 45
    assert "STORE_UNAVAILABLE" in ended.message
    assert "s3://bucket/p/d" in ended.message
    assert "canary" not in ended.message + ended.stderr
    assert "could not be recorded in the store" in ended.stderr


def test_a_store_that_cannot_be_reached_for_the_outputs_is_the_systems_failure(pod: Pod) -> None:
    pod.write(task("return 'x' * 9000", "x: int) -> str"))
    Path(pod.store.root).write_text("a file where the store's folder must be")
    ended = pod.run({"x": 1}, outputs={"o0": STRING}, retries=1)
    assert ended.code == 91
    assert ended.message.startswith("STORE_ERROR")


def test_user_failures_count_even_if_the_store_cannot_be_reached(pod: Pod) -> None:
    pod.write(task("raise ValueError('mine')"))
    Path(pod.store.root).write_text("")
    assert [pod.run({"x": 1}, retries=1, attempt=attempt).code for attempt in range(2)] == [91, 90]


def test_a_task_that_needs_no_store_needs_no_store(pod: Pod) -> None:
    pod.write(task("return x"))
    assert (
        pod.run(
            {"x": 1}, environment={"ALULA_STORE": "s3://no-such/p", "ALULA_STORE_ENDPOINT": "http://x.invalid"}
        ).code
        == 0
    )


def test_another_interface_is_fatal_and_says_what_the_code_declares(pod: Pod) -> None:
    pod.write(task("return x", "x: int, name: str = 'n') -> int"))
    ended = pod.run({"x": 1}, retries=3)
    assert ended.code == 90
    record = only(pod)
    assert (record.code, record.source) == ("INTERFACE_MISMATCH", "flows/m.py:5")
    assert "f(x: int, name: str) -> int" in record.message


@pytest.mark.parametrize(
    ("text", "entrypoint", "code", "exit_code", "said"),
    [
        ("", "flows.no:f", "BAD_SOURCE", 90, "there is no module 'flows.no'"),
        ("", "nowhere.m:f", "BAD_SOURCE", 90, "there is no module 'nowhere'"),
        ("", "flows.m:g", "BAD_SOURCE", 90, "'g' in the module 'flows.m' is not there"),
        ("g = 7", "flows.m:g", "BAD_SOURCE", 90, "is a int, not a task"),
        ("import no_such_library", "flows.m:f", "BAD_SOURCE", 90, "No module named 'no_such_library'"),
        ("def f(:", "flows.m:f", "BAD_SOURCE", 90, "invalid syntax"),
        ("raise RuntimeError('at import')", "flows.m:f", "BAD_SOURCE", 91, "at import"),
        ("from alula import task\n@task\ndef f(x) -> int: return 1", "flows.m:f", "MISSING_ANNOTATION", 90, "x"),
    ],
)
def test_code_that_cannot_be_loaded_is_said(
    pod: Pod, text: str, entrypoint: str, code: str, exit_code: int, said: str
) -> None:
    pod.write(text)
    ended = pod.run({"x": 1}, entrypoint=entrypoint, retries=1)
    assert ended.code == exit_code, ended.stderr
    record = only(pod)
    assert (record.kind, record.code) == ("user", code)
    assert said in record.message
    assert "alula/runtime" not in ended.stderr


def test_secrets_of_task_and_store_are_in_no_record_message_or_log(pod: Pod) -> None:
    pod.write(
        "import os\nfrom alula import Secret, task\n\n"
        "@task(secrets=[Secret('TOKEN', secret='s', key='k')])\ndef f(x: int) -> int:\n"
        "    raise ValueError(os.environ['TOKEN'] + os.environ['AWS_SECRET_ACCESS_KEY'])\n"
    )
    ended = pod.run({"x": 1}, environment={"TOKEN": "canary-token", "AWS_SECRET_ACCESS_KEY": "canary-aws"})
    assert ended.code == 90, ended.stderr
    told = ended.stderr + ended.message + "".join(pod.store.get(head.key).decode() for head in pod.store.list())
    assert "***" in told
    assert "canary" not in told


def bundled(pod: Pod) -> tuple[dict[str, str], folders.FolderStore]:
    """Moves the project into a bundle, so that the pod's own folder is empty."""
    releases = folders.FolderStore(str(pod.home / "releases"))
    files = bundles.files(pod.project)
    digest = bundles.digest(files)
    releases.put_if_absent(digest, bundles.pack(pod.project, files))
    for file in files:
        (pod.project / file.path).unlink()
    return {"ALULA_RELEASES": releases.url, "ALULA_BUNDLE": digest}, releases


@pytest.mark.parametrize("path", ["flows/m.py", "src/flows/m.py"])
def test_code_comes_out_of_a_bundle(pod: Pod, path: str) -> None:
    pod.write(task("return x + 1"), path)
    environment, _ = bundled(pod)
    ended = pod.run({"x": 1}, environment=environment)
    assert (ended.code, ended.outputs) == (0, {"o0": "2"}), ended.stderr


def test_a_bundle_goes_over_what_the_image_holds(pod: Pod) -> None:
    pod.write(task("return 'bundle'", "x: int) -> str"))
    environment, _ = bundled(pod)
    pod.write(task("return 'image'", "x: int) -> str"))
    ended = pod.run({"x": 1}, outputs={"o0": STRING}, environment=environment)
    assert ended.value() == "bundle", ended.stderr


def test_places_in_a_bundle_are_named_from_its_root(pod: Pod) -> None:
    pod.write(task("raise ValueError('here')"))
    environment, _ = bundled(pod)
    pod.run({"x": 1}, environment=environment)
    assert only(pod).source == "flows/m.py:7"


@pytest.mark.parametrize("way", damaging.WAYS)
def test_a_bundle_that_is_not_the_releases_is_refused(pod: Pod, way: str) -> None:
    pod.write(task("return x + 1"))
    environment, releases = bundled(pod)
    damaging.WAYS[way](releases, environment["ALULA_BUNDLE"])
    ended = pod.run({"x": 1}, environment=environment, retries=3)
    if way in ("too long", "cut short"):  # by a byte, which is no part of any file
        assert (ended.code, ended.outputs) in [(90, {}), (0, {"o0": "2"})]
        return
    assert ended.code == 90
    record = only(pod)
    assert record.kind == "system"
    assert record.code == ("NOT_FOUND" if way == "gone" else "BUNDLE_DAMAGED")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ALULA_ATTEMPT": "one"}, "ALULA_ATTEMPT must be a number, not 'one'"),
        ({"ALULA_TIMEOUT": "soon"}, "ALULA_TIMEOUT must be a number of seconds, not 'soon'"),
        ({"ALULA_BUNDLE": "0" * 64}, "the environment has no ALULA_RELEASES"),
    ],
)
def test_an_environment_that_cannot_be_used_is_said(pod: Pod, environment: dict[str, str], said: str) -> None:
    pod.write(task("return x"))
    ended = pod.run({"x": 1}, environment=environment)
    assert ended.code == 90
    assert said in ended.stderr


def test_a_pod_without_store_says_so_only_when_it_needs_one(pod: Pod) -> None:
    pod.write(task("return x"))
    assert pod.run({"x": 1}, environment={"ALULA_STORE": ""}).code == 0
    ended = pod.run({"x": 1}, cache="1", environment={"ALULA_STORE": ""})
    assert ended.code == 90
    assert "no ALULA_STORE" in ended.stderr
