"""Mail: plain text, whose headers the standard library encodes, so that no text of a run can begin another header."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from alula_api.kinds.notice_places import Email
from alula_controller import timestamps
from alula_controller.notices.facts import Facts
from alula_controller.notices.hosts import Target
from alula_controller.notices.services.outgoing import Mail, Unfit

SUBMISSION, TLS = 587, 465
MAX_SUBJECT = 200


def target(place: Email) -> Target:
    """Where it goes."""
    port = place.port or (TLS if place.security == "TLS" else SUBMISSION)
    return Target(place.host, port, "smtp" if place.security == "Plain" else "")


def made(place: Email, facts: Facts, credential: str, stamp: int) -> Mail:
    """The mail. Its Message-ID is the same for each attempt, so that a mailbox shows it once.

    Raises:
        Unfit: The credential has no second line, or would be sent over a connection that is not encrypted.
    """
    user, _, password = credential.partition("\n")
    user, password = user.strip(), password.strip()
    if credential and not password:
        raise Unfit("its credential must be the user in the first line and the password in the second")
    there = target(place)
    if credential and there.plain:
        raise Unfit("its credential is not sent over a connection that is not encrypted")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = place.sender
    mail["To"] = ", ".join(place.to)
    mail["Subject"] = " ".join(facts.title.split())[:MAX_SUBJECT]
    mail["Date"] = format_datetime(facts.at)
    mail["Message-ID"] = f"<{facts.key}@{place.sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    lines = [
        facts.message,
        "",
        f"Run: {facts.run}" if facts.run else "",
        f"Launch plan: {facts.plan}",
        f"Workflow: {facts.workflow}",
        f"Domain: {facts.where} (namespace {facts.namespace})",
        f"At: {timestamps.seconds(facts.at)}",
        facts.link,
    ]
    mail.set_content("\n".join(lines[:2] + [each for each in lines[2:] if each]) + "\n")
    return Mail(there, mail, place.security == "TLS", user, password)
