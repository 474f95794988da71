"""A certificate authority of the cluster's own, made by `openssl` and gone with the cluster."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess

from e2e.cluster import errors


@dataclasses.dataclass(frozen=True)
class Certificates:
    """Paths of what the servers need: the authority, the API server's pair, the token key."""

    authority: pathlib.Path
    server: pathlib.Path
    server_key: pathlib.Path
    token_key: pathlib.Path


def make(folder: pathlib.Path, addresses: list[str], names: list[str]) -> Certificates:
    """Makes them in `folder`, valid for the given addresses and DNS names."""
    if shutil.which("openssl") is None:
        raise errors.Unavailable("no `openssl` on PATH (run e2e/setup)")
    folder.mkdir(parents=True, exist_ok=True)
    alternatives = ",".join([f"IP:{a}" for a in addresses] + [f"DNS:{n}" for n in names])
    made = Certificates(folder / "ca.crt", folder / "server.crt", folder / "server.key", folder / "token.key")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    _openssl(
        *("req", "-x509", *key, "-subj", "/CN=alula-e2e"),
        *("-keyout", str(folder / "ca.key"), "-out", str(made.authority)),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"),
    )
    _openssl(
        *("req", "-x509", *key, "-subj", "/CN=kube-apiserver"),
        *("-CA", str(made.authority), "-CAkey", str(folder / "ca.key")),
        *("-keyout", str(made.server_key), "-out", str(made.server)),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-addext", f"subjectAltName={alternatives}"),
    )
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(made.token_key))
    return made


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise errors.ClusterError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
