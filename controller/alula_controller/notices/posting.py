"""Sends a request, once, within bounds: of time, of the answer's size, and without following it anywhere.

TLS is verified against the CAs of the system (`SSL_CERT_FILE` names others). Proxies of the environment, cookies and
compressed answers are not used.
"""

from __future__ import annotations

import asyncio
import ssl

import aiohttp

from alula_controller.notices.failures import NotTaken
from alula_controller.notices.services.outgoing import Request

SECONDS = 10.0
CONNECT_SECONDS = 5.0
MAX_ANSWER = 16 << 10
"""Bytes of an answer that are read; the connection is closed then."""
LONGEST_AFTER = 3600.0
_LATER = (408, 425, 429)
"""Refusals that may be different in a moment."""


class Poster:
    """Sends requests through connections of its own."""

    def __init__(self, seconds: float = SECONDS, tls: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def post(self, request: Request) -> None:
        """Send it.

        Raises:
            NotTaken: The server cannot be reached, does not answer in time, or does not say 2xx.
        """
        host = request.target.host
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._answered(request)
        except TimeoutError:
            raise NotTaken(f"{host} did not answer within {self._seconds:g} s") from None
        except aiohttp.ClientConnectorCertificateError:
            raise NotTaken(f"the certificate of {host} is not one that is trusted") from None
        except aiohttp.ClientConnectorError as error:
            why = error.os_error.strerror or type(error.os_error).__name__
            raise NotTaken(f"{host} cannot be reached: {why}"[:200]) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Its text may hold the address, and with it a credential.
            raise NotTaken(f"the connection to {host} broke: {type(error).__name__}") from None
        self._judge(host, *answer)

    async def _answered(self, request: Request) -> tuple[int, str]:
        """The status of the answer, and for how long it asks to be left alone."""
        async with self._opened().post(
            request.url, data=request.body, headers=dict(request.headers), allow_redirects=False
        ) as response:
            await response.content.read(MAX_ANSWER)  # what comes after it is not waited for
            response.close()
            return response.status, response.headers.get("Retry-After", "")

    @staticmethod
    def _judge(host: str, status: int, after: str) -> None:
        if 200 <= status < 300:
            return
        wait = min(float(after), LONGEST_AFTER) if after.isascii() and after.isdigit() and len(after) < 9 else 0.0
        if 300 <= status < 400:
            raise NotTaken(f"{host} answered {status}, and redirects are not followed", for_good=True)
        later = status >= 500 or status in _LATER
        raise NotTaken(f"{host} answered {status}", for_good=not later, after=wait)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0, ssl=self._tls if self._tls is not None else True, force_close=True
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._seconds, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                read_bufsize=MAX_ANSWER,
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
