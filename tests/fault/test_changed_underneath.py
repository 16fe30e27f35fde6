"""Files that another program changes while they are read: the rows that were there, or an error."""

import concurrent.futures
import functools
import io
import os
import pathlib
import random
import threading

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from dataset_model import Violation
from flight_steps import command, get, info, listed
from hangar_fixtures import DEADLINE_SECONDS

LONG = os.environ.get("HANGAR_FAULT") == "long"
ROUNDS_PER_SERVER = 25
SERVERS = 40 if LONG else 1

NAME = "changed.parquet"
ROWS, ROW_GROUP_ROWS = 2_000_000, 100_000
GENERATIONS = 4
READERS = 2
# A time of modification that no later change can have by chance.
LONG_AGO_NS = 10**18


@functools.cache
def _table(generation):
    first = generation << 40
    noise = np.random.default_rng(generation).integers(0, 2**63, ROWS)
    return pa.table({"v": np.arange(first, first + ROWS), "w": noise})


@functools.cache
def _file(generation):
    """The table as a file in which every value stands where it stands in the other generations'
    files, with nothing that could tell pages of one from pages of another."""
    file = io.BytesIO()
    pq.write_table(_table(generation), file, compression="none", use_dictionary=False,
                   row_group_size=ROW_GROUP_ROWS)
    return file.getvalue()


class _Step:
    """What one round does to the file, once `old` is there."""

    def __init__(self, file, random_source, old, new):
        self.file, self.random, self.old, self.new = file, random_source, old, new

    def put(self, generation):
        """As other programs should: complete, under a hidden name, then in one step."""
        hidden = self.file.with_name(".hidden")
        hidden.write_bytes(_file(generation))
        os.utime(hidden, ns=(LONG_AGO_NS, LONG_AGO_NS + self.random.randrange(10**15)))
        os.replace(hidden, self.file)

    def _write(self, mode, data, offset=0):
        size = self.random.choice([64 << 10, 1 << 20, len(data)])
        with open(self.file, mode, buffering=0) as file:
            file.seek(offset)
            for begin in range(0, len(data), size):
                file.write(data[begin:begin + size])

    def replaced(self):
        self.put(self.new)

    def deleted(self):
        self.file.unlink()

    def deleted_and_written_again(self):
        self.file.unlink()
        self._write("wb", _file(self.new))

    def truncated(self):
        os.truncate(self.file, self.random.randrange(len(_file(self.old))))

    def emptied_and_written_again(self):
        self._write("wb", _file(self.new))

    def overwritten(self):
        self._write("r+b", _file(self.new))

    def overwritten_in_a_part(self):
        data = _file(self.new)
        begin, end = sorted(self.random.sample(range(len(data)), 2))
        self._write("r+b", data[begin:end], begin)

    def appended_to(self):
        self._write("ab", b"more" * self.random.randint(1, 10_000))

    def appended_to_and_cut_back(self):
        self.appended_to()
        os.truncate(self.file, len(_file(self.old)))

    def touched(self):
        os.utime(self.file)


# Those after which every reader sees the old file or the new one, whenever it begins.
IN_ONE_STEP = [_Step.replaced, _Step.deleted, _Step.touched]
CHANGES = [*IN_ONE_STEP, _Step.deleted_and_written_again, _Step.truncated,
           _Step.emptied_and_written_again, _Step.overwritten, _Step.overwritten,
           _Step.overwritten_in_a_part, _Step.overwritten_in_a_part, _Step.appended_to,
           _Step.appended_to_and_cut_back]


def _read_from_before(client, old, chunks_before, reached, changed, waits):
    """Reads a ticket of the old file and says when `chunks_before` chunks have come. True when the
    old rows came to their end, False when an error came; anything else is a violation."""
    expected, rows = _table(old), 0
    ticket = info(client, NAME).endpoints[0].ticket
    try:
        reader = client.do_get(ticket)
        for number in range(ROWS):
            if number == chunks_before:
                reached.set()
                if waits:
                    assert changed.wait(timeout=DEADLINE_SECONDS)
            chunk = pa.Table.from_batches([reader.read_chunk().data])
            if not chunk.equals(expected.slice(rows, chunk.num_rows)):
                raise Violation(f"a read from before the change got other rows after row {rows}")
            rows += chunk.num_rows
    except StopIteration:
        if rows != ROWS:
            raise Violation(f"a read ended after {rows} rows as if whole") from None
        return True
    except (pa.ArrowException, KeyError):
        return False
    finally:
        reached.set()


def _read_meanwhile(client, step, strict, changed):
    """Reads whatever is there until the change is over: it must not disturb anything, and where the
    change is made in one step, all its rows are of one file. Gives the number of reads."""
    reads = 0
    while not changed.is_set():
        try:
            listed(client)
            got = client.do_get(flight.Ticket(NAME.encode())).read_all()
        except (pa.ArrowException, KeyError):
            continue
        reads += 1
        if strict and got not in (_table(step.old), _table(step.new)):
            raise Violation("a read during the change got rows of neither file")
    return reads


def _what_is_there(file):
    """What pyarrow reads in the file now, or None."""
    try:
        return pq.read_table(io.BytesIO(file.read_bytes()))
    except (pa.ArrowException, OSError):
        return None


def _check_later_read(client, file):
    want = _what_is_there(file)
    try:
        got = client.do_get(flight.Ticket(NAME.encode())).read_all()
    except KeyError:
        if file.exists():
            raise Violation("a file that is there was not found") from None
    except flight.FlightInternalError as error:
        if want is not None or "DATA_LOSS" not in str(error):
            raise Violation(f"a good file could not be read: {error}") from error
    else:
        if want is None:
            raise Violation("a damaged file was read")
        if got != want:
            raise Violation("a read after the change did not get what is there now")


def _one_round(server, clients, random_source, tally):
    old, new = random_source.sample(range(GENERATIONS), 2)
    step = _Step(pathlib.Path(server.data) / NAME, random_source, old, new)
    step.put(old)
    change = random_source.choice(CHANGES)
    tally[f"{change.__name__.replace('_', ' ')}"] += 1
    reached, changed = [threading.Event() for _ in range(READERS)], threading.Event()
    with concurrent.futures.ThreadPoolExecutor(READERS + 1) as pool:
        readers = [pool.submit(_read_from_before, clients[number], old,
                               random_source.choice([0, 0, 1, 2, 5, 10]), reached[number], changed,
                               waits=random_source.random() < 0.5)
                   for number in range(READERS)]
        for event in reached:
            assert event.wait(timeout=DEADLINE_SECONDS)
        meanwhile = None
        if random_source.random() < 0.5:
            meanwhile = pool.submit(_read_meanwhile, clients[READERS], step, change in IN_ONE_STEP,
                                    changed)
        try:
            change(step)
        finally:
            changed.set()
        for reader in readers:
            tally["reads of the old rows" if reader.result() else "reads that got an error"] += 1
        if meanwhile is not None:
            tally["reads during the change"] += meanwhile.result()
    _check_later_read(clients[0], step.file)


@pytest.mark.parametrize("flags", [(), ("--cache-memory", "0")], ids=["cache", "no cache"])
@pytest.mark.parametrize("number", range(SERVERS))
def test_a_read_of_a_file_that_is_changed_underneath_gives_the_old_rows_or_an_error(
        start_server, seed, tally, flags, number):
    random_source = random.Random(seed)
    server = start_server(flags=flags)
    clients = [server.client(generic_options=[("grpc.use_local_subchannel_pool", 1)])
               for _ in range(READERS + 1)]
    for _ in range(ROUNDS_PER_SERVER):
        _one_round(server, clients, random_source, tally)
        tally["rounds"] += 1


def _read_the_end_meanwhile(client, changed):
    """Short reads of what a change in place comes to last."""
    end = command(NAME, offset=ROWS - 1000, limit=1000)
    while not changed.is_set():
        try:
            get(client, end)
        except (pa.ArrowException, KeyError):
            continue


@pytest.mark.parametrize("number", range(SERVERS))
def test_what_is_read_in_the_middle_of_a_change_in_place_is_not_given_later(
        server, seed, tally, number):
    random_source = random.Random(seed)
    clients = [server.client(generic_options=[("grpc.use_local_subchannel_pool", 1)])
               for _ in range(READERS + 1)]
    for _ in range(ROUNDS_PER_SERVER):
        old, new = random_source.sample(range(GENERATIONS), 2)
        step, changed = _Step(server.data / NAME, random_source, old, new), threading.Event()
        step.put(old)
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            readers = [pool.submit(_read_the_end_meanwhile, client, changed)
                       for client in clients[1:]]
            try:
                step.overwritten()
            finally:
                changed.set()
            for reader in readers:
                reader.result()
        _check_later_read(clients[0], step.file)
        tally["rounds"] += 1
