"""Runs a command that sees a mount of its own; nobody else sees it, and it ends with the command.

    private_mount.py tmpfs FOLDER OPTIONS COMMAND...   a file system in memory over FOLDER
    private_mount.py read-only FOLDER COMMAND...       FOLDER as it is, but read-only
    private_mount.py bind FILE OTHER COMMAND...        OTHER in the place of FILE
    private_mount.py probe                             exit code 0 where this works

Needs root or a system that gives ordinary users namespaces, and no mount(8).
"""

import ctypes
import os
import sys

_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18


def mount(source, target, kind, flags, options=None):
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    library = ctypes.CDLL(None, use_errno=True)
    data = None if options is None else options.encode()
    if library.mount(*encoded, ctypes.c_ulong(flags), data) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), target)


def leave_shared_mounts(folder):
    """From here on mounts in `folder` are this process' own."""
    user, group = os.geteuid(), os.getegid()
    os.unshare(os.CLONE_NEWNS if user == 0 else os.CLONE_NEWNS | os.CLONE_NEWUSER)
    if user != 0:
        for file, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                           ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{file}", "w", encoding="ascii") as opened:
                opened.write(text)
    while True:
        try:
            # Only a mount point takes this; the nearest one above is what counts.
            return mount(None, folder, None, _RECURSIVE | _PRIVATE)
        except OSError:
            if folder == "/":
                raise
            folder = os.path.dirname(folder)


def main(how, folder="/tmp", *rest):
    leave_shared_mounts(folder)
    if how == "probe":
        return mount("tmpfs", folder, "tmpfs", 0)
    if how == "tmpfs":
        options, *command = rest
        mount("tmpfs", folder, "tmpfs", 0, options)
    elif how == "bind":
        other, *command = rest
        mount(other, folder, None, _BIND)
    else:
        command = rest
        mount(folder, folder, None, _BIND)
        mount(None, folder, None, _BIND | _REMOUNT | _READ_ONLY)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
