"""--memory-limit bounds the process, whatever is asked of it, and those who must wait or do without
are told so."""

import collections
import concurrent.futures
import pathlib
import random
import time

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.flight as flight
import pyarrow.parquet as parquet
import pytest

from hangar_fixtures import DEADLINE_SECONDS, eventually
from load import amount, get, numbers, put
from raw_flight import RawFlight, path_descriptor, refusal, ticket_message

MIB = 1 << 20
LIMIT = 256 * MIB
# How much may be resident at most. What is not counted (the program, stacks, what the allocator
# holds back) is an estimate; five minutes of the load below end at 1.07 times the limit.
BOUND = LIMIT + LIMIT // 4

REFUSALS = {"RESOURCE_EXHAUSTED", "UNAVAILABLE"}


def peak_bytes(server):
    """The most that the server's process had resident until now."""
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the process has no VmHWM")


def limited(start_server, *flags, **options):
    return start_server(flags=["--memory-limit", f"{LIMIT // MIB}MiB", *flags], **options)


def code_of(error):
    """The status code of pyarrow's exception by its name, or all that it says."""
    if isinstance(error, flight.FlightUnavailableError):
        return "UNAVAILABLE"
    # A stream that gRPC itself ends, as its buffers are full, has no exception of its own.
    if isinstance(error, (pa.ArrowCapacityError, MemoryError)) or (
            "gRPC returned resource exhausted error" in str(error)):
        return "RESOURCE_EXHAUSTED"
    return f"{type(error).__name__}: {error}"


def zeros(count, megabytes):
    """Batches that take next to nothing when they are compressed."""
    values = pa.array(np.zeros(megabytes * MIB // 8, dtype=np.int64))
    return [pa.record_batch([values], names=["n"]) for _ in range(count)]


def put_compressed(server, name, batches):
    options = flight.FlightCallOptions(
        timeout=DEADLINE_SECONDS, write_options=pa.ipc.IpcWriteOptions(compression="zstd"))
    writer, _ = server.client().do_put(
        flight.FlightDescriptor.for_path(name), batches[0].schema, options)
    with writer:
        for batch in batches:
            writer.write_batch(batch)


def test_a_batch_that_becomes_larger_than_the_limit_is_refused(start_server):
    server = limited(start_server)
    with pytest.raises((pa.ArrowException, MemoryError)) as refused:
        put_compressed(server, "bomb", zeros(1, megabytes=1024))
    assert code_of(refused.value) == "RESOURCE_EXHAUSTED"
    assert peak_bytes(server) < LIMIT
    put(server.client(), "after", numbers(1))
    assert get(server.client(), "after").num_rows == numbers(1).num_rows


def test_a_size_that_a_compressed_buffer_declares_is_not_allocated(start_server):
    server = limited(start_server)
    sink = pa.BufferOutputStream()
    batch = zeros(1, megabytes=1)[0]
    with pa.ipc.new_stream(sink, batch.schema,
                           options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(batch)
    messages = [(message.metadata.to_pybytes(), message.body.to_pybytes() if message.body else b"")
                for message in pa.ipc.MessageReader.open_stream(sink.getvalue())]
    header, body = messages[1]
    # A compressed buffer begins with its size once decompressed.
    declared = batch.column(0).buffers()[1].size.to_bytes(8, "little")
    assert declared in body
    messages[1] = header, body.replace(declared, (8 << 30).to_bytes(8, "little"))
    with RawFlight(server) as raw:
        code, sentence = refusal(raw.put, path_descriptor("bomb"), messages)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED, sentence
    assert peak_bytes(server) < LIMIT


def test_an_upload_may_become_larger_than_the_limit_batch_by_batch(start_server):
    server = limited(start_server)
    put_compressed(server, "zeros", zeros(64, megabytes=16))
    rows = sum(chunk.data.num_rows for chunk in server.client().do_get(flight.Ticket("zeros")))
    assert rows == 64 * 2 * MIB
    assert peak_bytes(server) < BOUND


def store_foreign(server, name, table, **options):
    path = server.data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, **options)


def test_a_row_group_that_is_larger_than_the_limit_is_served(start_server):
    server = limited(start_server)
    table = numbers(384)
    store_foreign(server, "huge", table, row_group_size=table.num_rows)
    rows = total = 0
    for chunk in server.client().do_get(flight.Ticket("huge")):
        rows += chunk.data.num_rows
        total += compute.sum(chunk.data.column("id")).as_py()
    assert (rows, total) == (table.num_rows, table.num_rows * (table.num_rows - 1) // 2)
    assert peak_bytes(server) < BOUND


def test_a_page_that_is_larger_than_the_limit_is_refused_and_the_rest_is_served(start_server):
    server = limited(start_server)
    text = "x" * MIB
    table = pa.table({"n": pa.array(range(400)), "s": pa.array([text] * 400)})
    store_foreign(server, "page", table, use_dictionary=False, data_page_size=1 << 30,
                  write_batch_size=1 << 20, compression="zstd")
    with pytest.raises((pa.ArrowException, MemoryError)) as refused:
        get(server.client(), "page")
    assert code_of(refused.value) == "RESOURCE_EXHAUSTED"
    command = flight.Ticket(b'{"dataset": "page", "columns": ["n"]}')
    info = server.client().get_flight_info(flight.FlightDescriptor.for_command(command.ticket))
    read = server.client().do_get(info.endpoints[0].ticket).read_all()
    assert read.column("n").to_pylist() == list(range(400))
    assert peak_bytes(server) < BOUND


def test_a_read_that_finds_no_room_in_time_is_told_when_to_try_again(start_server):
    server = limited(start_server, "--queue-timeout", "1s")
    put(server.client(), "t", numbers(64))
    with RawFlight(server) as raw:
        # Each begins to read and then takes nothing; the last ones do not even begin.
        held = [raw.stream("DoGet", ticket_message("t")) for _ in range(64)]
        eventually(lambda: any(call.done() for call in held), "one of them finds no room")
        with pytest.raises(flight.FlightUnavailableError, match="try again in 1 s"):
            get(server.client(), "t")
        for call in held:
            call.cancel()
        eventually(lambda: can_get(server, "t"), "what they held is given back")


def can_get(server, name):
    try:
        return get(server.client(), name).num_rows > 0
    except flight.FlightUnavailableError:
        return False


class Load:
    """Readers and writers that count how their calls end, and check what they get."""

    def __init__(self, server, tables, deadline):
        self._server = server
        self._tables = tables
        self._deadline = deadline
        self.ends = collections.Counter()

    def _count(self, kind, call):
        try:
            call()
        except (pa.ArrowException, MemoryError) as error:
            code = code_of(error)
            assert code in REFUSALS, error
            self.ends[kind, code] += 1
        else:
            self.ends[kind, "OK"] += 1

    def read(self, seed):
        choice = random.Random(seed)
        with flight.connect(self._server.uri) as client:
            while True:
                name = choice.choice(sorted(self._tables))
                self._count("read", lambda: self._check(client, name))
                if time.monotonic() > self._deadline:
                    return

    def _check(self, client, name):
        rows = 0
        table = self._tables[name]
        for chunk in client.do_get(flight.Ticket(name)):
            expected = table.slice(rows, chunk.data.num_rows)
            assert pa.Table.from_batches([chunk.data]).equals(expected), f"{name} from row {rows}"
            rows += chunk.data.num_rows
        # An error never looks like the end of a stream.
        assert rows == table.num_rows, f"{name} ended after {rows} rows"

    def write(self, number):
        table = self._tables[f"t{number % len(self._tables)}"]
        with flight.connect(self._server.uri) as client:
            while True:
                self._count("write", lambda: put(client, f"written/{number}", table))
                if time.monotonic() > self._deadline:
                    return


def test_readers_and_writers_of_twice_the_limit_stay_within_it(start_server):
    server = limited(start_server)
    tables = {f"t{seed}": numbers(96, seed) for seed in range(amount(4, 8))}
    for name, table in tables.items():
        put(server.client(), name, table)
    load = Load(server, tables, time.monotonic() + amount(10, 300))
    with concurrent.futures.ThreadPoolExecutor(max_workers=40) as threads:
        calls = [threads.submit(load.read, seed) for seed in range(32)]
        calls += [threads.submit(load.write, number) for number in range(8)]
        for call in calls:
            call.result()
    print(f"\nload: peak {peak_bytes(server) // MIB} MiB of {LIMIT // MIB}; calls: {dict(load.ends)}")
    assert peak_bytes(server) < BOUND
    assert load.ends["read", "OK"] > 0 and load.ends["write", "OK"] > 0
