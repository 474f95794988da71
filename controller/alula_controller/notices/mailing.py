"""Sends a mail, once, within bounds of time; the client library bounds what a server may say."""

from __future__ import annotations

import asyncio
import ssl

from alula_controller.notices.failures import NotTaken
from alula_controller.notices.services.outgoing import Mail

SECONDS = 20.0
COMMAND_SECONDS = 10.0


async def send(mail: Mail, seconds: float = SECONDS, tls: ssl.SSLContext | None = None) -> None:
    """Send it.

    Raises:
        NotTaken: The server cannot be reached, does not answer in time, or refuses it.
    """
    import aiosmtplib  # only where mail is sent

    host = mail.target.host
    try:
        async with asyncio.timeout(seconds):
            await aiosmtplib.send(
                mail.message,
                hostname=host,
                port=mail.target.port,
                username=mail.user or None,
                password=mail.password or None,
                use_tls=mail.tls,
                start_tls=not mail.tls and not mail.target.plain,
                tls_context=tls or ssl.create_default_context(),
                timeout=min(COMMAND_SECONDS, seconds),
                local_hostname="alula",
            )
    except TimeoutError:
        raise NotTaken(f"{host} did not answer within {seconds:g} s") from None
    except aiosmtplib.SMTPAuthenticationError as error:
        raise NotTaken(f"{host} refused the credential with {error.code}", for_good=True) from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        codes = sorted({each.code for each in error.recipients})
        raise NotTaken(f"{host} refused the recipients with {codes[0]}", for_good=codes[0] >= 500) from None
    except aiosmtplib.SMTPResponseException as error:
        raise NotTaken(f"{host} answered {error.code}", for_good=error.code >= 500) from None
    except ssl.SSLCertVerificationError:
        raise NotTaken(f"the certificate of {host} is not one that is trusted") from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise NotTaken(f"the connection to {host} failed: {type(error).__name__}") from None
