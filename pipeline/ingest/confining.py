"""Drops a process's rights: the child that opens untrusted files calls `confine` before it reads a byte.

On Linux with Landlock (since 5.13) it can then read only code and fonts, write nothing, connect to nothing and inspect
no other process, so that its parent's environment is out of reach. On other systems only the resource limits of
`child` apply.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

NICENESS = 5  # on a busy machine 10 makes a page picture wait for seconds
NO_NEW_PRIVILEGES = 38  # prctl
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # system calls, the same on every architecture
ABI_VERSION, PATH_BENEATH = 1, 1
READS = 0b1101  # execute (shared libraries need it), read a file, read a folder
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # ABI → number of file rights; 16 from ABI 5 on
NETWORK_ABI, NETWORK_RIGHTS = 4, 0b11  # bind and connect TCP
SCOPE_ABI, SCOPES = 6, 0b11  # abstract sockets and signals
FONTS_AND_LIBRARIES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/nix/store")


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def confine(code: Path) -> None:
    """Run at low priority and read only `code`, Python, its packages and the system's libraries."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no niceness
        os.nice(NICENESS)
    if sys.platform == "linux":
        packages = (Path(each) for each in sys.path if each.endswith((".zip", "-packages")) or "python" in each)
        _landlock((code, Path(sys.prefix), Path(sys.base_prefix), *packages, *map(Path, FONTS_AND_LIBRARIES)))


def _landlock(readable: Iterable[Path]) -> bool:
    """Forbid everything but reading these folders, and return whether the kernel supports that."""
    kernel = ctypes.CDLL(None, use_errno=True)
    version = kernel.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ABI_VERSION)
    if version < 1:
        return False
    rules = _Ruleset(
        (1 << FILE_RIGHTS.get(version, 16)) - 1,
        NETWORK_RIGHTS if version >= NETWORK_ABI else 0,
        SCOPES if version >= SCOPE_ABI else 0,
    )
    size = 8 if version < NETWORK_ABI else 16 if version < SCOPE_ABI else 24
    ruleset = kernel.syscall(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(kernel, ruleset, path)
        if kernel.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return False
        return bool(kernel.syscall(RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(kernel: ctypes.CDLL, ruleset: int, path: Path) -> None:
    try:
        opened = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return  # the path does not exist
    try:
        rights = READS if path.is_dir() else READS & 0b0101
        rule = _Beneath(rights, opened)
        kernel.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)
