"""Runs a command as root in a system of its own, which begins as a copy of this one.

    fresh_root.py FOLDER COMMAND...     FOLDER keeps what changes; it may be used again
    fresh_root.py FOLDER                exit code 0 where this works

Nothing of this system changes: its root is the lower layer of an overlay.
"""

import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from private_mount import leave_shared_mounts, mount  # noqa: E402

_BIND, _RECURSIVE = 4096, 16384


def main(folder, *command):
    folder = pathlib.Path(folder)
    leave_shared_mounts(str(folder))
    changes, work, root = folder / "changes", folder / "work", folder / "root"
    for part in (changes, work, root):
        part.mkdir(exist_ok=True)
    mount("overlay", str(root), "overlay", 0, f"lowerdir=/,upperdir={changes},workdir={work}")
    for kernel in ("proc", "dev", "sys"):
        mount(f"/{kernel}", str(root / kernel), None, _BIND | _RECURSIVE)
    os.chroot(root)
    os.chdir("/")
    if command:
        os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
