"""Every system call that an operation makes on the data folder fails, in every way that makes
sense for it.

The client gets an error of the right kind or, where the server can go on, success; what is stored
is what was stored before, or wholly what the operation makes of it; the server lives, nothing
staged remains, and the same operation works once the fault is over.
"""

import errno
import os
import pathlib
import subprocess

import grpc
import pytest

from hangar_fixtures import DEADLINE_SECONDS, clean_environment
from operations import Bench, Failure, assert_says_it_well, operations
from syscall_shim import FOR_GOOD, KINDS

LONG = os.environ.get("HANGAR_FAULT") == "long"

# What may happen to a call of each kind.
ERRORS = {
    "open": (errno.EIO, errno.EACCES, errno.EMFILE, errno.ENOMEM),
    "create": (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT, errno.EMFILE, errno.EROFS),
    "read": (errno.EIO,),
    "write": (errno.ENOSPC, errno.EIO, errno.EDQUOT),
    "sync": (errno.EIO, errno.ENOSPC, errno.EDQUOT),
    "start_sync": (errno.EIO, errno.ENOSPC),
    "close": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "rename": (errno.EIO, errno.ENOSPC, errno.EACCES, errno.EDQUOT, errno.EROFS),
    "link": (errno.EIO, errno.ENOSPC, errno.EACCES, errno.EDQUOT, errno.EROFS),
    "unlink": (errno.EIO, errno.EACCES, errno.EROFS),
    "remove_folder": (errno.EIO, errno.EACCES, errno.EROFS),
    "make_folder": (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT),
    "set_times": (errno.EIO, errno.EACCES, errno.EROFS),
    "lock": (errno.EIO, errno.ENOLCK),
    "stat": (errno.EIO, errno.EACCES, errno.ENOMEM),
    "read_folder": (errno.EIO,),
}
# Calls that a signal may interrupt before they did anything.
INTERRUPTED = ("open", "create", "read", "write", "lock")
SHORTENED = ("read", "write")

FULL = grpc.StatusCode.RESOURCE_EXHAUSTED
DENIED = grpc.StatusCode.PERMISSION_DENIED
BROKEN = (grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS)
CODES = {errno.EIO: BROKEN, errno.ENOLCK: (grpc.StatusCode.UNAVAILABLE,),
         errno.ENOSPC: (FULL,), errno.EDQUOT: (FULL,), errno.EMFILE: (FULL,),
         errno.ENOMEM: (FULL,), errno.EACCES: (DENIED,), errno.EROFS: (DENIED,)}

# An operation that said yes cannot have gone without one of these.
NEEDED = {"create", "write", "sync", "set_times"}

# Where the disk takes no more, what is dropped or replaced is not kept.
MAKES_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Case:
    """One fault in one operation."""

    def __init__(self, kinds, nth, deed, error=0, times=1):
        self.kinds, self.nth, self.deed, self.error, self.times = kinds, nth, deed, error, times

    def __str__(self):
        what = errno.errorcode[self.error] if self.error else self.deed
        often = {1: "once", FOR_GOOD: "for good"}.get(self.times, f"{self.times} times")
        kinds = "any call" if len(self.kinds) > 1 else self.kinds[0]
        return f"{kinds} {self.nth}: {what}, {often}"

    def arm(self, shim):
        shim.arm(self.deed, self.kinds, nth=self.nth, times=self.times, error=self.error)

    @property
    def is_harmless(self):
        return self.deed == "shorten" or self.error == errno.EINTR or (
            self.kinds[0] in ("close", "start_sync") and len(self.kinds) == 1)


def cases(counts):
    """Every fault of every call of an operation that makes `counts` calls; in the short form one
    error for each call, of all errors in turn."""
    for kind, count in counts.items():
        for nth in range(1, count + 1):
            errors = ERRORS[kind]
            for error in errors if LONG else errors[(nth - 1) % len(errors):][:1]:
                yield Case([kind], nth, "fail", error)
                if LONG:
                    yield Case([kind], nth, "fail", error, FOR_GOOD)
            if kind in INTERRUPTED:
                yield Case([kind], nth, "fail", errno.EINTR, 3)
            if kind in SHORTENED:
                yield Case([kind], nth, "shorten")
                yield Case([kind], nth, "shorten", times=FOR_GOOD)
    for nth in range(1, sum(counts.values()) + 1, 1 if LONG else 3):
        yield Case(list(KINDS), nth, "fail", errno.EIO, FOR_GOOD)


def check_result(bench, operation, case, result, fired_kinds):
    if isinstance(result, Failure):
        assert not case.is_harmless, result
        assert_says_it_well(bench.server, result.sentence)
        allowed = CODES[case.error] + (BROKEN if "lock" in fired_kinds else ())
        assert result.code in allowed, result
        return
    assert case.is_harmless or not fired_kinds & NEEDED, "the client was told that all is well"
    if operation.name == "list":
        # One file that cannot be read does not end the listing of the others.
        assert not set(result) - set(operation.gives)
        assert result == operation.gives or fired_kinds & {"open", "read", "stat"}
    elif operation.gives is not None:
        assert result == operation.gives


def check_state(bench, operation, result, files, fired_kinds):
    """Gives the state."""
    state = bench.state()
    if not isinstance(result, Failure):
        assert state == operation.after
    elif state == operation.before:
        assert bench.files(operation.before) == files, "not just the same rows: the same files"
    elif operation.before == operation.after:
        raise AssertionError("without the fault, datasets cannot be read any more")
    else:
        assert state == operation.after and "sync" in fired_kinds, (
            "only what was done and could not be made durable may be there all the same")
    return state


def check_log(bench):
    """A sync that failed is never tried again, and what it was to make durable never published."""
    failed, staged = set(), {}
    for _, record in bench.shim.log():
        if record.kind == "sync":
            assert record.inode not in failed, f"{record.path} was synced again after a failure"
            if record.error:
                failed.add(record.inode)
        elif record.kind == "create" and record.error == 0:
            staged[record.path] = record.inode
        elif record.kind == "rename" and record.error == 0:
            assert staged.get(record.path) not in failed, f"{record.path} was published"


def check_case(bench, operation, case):
    """Gives whether the fault came about."""
    shim = bench.shim
    bench.bring(operation.before)
    operation.prepare(bench)
    files = bench.files(operation.before)
    retired = bench.version(operation.retires) if operation.retires else None
    staged = bench.server.staged()
    shim.clear_log()
    shim.record()
    case.arm(shim)
    try:
        result = bench.attempt(operation)
    finally:
        shim.disarm()
        shim.record(False)
    bench.check_alive()
    fired_kinds = shim.fired_kinds
    check_result(bench, operation, case, result, fired_kinds)
    state = check_state(bench, operation, result, files, fired_kinds)
    check_log(bench)
    if retired and not isinstance(result, Failure) and case.error not in MAKES_ROOM:
        _, past = bench.versions(operation.retires)
        assert retired in past, "what was to be kept as a past version is gone"
    # What could not be removed stays until the next start.
    assert "unlink" in fired_kinds or bench.server.staged() == staged
    if isinstance(result, Failure):
        check_works_again(bench, operation, state)
    return bool(fired_kinds)


def check_works_again(bench, operation, state):
    if state != operation.before:
        bench.bring(operation.before)
        operation.prepare(bench)
    result = bench.attempt(operation)
    assert not isinstance(result, Failure), f"again, without a fault: {result}"
    assert operation.gives is None or result == operation.gives, "again, without a fault"
    assert bench.state() == operation.after, "again, without a fault"


@pytest.fixture
def bench(start_server, tmp_path):
    bench = Bench(start_server, tmp_path)
    bench.start()
    yield bench
    # What could not be removed from staging is removed by the next start.
    bench.stop()
    bench.start()
    assert bench.server.staged() == []
    bench.leave()


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_a_call_that_fails_fails_the_operation_whole_or_not_at_all(bench, operation, tally):
    violations = []
    counts = bench.count_calls(operation)
    for case in cases(counts):
        try:
            tally["faults"] += check_case(bench, operation, case)
        except (AssertionError, grpc.RpcError) as violation:
            bench.check_alive()
            violations.append(f"{operation}, {case}: {violation}")
    tally["calls"] += sum(counts.values())
    assert not violations, f"{len(violations)} violations:\n" + "\n".join(violations)


# ---- the start

def try_start(hangar_binary, bench):
    """Starts a server. Gives its exit code, or None where it listened, and what it said."""
    process = subprocess.Popen(
        [*bench.shim.wrapper, hangar_binary, "serve", "--data", bench.data,
         "--listen", "grpc://127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
    listens = process.stdout.readline().startswith("listening on ")
    if listens:
        process.kill()
    _, said = process.communicate(timeout=DEADLINE_SECONDS)
    return None if listens else process.returncode, said


def test_a_call_that_fails_at_the_start_is_passed_over_or_said(hangar_binary, bench, tally):
    stored = operations()[-1].before
    bench.bring(stored)
    bench.stop()
    staged = bench.data / "_hangar" / "staging" / f".{0:032x}"

    def start(arm):
        staged.write_bytes(b"left behind")
        arm()
        code, said = try_start(hangar_binary, bench)
        bench.shim.disarm()
        return code, said

    assert start(lambda: bench.shim.arm("fail", []))[0] is None
    counts = {kind: bench.shim.get(kind) for kind in KINDS if bench.shim.get(kind)}
    violations = []
    for case in cases(counts):
        code, said = start(lambda case=case: case.arm(bench.shim))
        if code is not None and (code != 1 or case.is_harmless or "cannot" not in said):
            violations.append(f"{case}: exit code {code}: {said}")
        tally["faults"] += 1
    bench.start()
    assert bench.state() == stored
    assert not violations, f"{len(violations)} violations:\n" + "\n".join(violations)


# ---- the shim itself

# Calls of libc that open, read, change or describe files.
FILE_CALLS = {
    "access", "close", "closedir", "copy_file_range", "creat", "euidaccess", "faccessat",
    "fallocate", "fchmod", "fchmodat", "fchown", "fcntl", "fcntl64", "fdatasync", "fdopendir",
    "flock", "fopen", "fopen64", "fstat", "fstat64", "fstatat", "fstatat64", "fstatfs", "fstatvfs",
    "fsync", "ftruncate", "ftruncate64", "futimens", "futimes", "getdents64", "link", "linkat",
    "lockf", "lseek", "lstat", "lstat64", "mkdir", "mkdirat", "mkostemp", "mkstemp", "mmap",
    "mmap64", "msync", "open", "open64", "openat", "openat2", "openat64", "opendir",
    "posix_fallocate", "pread", "pread64", "preadv", "preadv2", "pwrite", "pwrite64", "pwritev",
    "pwritev2", "read", "readdir", "readdir64", "readlink", "readlinkat", "readv", "remove",
    "removexattr", "rename", "renameat", "renameat2", "rmdir", "sendfile", "setxattr", "stat",
    "stat64", "statfs", "statvfs", "statx", "symlink", "symlinkat", "sync", "sync_file_range",
    "syncfs", "syscall", "truncate", "unlink", "unlinkat", "utimensat", "utimes", "write",
    "writev"}


# What of the program calls libc for datasets. The rest asks for files of the operator's or of a
# user at the command line; it has tests of its own.
DATA_LIBRARIES = ("store", "history", "catalog", "read", "decode", "write", "encode", "service")


def test_the_shim_stands_before_every_call_that_concerns_datasets(bench):
    def symbols(file, *flags):
        listing = subprocess.run(["nm", "--print-file-name", *flags, file], check=True,
                                 capture_output=True, text=True).stdout
        # What is kept of a bucket on a disk is no dataset: its disk fails in tests/s3/test_reads.py.
        return {line.split()[-1].split("@")[0] for line in listing.splitlines()
                if line.strip() and ":disk_cache.cc.o:" not in line}

    build = pathlib.Path(os.environ["HANGAR_BUILD"])
    called = set().union(*(
        symbols(build / f"src/{name}/libhangar_{name}.a", "--undefined-only")
        for name in DATA_LIBRARIES)) & FILE_CALLS
    assert {"openat", "renameat2", "fsync"} <= called
    assert called - symbols(bench.library, "-D", "--defined-only") == set()
