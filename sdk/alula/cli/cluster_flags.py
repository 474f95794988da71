"""How commands name a namespace of a cluster: the flags, and from them and the project the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula.cli import flags
from alula_api.contract import names

if TYPE_CHECKING:
    from alula.remote.connections import Connection
    from alula.settings import Settings

NAMESPACE = (
    flags.Flag("namespace", "NAME", "where the project and domain live (default: <project>-<domain>)", letter="n"),
    flags.Flag("context", "NAME", "the kubeconfig's context instead of the current one"),
)
FLAGS = (
    flags.Flag("project", "NAME", "instead of the project's own name"),
    flags.Flag("domain", "NAME", f"instead of the project's own, or of {names.FIRST_DOMAIN}"),
    *NAMESPACE,
)


def domain(found: flags.Scan, here: Settings) -> tuple[str, str]:
    """The project and the domain."""
    from alula import settings

    configured = here.domain if here.domain != settings.LOCAL_DOMAIN else names.FIRST_DOMAIN
    return found.text("project", here.project), found.text("domain", configured)


def connect(found: flags.Scan, here: Settings) -> Connection:
    """The namespace of the cluster that is named."""
    from alula.cli import usage
    from alula_api.contract import names
    from alula_api.contract.codes import Code

    namespace = found.text("namespace", "-".join(domain(found, here)))
    if not names.is_dns_label(namespace):
        raise usage.error(f"{namespace!r} cannot be a namespace", "lower case letters, digits and -", Code.BAD_NAME)
    from alula.remote import connections

    return connections.Connection(found.text("context"), namespace)
