"""What users of Flyte write first, and what to write here instead: one table for messages and for docs/from-flyte.md.

Read when a name, an option or a method does not exist, never before. A text completes "alula has no NAME: ...".
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Verdict(enum.Enum):
    """How a thing of Flyte stands here; the value is what the document says."""

    SAME = "same"
    BETTER = "better"
    OTHER = "other"
    NOT_YET = "not yet"
    NO = "no"


class Flyte(NamedTuple):
    """One name of flytekit."""

    verdict: Verdict
    text: str


SAME, BETTER, OTHER, NOT_YET, NO = Verdict
_SHELL = "call subprocess.run in a task whose `image=` holds the program"
_NOTIFY = 'write LaunchPlan(..., notifications=[Notify("team")]); the place that is told stands in the Domain'
_GATE = "end the workflow there and start a second one"
_DESCRIPTION = "write a docstring: its text and its parameters' reach the resource, --help and Argo's UI"
_CODE = "cache=True follows the code by itself"
_SELECT = "pods get their labels from alula; a patch in a domain's kustomization adds others to the resource"
_CHILD = "import the task or workflow and call it; what another project has released cannot be called"

NAMES: dict[str, Flyte] = {
    "task": Flyte(BETTER, "retries, timeouts and the cache work in local runs too"),
    "workflow": Flyte(BETTER, "every mistake of a graph is reported at once, with its line"),
    "Resources": Flyte(OTHER, "`Resources(cpu=, memory=, gpu=, ephemeral_storage=)`, a pair is (request, limit)"),
    "Secret": Flyte(OTHER, '`Secret("DB_PASSWORD", secret="db", key="password")` fills an environment variable'),
    "Cache": Flyte(BETTER, "equal content hits, also for files and frames; the version is the digest of the code"),
    "LaunchPlan": Flyte(
        OTHER, '`LaunchPlan("nightly", train, inputs=, fixed_inputs=, schedule=)`, in git like all else'
    ),
    "map_task": Flyte(BETTER, "lists by position too, constants by name, several outputs"),
    "map": Flyte(OTHER, "write map_task(fit)(values): `map` is a builtin, and what maps is a task to be called"),
    "conditional": Flyte(BETTER, "the same, and an `else_` may be left out; `.or_none()` ends it with `T | None`"),
    "dynamic": Flyte(NOT_YET, "a loop over constants stands in the workflow itself; one over values goes into a task"),
    "eager": Flyte(NOT_YET, "an async task may await other async tasks, which then run in its process"),
    "approve": Flyte(NOT_YET, _GATE),
    "wait_for_input": Flyte(NOT_YET, _GATE),
    "sleep": Flyte(NOT_YET, "time.sleep in a task waits, and holds a pod meanwhile"),
    "reference_task": Flyte(NOT_YET, _CHILD),
    "reference_workflow": Flyte(NOT_YET, _CHILD),
    "reference_launch_plan": Flyte(NOT_YET, _CHILD),
    "get_reference_entity": Flyte(NOT_YET, _CHILD),
    "WorkflowFailurePolicy": Flyte(OTHER, 'write @workflow(failure_policy="drain"), "abort" or "continue"; local too'),
    "ConcurrencyPolicy": Flyte(OTHER, "write LaunchPlan(..., concurrency=1)"),
    "ConcurrencyLimitBehavior": Flyte(OTHER, 'write LaunchPlan(..., concurrency=1, beyond="skip"), or without beyond'),
    "Email": Flyte(OTHER, _NOTIFY),
    "Slack": Flyte(OTHER, _NOTIFY),
    "PagerDuty": Flyte(OTHER, _NOTIFY),
    "Artifact": Flyte(NOT_YET, "return a File or a frame: it is stored by its content, and a run names it"),
    "Checkpoint": Flyte(NOT_YET, "split the work into tasks with cache=True: what is done is not done again"),
    "PodTemplate": Flyte(
        OTHER, "`pod=Pod(node_selector=, template=, ...)` of @task; a Domain's `podTemplates` have names"
    ),
    "SensorEngine": Flyte(NOT_YET, "poll in a task with a timeout and retries"),
    "current_context": Flyte(
        OTHER, "os.environ has ALULA_RUN, ALULA_NODE and ALULA_ATTEMPT in a pod; log with logging"
    ),
    "new_context": Flyte(NO, "tasks need none: call them, or use alula.testing.local()"),
    "FlyteContext": Flyte(NO, "tasks need none: call them, or use alula.testing.local()"),
    "FlyteContextManager": Flyte(NO, "tasks need none: call them, or use alula.testing.local()"),
    "ImageSpec": Flyte(
        OTHER, 'build the image with a Dockerfile and name it: image= in [tool.alula], or @task(image="...")'
    ),
    "FlyteFile": Flyte(OTHER, "write File, and File.new(name) for a place to write to"),
    "FlyteDirectory": Flyte(OTHER, "write Directory, and Directory.new(name) for an empty folder to fill"),
    "StructuredDataset": Flyte(OTHER, "annotate with the frame itself, such as pandas.DataFrame"),
    "StructuredDatasetFormat": Flyte(OTHER, "annotate with the frame itself: it travels as parquet"),
    "FlyteSchema": Flyte(OTHER, "annotate with the frame itself, such as pandas.DataFrame"),
    "kwtypes": Flyte(OTHER, "annotate the function's parameters; columns of frames have no declaration"),
    "HashMethod": Flyte(BETTER, "not needed: files and frames are known by their content"),
    "CachePolicy": Flyte(BETTER, _CODE),
    "VersionParameters": Flyte(BETTER, _CODE),
    "BatchSize": Flyte(NO, "there is no pickle; a list travels as one value"),
    "CronSchedule": Flyte(OTHER, 'write Cron("0 2 * * *", timezone="Europe/Berlin")'),
    "FixedRate": Flyte(OTHER, 'write Every("15m")'),
    "Deck": Flyte(OTHER, "return a File with the HTML"),
    "ContainerTask": Flyte(OTHER, _SHELL),
    "ShellTask": Flyte(OTHER, _SHELL),
    "SQLTask": Flyte(OTHER, "query in a task, with the client library of the database, and return a frame"),
    "PythonFunctionTask": Flyte(OTHER, "decorate a function with @task"),
    "PythonInstanceTask": Flyte(OTHER, "decorate a function with @task"),
    "TaskMetadata": Flyte(OTHER, "give the options to @task"),
    "Environment": Flyte(OTHER, "keep the options in a dict and write @task(**options)"),
    "Documentation": Flyte(OTHER, _DESCRIPTION),
    "Description": Flyte(OTHER, _DESCRIPTION),
    "Labels": Flyte(OTHER, _SELECT),
    "Annotations": Flyte(OTHER, _SELECT),
    "Options": Flyte(OTHER, "what a domain changes stands as a patch in its kustomization"),
    "SecurityContext": Flyte(OTHER, "write @task(secrets=[Secret(...)]); the service account is the installation's"),
    "AuthRole": Flyte(OTHER, "the service account is the installation's"),
    "FlyteRecoverableException": Flyte(BETTER, "every exception is retried; raise NonRecoverable for what never helps"),
    "create_node": Flyte(OTHER, "call the task, and order calls with a >> b"),
    "FlyteRemote": Flyte(OTHER, "use `alula run --remote`, Argo's API or kubectl"),
    "Config": Flyte(OTHER, "settings stand under [tool.alula] in pyproject.toml"),
    "logger": Flyte(OTHER, "write logging.getLogger(__name__)"),
    "task_mock": Flyte(OTHER, "write alula.testing.mock(task, returns=...)"),
}
"""The names that flytekit exports; those that exist here are for the document."""

OPTIONS: dict[str, dict[str, str]] = {
    "task": {
        "container_image": "image=...",
        "secret_requests": "secrets=[Secret(...)]",
        "requests": "resources=Resources(cpu=(request, limit), ...)",
        "limits": "resources=Resources(cpu=(request, limit), ...)",
        "cpu": "resources=Resources(cpu=...)",
        "memory": "resources=Resources(memory=...)",
        "mem": "resources=Resources(memory=...)",
        "gpu": "resources=Resources(gpu=...)",
        "cache_version": "cache=Cache(version=...)",
        "env": "environment={...}",
        "docs": "a docstring",
    },
    "Resources": {"mem": "memory=..."},
    "Secret": {"group": "secret=...", "env_var": "name=..."},
    "Cron": {
        "schedule": 'Cron("0 2 * * *")',
        "cron_expression": 'Cron("0 2 * * *")',
        "tz": "timezone=...",
        "kickoff_time_input_arg": "input=...",
    },
    "Every": {"duration": 'Every("15m")', "kickoff_time_input_arg": "input=..."},
    "LaunchPlan": {"default_inputs": "inputs=..."},
    "Retries": {"count": "limit=..."},
}
"""What other systems, Flyte first of all, call options: for a callable, what to write for each."""

MISSING: dict[str, dict[str, str]] = {
    "task": {
        "cache_serialize": "two equal calls at one time both run, and store the same",
        "cache_ignore_input_vars": "every input counts",
        "task_config": "@task stands on a function, and a pod runs it",
        "pod_template": "write pod=Pod(template=...) for one of the Domain's, or Pod(node_selector=..., ...)",
        "accelerator": "resources=Resources(gpu=...) asks for GPUs",
        "shared_memory": 'write pod=Pod(shared_memory="2Gi")',
        "enable_deck": "return a File with the HTML",
        "pickle_untyped": "annotate what the task takes and returns",
    },
    "workflow": {
        "interruptible": "@task has it, and a Domain's taskDefaults for all tasks that say nothing",
        "docs": "write a docstring",
    },
    "map_task": {
        "metadata": "give the options to @task",
        "run_all_sub_nodes": "give the options to @task",
    },
    "Cron": {
        "offset": "move the cron line",
    },
    "Secret": {
        "mount_requirement": "a secret is an environment variable",
        "group_version": "the Secret of Kubernetes has one state",
    },
    "Cache": {
        "serialize": "two equal calls at one time both run, and store the same",
        "ignored_inputs": "every input counts",
        "salt": "version=... names another state",
        "policies": _CODE,
    },
    "LaunchPlan": {
        "max_parallelism": "the installation limits what runs",
        "labels": _SELECT,
        "annotations": _SELECT,
        "auto_activate": "a plan is active where its resource is, unless suspend=True",
    },
}
"""Options of Flyte that have no equal here: for a callable, what to know instead."""

METHODS: dict[str, dict[str, str]] = {
    "Workflow": {
        **dict.fromkeys(
            (
                "add_workflow_input", "add_workflow_output", "add_entity", "add_task", "add_subwf", "add_launch_plan",
                "create_conditional", "add_on_failure_handler", "ready",
            ),
            "put it together with ImperativeWorkflow: add_input, add, add_output, and `with wf:` for the rest",
        ),
        "inputs": "add_input(...) returns it: keep that in a variable",
        "with_overrides": "it has no pod: override options of the tasks in it; a name is given by sub.named(...)",
    },
    "MapTask": {"with_overrides": "write it on the task: map_task(fit.with_overrides(retries=0))(...)"},
    "Repeat": {"with_overrides": "write it on the step: repeat(step.with_overrides(retries=0), ...)(...)"},
    "LaunchPlan": {
        "get_or_create": 'write LaunchPlan("name", workflow, inputs=..., fixed_inputs=...)',
        "create": 'write LaunchPlan("name", workflow, inputs=..., fixed_inputs=...)',
        "get_default_launch_plan": "a workflow starts without a plan",
        "clone_with": 'write another LaunchPlan("name", workflow, ...)',
    },
    "Promise": {
        "with_overrides": "write it before the call: fit.with_overrides(retries=0)(...)",
        "runs_before": "write a >> b",
        "is_none": "write is_none(value)",
        "is_true": "it is a condition by itself: .if_(value)",
        "is_false": "write ~value",
        "outputs": "it is the result itself; of several outputs a tuple, or a NamedTuple",
        "o0": "it is the result itself; of several outputs a tuple, of which [0] is the first",
    },
}  # fmt: skip
"""Methods of Flyte by the class that has them there."""


def sentence(name: str) -> str:
    """What to write instead of a name that flytekit exports; "" for any other name."""
    found = NAMES.get(name)
    if found is None:
        return ""
    return f"alula has no {name}{' yet' if found.verdict is NOT_YET else ''}: {found.text}"


def option(owner: str, name: str) -> str:
    """The hint for an option of Flyte that `owner` does not have; "" for any other."""
    instead = OPTIONS.get(owner, {}).get(name)
    return f"write {instead}" if instead else MISSING.get(owner, {}).get(name, "")
