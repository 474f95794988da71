"""The resources `Workflow`, `LaunchPlan` and `Domain`: models, CRDs, and the one canonical YAML writer.

Loads pydantic; so only `alula.emit`, `alula.cli`, the compiler and the controller import it. `yamltext` writes,
`read` checks, and `generate` (imported by itself) makes the CRDs.
"""

from alula_api.kinds.launch_plans import LaunchPlan
from alula_api.kinds.reading import KINDS, read
from alula_api.kinds.resources import Resource
from alula_api.kinds.workflows import Workflow

__all__ = ["KINDS", "LaunchPlan", "Resource", "Workflow", "read"]
