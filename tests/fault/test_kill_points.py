"""The server is killed right before and right after every system call that changes the data folder.

The next server serves what was acknowledged; what was not is there wholly or not at all. Nothing
staged remains, nothing foreign is listed, and the same operation works.
"""

import os
import random

import pytest

from operations import Bench, Failure, operations
from syscall_shim import CHANGES

LONG = os.environ.get("HANGAR_FAULT") == "long"
REPEATS = 20 if LONG else 1


def kill_points(counts):
    """Before each change, and after each: to the disk the latter is the same as before the next,
    so the short form has of these only the last."""
    changes = sum(counts.get(kind, 0) for kind in CHANGES)
    for nth in range(1, changes + 1):
        yield "kill_before", nth
        if LONG or nth == changes:
            yield "kill_after", nth


def check_kill(bench, operation, deed, nth):
    """Gives whether it came about: what the server tidies up afterwards varies."""
    bench.bring(operation.before)
    operation.prepare(bench)
    files = bench.files(operation.before)
    retired = bench.version(operation.retires) if operation.retires else None
    bench.shim.arm(deed, CHANGES, nth=nth)
    result = bench.attempt(operation)
    bench.shim.disarm()
    if not bench.shim.fired:
        assert bench.state() == operation.after
        return False
    bench.restart_after_kill()
    assert bench.server.staged() == []
    state = bench.state()
    if not isinstance(result, Failure):
        assert state == operation.after, "what was acknowledged is lost"
    elif state == operation.before:
        assert bench.files(operation.before) == files, "not just the same rows: the same files"
    else:
        assert state == operation.after, "neither what was nor what was to be"
    if retired:
        current, past = bench.versions(operation.retires)
        assert retired in (current, *past), "what was to be kept as a past version is gone"
        assert current not in past, "a version is both the current one and a past one"
    if state != operation.before:
        bench.bring(operation.before)
        operation.prepare(bench)
    result = bench.attempt(operation)
    assert not isinstance(result, Failure), f"again, without a kill: {result}"
    assert bench.state() == operation.after
    return True


CHANGING = [number for number, operation in enumerate(operations())
            if operation.before != operation.after]


@pytest.mark.parametrize("number", CHANGING, ids=lambda number: str(operations()[number]))
def test_a_server_killed_at_any_change_leaves_the_old_or_the_new(
        start_server, tmp_path, number, seed, tally):
    chosen = random.Random(seed)
    bench = Bench(start_server, tmp_path)
    bench.start()
    for _ in range(REPEATS):
        rows = chosen.choice([1, 5000, 20_000] if LONG else [1, 5000])
        operation = operations(chosen.randrange(1000), rows)[number]
        for deed, nth in kill_points(bench.count_calls(operation)):
            try:
                tally["kills"] += check_kill(bench, operation, deed, nth)
            except AssertionError as violation:
                raise AssertionError(f"{operation}, {deed} {nth}") from violation
    bench.leave()
