"""The few Linux calls that Python 3.11 does not offer, through libc.

Used by the supervisor, the pod launcher and what enters a cluster's network. Imports nothing
but the standard library, because the pod launcher runs without site-packages.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SLAVE = 0x80000
MS_SHARED = 0x100000

_PR_SET_PDEATHSIG = 1
_SIOCSIFADDR = 0x8916
_SIOCSIFFLAGS = 0x8914
_SIOCSIFNETMASK = 0x891C
_IFF_UP_RUNNING = 0x1 | 0x40

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Moves the calling thread, and what it starts from now on, into a namespace."""
    _check(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode())
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None)
    _check(result, f"mount {source} on {target}")


def die_with_parent(parent: int) -> None:
    """Asks the kernel to kill this process when its parent ends, and checks that it has not yet."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        os._exit(1)


def bring_up_loopback(addresses: list[str]) -> None:
    """Brings `lo` up in the current network namespace and gives it further /32 addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        up = struct.pack("16sH14s", b"lo", _IFF_UP_RUNNING, b"")
        fcntl.ioctl(control, _SIOCSIFFLAGS, up)
        for index, address in enumerate(addresses, start=1):
            label = f"lo:{index}".encode()
            for request, value in (
                (_SIOCSIFADDR, address),
                (_SIOCSIFNETMASK, "255.255.255.255"),
            ):
                family = struct.pack("HH4s8s", socket.AF_INET, 0, socket.inet_aton(value), b"")
                fcntl.ioctl(control, request, struct.pack("16s16s", label, family))
