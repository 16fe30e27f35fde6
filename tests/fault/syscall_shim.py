"""The other side of syscall_shim.cc: says what is to happen to which call, and reads what did.

    shim = SyscallShim(library, folder, data)
    server = start_server(data=data, wrapper=shim.wrapper)
    shim.arm("fail", ["write"], nth=3, error=errno.EIO)
    ...
    shim.disarm()
    assert shim.fired == 1
"""

import contextlib
import dataclasses
import mmap
import pathlib
import struct

# In the order of `Kind`, `Deed` and `Control` in syscall_shim.cc.
KINDS = ("open", "create", "read", "write", "sync", "sync_all", "start_sync", "close", "rename",
         "link", "unlink", "remove_folder", "make_folder", "set_times", "lock", "stat",
         "read_folder")
DEEDS = ("fail", "shorten", "kill_before", "kill_after")
FIELDS = ("armed", "kinds", "nth", "times", "deed", "error", "recording", "matched", "fired",
          "fired_kinds", *KINDS)
COUNTERS = ("matched", "fired", "fired_kinds", *KINDS)

# The kinds that change what is on the disk, or what of it would survive a power loss.
CHANGES = ("create", "write", "sync", "sync_all", "rename", "link", "unlink", "remove_folder",
           "make_folder", "set_times")
FOR_GOOD = 2**63

_RECORD = struct.Struct("=IiQqqIIQ")


@dataclasses.dataclass(frozen=True)
class Record:
    """One change, in the order in which they were made. `path` and `other_path` are relative to the
    data folder, where the call was about names; `inode` is of the file it was about."""

    kind: str
    error: int
    inode: int
    offset: int
    length: int
    path: str
    other_path: str
    data: bytes


class SyscallShim:
    """The control file and the log of one server after the other over one data folder."""

    def __init__(self, library, folder, data):
        self._data = pathlib.Path(data).resolve()
        self._log_path = folder / "calls.log"
        self._log_path.touch()
        control_path = folder / "control"
        control_path.write_bytes(bytes(8 * len(FIELDS)))
        with open(control_path, "r+b") as file:
            self._control = mmap.mmap(file.fileno(), 0)
        self.wrapper = ["env", f"LD_PRELOAD={library}", f"SHIM_DATA={self._data}",
                        f"SHIM_CONTROL={control_path}", f"SHIM_LOG={self._log_path}"]

    def _set(self, field, value):
        struct.pack_into("=Q", self._control, 8 * FIELDS.index(field), value)

    def get(self, field):
        return struct.unpack_from("=Q", self._control, 8 * FIELDS.index(field))[0]

    def arm(self, deed, kinds, *, nth=1, times=1, error=0):
        """From now on the `nth` call of these kinds, and those after it up to `times`, are done
        this to. The counters begin at 0."""
        self._set("armed", 0)
        for field in COUNTERS:
            self._set(field, 0)
        for field, value in (("kinds", sum(1 << KINDS.index(kind) for kind in kinds)),
                             ("nth", nth), ("times", times), ("deed", DEEDS.index(deed)),
                             ("error", error), ("armed", 1)):
            self._set(field, value)

    def disarm(self):
        self._set("armed", 0)

    @contextlib.contextmanager
    def counting(self):
        """Nothing happens to any call made within; gives a dictionary that is filled with how many
        there were of each kind."""
        counts = {}
        self.arm("fail", [])
        yield counts
        self.disarm()
        counts.update((kind, self.get(kind)) for kind in KINDS if self.get(kind))

    @property
    def fired(self):
        return self.get("fired")

    @property
    def fired_kinds(self):
        return {kind for number, kind in enumerate(KINDS)
                if self.get("fired_kinds") >> number & 1}

    def record(self, wanted=True):
        self._set("recording", int(wanted))

    def log_size(self):
        return self._log_path.stat().st_size

    def clear_log(self):
        """Only while nothing is recorded."""
        with open(self._log_path, "r+b") as file:
            file.truncate(0)

    def log(self):
        """Every recorded change with where its record ends in the log."""
        content = self._log_path.read_bytes()
        position, records = 0, []
        while position < len(content):
            kind, error, inode, offset, length, *sizes = _RECORD.unpack_from(content, position)
            position += _RECORD.size
            parts = []
            for size in sizes:
                parts.append(content[position:position + size])
                position += size
            path, other_path = (self._relative(part.decode()) for part in parts[:2])
            records.append((position, Record(KINDS[kind], error, inode, offset, length, path,
                                             other_path, parts[2])))
        return records

    def _relative(self, path):
        return path.removeprefix(str(self._data)).strip("/")
