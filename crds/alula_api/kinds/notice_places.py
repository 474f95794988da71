"""The places of a Domain that launch plans have told of their runs: what they are and where, never their credentials.

Those lie in a Secret of the installation, under `<namespace>.<place>`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import pydantic
import pydantic_core

from alula_api.contract.notices import MAX_TEMPLATE
from alula_api.kinds.fields import ATOMIC, Label, Listed, ObjectName, Part, Whole, bounded

Address = Annotated[str, bounded(254, "^[A-Za-z0-9.!#$%&*+/=?^_~-]+@[A-Za-z0-9][-A-Za-z0-9.]*$")]
Authority = Annotated[str, bounded(259, "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$")]
"""A host, and a port where it is not 443."""
Port = Annotated[int, Whole(1, 65535)]
URL = Annotated[
    str,
    bounded(1024, "^https?://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[-A-Za-z0-9._~/%?=&:+,;@!$*]*)?$"),
]
Repository = Annotated[str, bounded(140, "^[A-Za-z0-9][-A-Za-z0-9]*/[A-Za-z0-9_][-A-Za-z0-9._]*$")]


class Slack(Part):
    """An incoming webhook of Slack, or of what speaks as Slack does; its credential is the webhook's URL."""

    host: Authority | None = pydantic.Field(None, description="of the webhook's URL; hooks.slack.com when absent")


class Teams(Part):
    """A workflow of Microsoft Teams that takes webhook requests; its credential is the workflow's URL."""

    host: Authority = pydantic.Field(description="of the workflow's URL")


class Email(Part):
    """A server that takes mail; its credential is the user in the first line and the password in the second."""

    host: ObjectName
    port: Port | None = pydantic.Field(None, description="587 when absent, or 465 with security: TLS")
    security: Literal["StartTLS", "TLS", "Plain"] | None = pydantic.Field(
        None, description="how the connection is encrypted; StartTLS when absent"
    )
    sender: Address
    to: Annotated[list[Address], Listed(20, unique=True, least=1)]


class PagerDuty(Part):
    """A service of PagerDuty; its credential is the integration key."""

    host: Authority | None = pydantic.Field(None, description="events.pagerduty.com when absent")
    severity: Literal["critical", "error", "warning", "info"] | None = pydantic.Field(
        None, description="of an incident; error when absent"
    )


class Webhook(Part):
    """Any server that takes JSON; its credential is the key with which requests are signed."""

    url: URL
    template: Annotated[str, bounded(MAX_TEMPLATE)] | None = pydantic.Field(
        None, description='a JSON object with placeholders inside texts: {"text": "{{message}}"}'
    )
    signature: Literal["Required", "Absent"] | None = pydantic.Field(
        None, description="whether requests are signed; Required when absent"
    )


class GitHub(Part):
    """Statuses of commits; its credential is a token that may write them."""

    repository: Repository = pydantic.Field(description="owner and name: acme/penguins")
    host: Authority | None = pydantic.Field(None, description="api.github.com when absent")


class NoticePlace(Part):
    """A place that is told of runs: exactly one of the services."""

    SERVICES: ClassVar[tuple[str, ...]] = ("slack", "teams", "email", "pagerDuty", "webhook", "github")

    model_config = pydantic.ConfigDict(
        json_schema_extra={"oneOf": [{"required": [name]} for name in SERVICES], **ATOMIC},
    )

    name: Label
    slack: Slack | None = None
    teams: Teams | None = None
    email: Email | None = None
    pager_duty: PagerDuty | None = None
    webhook: Webhook | None = None
    github: GitHub | None = None

    @property
    def service(self) -> Slack | Teams | Email | PagerDuty | Webhook | GitHub:
        """Which it is, with its settings."""
        every = (self.slack, self.teams, self.email, self.pager_duty, self.webhook, self.github)
        return next(each for each in every if each is not None)

    @pydantic.model_validator(mode="after")
    def _one_service(self) -> Self:
        every = (self.slack, self.teams, self.email, self.pager_duty, self.webhook, self.github)
        if sum(each is not None for each in every) != 1:
            options = ", ".join(f"`{name}`" for name in self.SERVICES)
            raise pydantic_core.PydanticCustomError(
                "service", "must have exactly one of {options}", {"options": options}
            )
        return self
