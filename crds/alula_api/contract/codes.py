"""Every stable error code, with the sentence that `docs/errors.md` prints for it.

Used by everything that reports a problem. A code is API: it may be added, never renamed or given a new meaning.
To add one, append a member `NAME = "NAME", "One sentence."` in the block it belongs to.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Explained(StrEnum):
    """Words of which each has a sentence that says what it means: `NAME = "text", "One sentence."`."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Self:  # noqa: D102
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member


class Code(Explained):
    """A stable error code; `Code.X.sentence` says what it means."""

    # Definitions: what is wrong in the user's Python.
    MISSING_ANNOTATION = "MISSING_ANNOTATION", "A parameter or a result of a task or workflow has no type annotation."
    UNSUPPORTED_TYPE = "UNSUPPORTED_TYPE", "An annotation or a type in a resource is not one that alula can carry."
    BAD_NAME = "BAD_NAME", "A name does not have the form that its place demands."
    DUPLICATE_NAME = "DUPLICATE_NAME", "Two things of one kind have the same name."
    BAD_OPTION = "BAD_OPTION", "An option has a value that it cannot take."
    OVER_LIMIT = "OVER_LIMIT", "A task takes more of a resource, or of time, than its domain allows."
    IMAGE_NOT_ALLOWED = "IMAGE_NOT_ALLOWED", "An image is none that the domain allows, or lacks the digest it demands."
    BAD_SCHEDULE = "BAD_SCHEDULE", "A cron expression, an interval or a time zone is not valid."
    BAD_DEFAULT = "BAD_DEFAULT", "A default value does not fit the type of its parameter."
    NOT_REPEATABLE = "NOT_REPEATABLE", "Two traces of the same files make different resources."
    BAD_SOURCE = "BAD_SOURCE", "A file cannot be imported, or a function in it cannot be found again by its name."

    # Graphs: what is wrong in how tasks are put together.
    EDGE_TYPE = "EDGE_TYPE", "An output is passed to an input of another type."
    MISSING_INPUT = "MISSING_INPUT", "A required input is not given."
    UNKNOWN_INPUT = "UNKNOWN_INPUT", "An input is given that does not exist."
    UNKNOWN_OUTPUT = "UNKNOWN_OUTPUT", "An output is used that does not exist."
    NOT_A_TASK = (
        "NOT_A_TASK",
        "A workflow calls something that is neither a task nor a workflow with the result of a task.",
    )
    PROMISE_AS_VALUE = (
        "PROMISE_AS_VALUE",
        "The result of a task is used as a value while the workflow is only being traced.",
    )
    CYCLE = "CYCLE", "Nodes, workflows or types depend on each other in a circle."
    TOO_LARGE = "TOO_LARGE", "Something is larger than the limit that its place has."
    UNKNOWN_TASK = "UNKNOWN_TASK", "A node names a task that does not exist."
    UNKNOWN_GRAPH = "UNKNOWN_GRAPH", "A node names a graph that does not exist."
    BAD_TRIGGER = "BAD_TRIGGER", "A launch plan waits for something that cannot start its runs."
    UNKNOWN_POD_TEMPLATE = "UNKNOWN_POD_TEMPLATE", "A task names a pod template that its domain does not have."
    UNKNOWN_POOL = "UNKNOWN_POOL", "A task names a pool that its domain does not have."
    BAD_NOTICE = "BAD_NOTICE", "A launch plan asks for notices that cannot come, or of a place that is not right."
    UNKNOWN_PLACE = "UNKNOWN_PLACE", "A launch plan names a place for notices that its domain does not have."
    UNKNOWN_NODE = "UNKNOWN_NODE", "A binding or an order names a node that does not exist."
    UNSUPPORTED_BINDING = (
        "UNSUPPORTED_BINDING",
        "A value would have to be taken apart or put together where only a task can do that.",
    )
    INTERFACE_MISMATCH = (
        "INTERFACE_MISMATCH",
        "Code and resource disagree about the inputs or outputs of a task or workflow.",
    )

    # Resources and runs.
    BAD_RESOURCE = "BAD_RESOURCE", "A resource has a field that is missing, unknown or malformed."
    UNKNOWN_WORKFLOW = "UNKNOWN_WORKFLOW", "A launch plan, a run or a command names a workflow that does not exist."
    UNKNOWN_LAUNCH_PLAN = "UNKNOWN_LAUNCH_PLAN", "A run or a command names a launch plan that does not exist."
    FIXED_INPUT = "FIXED_INPUT", "A value is given for an input that the launch plan fixes."
    RUNTIME_VERSION = (
        "RUNTIME_VERSION",
        "The release speaks a version of the pod contract that this controller does not know.",
    )
    CLUSTER = "CLUSTER", "The cluster cannot be reached, or refused what was asked of it."
    OUT_OF_STEP = "OUT_OF_STEP", "What a file defines is not what the cluster runs."
    BAD_ENGINE = "BAD_ENGINE", "A setting of the installation or of the domain is not usable."

    # The gitops repository.
    BAD_REPOSITORY = "BAD_REPOSITORY", "A git repository, or what lies in it, is not in a state to work with."
    NOT_REGISTERED = "NOT_REGISTERED", "A file of a release is not the one that was registered."
    STALE_DIGESTS = "STALE_DIGESTS", "The digests of a release were made for other files than lie there."
    STALE_GUARDS = "STALE_GUARDS", "The guards of a domain are not those that follow from its Domain."
    PATCH_MISFIT = "PATCH_MISFIT", "A patch of a domain loses a part of a release, or is for one that there is not."
    NOT_ALLOWED = "NOT_ALLOWED", "Something lies in a folder of a domain that does not belong there."
    NOT_PROMOTABLE = "NOT_PROMOTABLE", "A release cannot enter a domain as things stand."

    # Values.
    BAD_VALUE = "BAD_VALUE", "A value does not fit its type."
    BAD_JSON = "BAD_JSON", "A text is not JSON, or holds something that has no portable meaning in JSON."
    OUTPUT_TYPE = "OUTPUT_TYPE", "A task returned a value that does not fit its declared output."
    BAD_REFERENCE = "BAD_REFERENCE", "A reference to stored data is malformed."

    # Storage and code.
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE", "The object store did not answer."
    STORE_DENIED = "STORE_DENIED", "The object store refused the credentials or the operation."
    STORE_ERROR = "STORE_ERROR", "The object store answered with an error that waiting does not mend."
    NOT_FOUND = "NOT_FOUND", "Something that is named is not there: an object in the store, a file or a resource."
    DAMAGED = "DAMAGED", "The bytes of an object are not those that its digest promises."
    INPUT_LOST = "INPUT_LOST", "The data behind an input is gone or damaged, so that the task was not started."
    BUNDLE_DAMAGED = "BUNDLE_DAMAGED", "The code bundle is not the one that the release names."

    # Tasks that ran.
    TASK_FAILED = "TASK_FAILED", "The user's function raised an exception."
    TASK_TIMEOUT = "TASK_TIMEOUT", "A task ran longer than its timeout."
    TASK_KILLED = (
        "TASK_KILLED",
        "The process of a task was ended from outside, for instance by SIGKILL or for lack of memory.",
    )
    RUN_STOPPED = "RUN_STOPPED", "A run was stopped before it was finished."
    OUTPUT_LOST = "OUTPUT_LOST", "What a command prints cannot be written to stdout, such as on a disk that is full."
    INTERNAL = "INTERNAL", "alula itself went wrong; please report it."
