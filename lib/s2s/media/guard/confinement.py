"""Confinement of a process by the kernel, from files and networks: Landlock and seccomp.

Neither needs a privilege; both hold for everything that the process starts, and cannot be undone.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable
from pathlib import Path

__all__ = ["confine_files", "forbid_network"]

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION, _LANDLOCK_PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
# All rights over files that each version of Landlock's interface knows.
_ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_MISSING = {errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# socket, ptrace, process_vm_readv, process_vm_writev, io_uring_setup, pidfd_getfd
_FORBIDDEN_CALLS = {
    "x86_64": (41, 101, 310, 311, 425, 438),
    "aarch64": (198, 117, 270, 271, 425, 438),
}
_X32_CALLS = 0x40000000  # the same calls under other numbers
_LOAD, _EQUALS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM

_libc = ctypes.CDLL(None, use_errno=True)


def confine_files(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """Let this process open nothing but what is named, from now on.

    Args:
        readable: files and folders to read from, and to run programs of.
        writable: folders to do everything in, and files to write to.

    Returns:
        whether the kernel can do that; Linux can since 5.13, where it is switched on.
    """
    version = _libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        _check_missing()
        return False
    rights = _ALL_RIGHTS[min(version, 3)]
    ruleset = ctypes.create_string_buffer(struct.pack("Q", rights), 8)
    handle = _libc.syscall(_LANDLOCK_CREATE, ruleset, 8, 0)
    if handle < 0:
        _check_missing()
        return False
    for path in readable:
        _allow(handle, path, rights & (_EXECUTE | _READ_FILE | _READ_DIR))
    for path in writable:
        _allow(handle, path, rights)
    _give_up_privileges()
    if _libc.syscall(_LANDLOCK_RESTRICT, handle, 0):
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(handle)
    return True


def forbid_network() -> bool:
    """Make every attempt of this process to open a socket fail, from now on.

    Returns:
        whether it was done; it is on Linux, on x86-64 and 64-bit ARM.
    """
    machine = platform.machine()
    if machine not in _AUDIT_ARCH or platform.system() != "Linux":
        return False
    calls = _FORBIDDEN_CALLS[machine]
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUALS, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, len(calls) + 1, 0, _X32_CALLS),
        *((_EQUALS, len(calls) - index, 0, call) for index, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(buffer))
    _give_up_privileges()
    if _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0):
        _check_missing()
        return False
    return True


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # not on this system
    if not path.is_dir():
        rights &= _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
    rule = struct.pack("=Qi", rights, handle)
    failed = _libc.syscall(_LANDLOCK_ADD, ruleset, _LANDLOCK_PATH_BENEATH, rule, 0)
    os.close(handle)
    if failed:
        raise OSError(ctypes.get_errno(), "landlock_add_rule", str(path))


def _give_up_privileges() -> None:
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")


def _check_missing() -> None:
    number = ctypes.get_errno()
    if number not in _MISSING | {errno.EINVAL}:
        raise OSError(number, os.strerror(number))
