"""Runs a command under what the systemd unit forbids: as_the_unit.py UNIT COMMAND...

Applies the unit's SystemCallFilter=, RestrictAddressFamilies=, MemoryDenyWriteExecute=,
NoNewPrivileges= and CapabilityBoundingSet= to this process, with the numbers of system calls that
systemd-analyze says its groups stand for, and becomes the command. What needs mounts
(ProtectSystem= and such) is left out.
"""

import ctypes
import os
import re
import socket
import subprocess
import sys

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000  # SCMP_ACT_ALLOW and SCMP_ACT_ERRNO of libseccomp
_EQUAL = 4  # SCMP_CMP_EQ
_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP, _PR_SET_MDWE = 38, 24, 65
_EPERM = 1


class _Compare(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int),
                ("first", ctypes.c_uint64), ("second", ctypes.c_uint64)]


def unit_settings(path):
    settings = {}
    for key, value in re.findall(r"(?m)^([A-Za-z]+)=(.*)$", open(path, encoding="utf8").read()):
        settings.setdefault(key, []).append(value)
    return settings


def members(group):
    """The system calls of a group such as @system-service."""
    told = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True,
                          capture_output=True, text=True).stdout
    calls = set()
    for word in re.findall(r"(?m)^    ([@\w-]+)$", told):
        calls |= members(word) if word.startswith("@") else {word}
    return calls


def allowed_calls(filters):
    """The system calls that are left by lists such as ["@system-service", "~@privileged"]."""
    allowed = members("@default")
    for line in filters:
        for word in line.removeprefix("~").split():
            calls = members(word) if word.startswith("@") else {word}
            allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def filter_calls(calls, families):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(_ERRNO | _EPERM))

    def allow(call, *comparisons):
        number = library.seccomp_syscall_resolve_name(call.encode())
        array = (_Compare * len(comparisons))(*comparisons)
        # Some of a group's calls are of other architectures.
        if number >= 0:
            assert library.seccomp_rule_add_array(
                context, _ALLOW, number, len(comparisons), array) == 0, call

    for call in sorted(calls - {"socket"}):
        allow(call)
    for family in families:
        allow("socket", _Compare(0, _EQUAL, getattr(socket, family).value, 0))
    assert library.seccomp_load(context) == 0


def main(unit, *command):
    settings = unit_settings(unit)
    calls = allowed_calls(settings["SystemCallFilter"])
    libc = ctypes.CDLL(None)
    if os.geteuid() == 0 and settings["CapabilityBoundingSet"] == [""]:
        last = int(open("/proc/sys/kernel/cap_last_cap", encoding="ascii").read())
        for capability in range(last + 1):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    assert libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    if settings["MemoryDenyWriteExecute"] == ["yes"]:
        assert libc.prctl(_PR_SET_MDWE, 1, 0, 0, 0) == 0
    filter_calls(calls, settings["RestrictAddressFamilies"][0].split())
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
