"""The power fails at every change that an operation makes on the disk.

From the calls of a real server the states are computed that a disk may then hold; a server that
starts on such a state has every dataset that was acknowledged, and the one that was being changed
as it was or as it was to be.
"""

import errno
import os
import random
import shutil

import pytest

from crash_states import Disk, Drawn, Kept, Lost, signature, write_state
from operations import Bench, Failure, operations

LONG = os.environ.get("HANGAR_FAULT") == "long"
DRAWN_STATES = 10 if LONG else 1

CHANGING = [number for number, operation in enumerate(operations())
            if operation.before != operation.after]


class Recording:
    """The changes of one operation after those that led to it. With `failed_sync` the sync of that
    number fails."""

    def __init__(self, bench, operation, failed_sync=0):
        bench.shim.record()
        bench.start()
        bench.bring(operation.before)
        operation.prepare(bench)
        begin = bench.shim.log_size()
        bench.shim.arm("fail", ["sync"], nth=failed_sync or 2**32, error=errno.EIO)
        self.failed = isinstance(bench.attempt(operation), Failure)
        bench.shim.disarm()
        end = bench.shim.log_size()
        bench.shim.record(False)
        bench.stop()
        self.inode = bench.data.stat().st_ino
        log = [entry for entry in bench.shim.log() if entry[0] <= end]
        self.before = [record for position, record in log if position <= begin]
        self.during = [record for position, record in log if position > begin]
        self.syncs = sum(record.kind == "sync" for record in self.during)

    def states(self, chosen):
        """Every state that was found, once, and whether the operation was done by then."""
        disk = Disk(self.inode)
        for record in self.before:
            disk.apply(record)
        seen = set()
        for number, record in enumerate([None, *self.during]):
            if record is not None:
                disk.apply(record)
            done = number == len(self.during) and not self.failed
            for choice in (Lost(), Kept(), *[Drawn(chosen)] * DRAWN_STATES):
                state = disk.after_power_loss(choice)
                mark = (done, signature(state))
                if mark not in seen:
                    seen.add(mark)
                    yield f"after change {number} of {len(self.during)}", state, done


def check_state(bench, operation, state, done):
    shutil.rmtree(bench.data)
    bench.data.mkdir()
    write_state(state, bench.data)
    bench.start()
    assert bench.server.staged() == []
    served = bench.state()
    if done:
        assert served == operation.after, "what was acknowledged is lost"
        if operation.retires:
            assert bench.versions(operation.retires)[1], "what was to be kept is gone"
    else:
        assert served in (operation.before, operation.after, *operation.between), (
            f"neither what was nor what was to be: {sorted(served)}")
    bench.bring(operation.before)
    operation.prepare(bench)
    result = bench.attempt(operation)
    assert not isinstance(result, Failure), f"again, with power: {result}"
    assert bench.state() == operation.after
    bench.leave()
    bench.server.kill()


@pytest.mark.parametrize("number", CHANGING, ids=lambda number: str(operations()[number]))
def test_what_was_acknowledged_survives_a_power_loss_at_any_change(
        start_server, tmp_path, number, seed, tally):
    chosen = random.Random(seed)
    operation = operations(chosen.randrange(1000), chosen.choice([1, 5000]))[number]
    recording = check_recording(start_server, tmp_path, operation, 0, chosen, tally)
    if LONG:
        for failed_sync in range(1, recording.syncs + 1):
            check_recording(start_server, tmp_path, operation, failed_sync, chosen, tally)


def check_recording(start_server, tmp_path, operation, failed_sync, chosen, tally):
    folder = tmp_path / f"failed-{failed_sync}"
    folder.mkdir()
    bench = Bench(start_server, folder)
    recording = Recording(bench, operation, failed_sync)
    assert recording.failed == (failed_sync > 0)
    for when, state, done in recording.states(chosen):
        try:
            check_state(bench, operation, state, done)
        except AssertionError as violation:
            raise AssertionError(f"{operation}, sync {failed_sync} failing, {when}, the disk holds "
                                 f"{sorted(state)}") from violation
        tally["states"] += 1
    return recording
