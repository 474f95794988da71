"""An S3 server on a folder (versitygw), with an account and a bucket for each caller."""

from __future__ import annotations

import dataclasses
import http.client
import pathlib
import secrets
import subprocess

from e2e.cluster import binaries, control_plane, errors, processes

PORT = 7070
REGION = "us-east-1"
ENDPOINT = f"http://{control_plane.NODE_ADDRESS}:{PORT}"


@dataclasses.dataclass(frozen=True)
class Bucket:
    """A bucket and the account that owns it; no other account but the root one may touch it."""

    url: str
    endpoint: str
    access_key: str
    secret_key: str
    region: str = REGION

    @property
    def name(self) -> str:
        return self.url.removeprefix("s3://")

    def environment(self) -> dict[str, str]:
        """The variables by which S3 clients find the server and the account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ALLOW_HTTP": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


class S3:
    """The server, reached at the same address by tests, process pods and real pods."""

    endpoint = ENDPOINT
    region = REGION

    def __init__(self, supervisor: processes.Supervisor, folder: pathlib.Path) -> None:
        self.access_key = "e2e-root"
        self.secret_key = secrets.token_hex(16)
        self._supervisor = supervisor
        self._command = binaries.find("versitygw")
        self._log = folder / "logs" / "versitygw.log"
        self.folder = folder / "s3"
        for name in ("data", "sidecar", "accounts"):
            (self.folder / name).mkdir(parents=True)
        self.process = self.start()

    def start(self) -> processes.Process:
        """Starts the server over what its folder holds; used again after a test ended it."""
        environment = processes.clean_environment(
            {"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}
        )
        command = [
            *self._command,
            *("--port", f"0.0.0.0:{PORT}"),
            *("--region", REGION),
            *("--iam-dir", str(self.folder / "accounts")),
            *("--health", "/health", "--quiet"),
            *("posix", "--sidecar", str(self.folder / "sidecar"), str(self.folder / "data")),
        ]
        self.process = self._supervisor.spawn("versitygw", command, environment, self._log)
        return self.process

    def await_ready(self) -> None:
        control_plane.await_ready("versitygw", [self.process], _is_healthy, 30)

    def bucket(self, name: str) -> Bucket:
        """Makes an account and a bucket that belongs to it alone."""
        access_key, secret_key = f"{name}-{secrets.token_hex(4)}", secrets.token_hex(16)
        self._admin("create-user", "--access", access_key, "--secret", secret_key, "--role", "user")
        self._admin("create-bucket", "--bucket", name, "--owner", access_key)
        return Bucket(f"s3://{name}", ENDPOINT, access_key, secret_key)

    def as_root(self, bucket: Bucket) -> Bucket:
        """The same bucket through the root account, which may read and write everything."""
        return dataclasses.replace(bucket, access_key=self.access_key, secret_key=self.secret_key)

    def _admin(self, *arguments: str) -> None:
        login = ("--access", self.access_key, "--secret", self.secret_key)
        done = subprocess.run(
            [*self._command, "admin", *login, "--endpoint-url", ENDPOINT, *arguments],
            env=processes.clean_environment(),
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise errors.ClusterError(f"versitygw {arguments[0]}: {done.stderr.strip()}")


def _is_healthy() -> bool:
    connection = http.client.HTTPConnection(control_plane.NODE_ADDRESS, PORT, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
