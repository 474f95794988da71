"""The resources `Workflow`, `LaunchPlan` and `Domain`: models, CRDs, and the one canonical YAML writer.

Loads pydantic; so only `alula.emit`, `alula.cli`, the compiler and the controller import it. `yamltext` writes,
`read` checks, and `generate` (imported by itself) makes the CRDs.
"""

from alula_api.kinds.bindings import Binding, Leaf
from alula_api.kinds.domains import Domain, DomainSpec, DomainStatus, Storage
from alula_api.kinds.fields import API_VERSION, GROUP, VERSION
from alula_api.kinds.launch_plans import InputValue, LaunchPlan, LaunchPlanSpec, LaunchPlanStatus, Schedule
from alula_api.kinds.reading import KINDS, read
from alula_api.kinds.resources import Condition, Metadata, Resource, Status
from alula_api.kinds.workflows import (
    Backoff,
    BoundOutput,
    Bundle,
    Cache,
    Code,
    EnvVar,
    Graph,
    Input,
    Node,
    Output,
    Resources,
    Retries,
    SecretVar,
    Task,
    Workflow,
    WorkflowSpec,
    WorkflowStatus,
)


def to_dict(resource: Resource) -> dict[str, object]:
    """The resource as JSON data: declared order, without what is unset."""
    return resource.to_dict()


__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "VERSION",
    "Backoff",
    "Binding",
    "BoundOutput",
    "Bundle",
    "Cache",
    "Code",
    "Condition",
    "Domain",
    "DomainSpec",
    "DomainStatus",
    "EnvVar",
    "Graph",
    "Input",
    "InputValue",
    "LaunchPlan",
    "LaunchPlanSpec",
    "LaunchPlanStatus",
    "Leaf",
    "Metadata",
    "Node",
    "Output",
    "Resource",
    "Resources",
    "Retries",
    "Schedule",
    "SecretVar",
    "Status",
    "Storage",
    "Task",
    "Workflow",
    "WorkflowSpec",
    "WorkflowStatus",
    "read",
    "to_dict",
]
