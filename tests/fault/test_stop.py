"""A server that is asked to stop with fifty streams under way: each ends whole or with an error."""

import concurrent.futures
import os
import random
import signal
import threading

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from dataset_model import Content, Violation, observe, same_bits
from flight_steps import command, finish, put
from hangar_fixtures import DEADLINE_SECONDS, eventually

LONG = os.environ.get("HANGAR_FAULT") == "long"
ROUNDS = 10 if LONG else 1

DOWNLOADS, UPLOADS = 30, 20
# A connection for each client, as if each were a program of its own.
OWN_CONNECTION = {"generic_options": [("grpc.use_local_subchannel_pool", 1)]}
# More than what server, network and client hold of a stream that nobody reads on.
BIG = Content(seed=1, rows=2_000_000, row_group_rows=100_000)
CHUNK_ROWS = 20_000


class _Streams:
    """Streams that have begun and stand still until `go_on`; those that are `held` stand still
    until `let_go`."""

    def __init__(self, count, held):
        self.under_way = threading.Barrier(count + 1)
        self._go_on, self._let_go = threading.Event(), threading.Event()
        self._held = held

    def pause(self, number):
        """Called by stream `number` in its middle."""
        self.under_way.wait(timeout=DEADLINE_SECONDS)
        event = self._let_go if number in self._held else self._go_on
        assert event.wait(timeout=DEADLINE_SECONDS)

    def go_on(self):
        self._go_on.set()

    def let_go(self):
        self._let_go.set()


def _download(client, streams, number):
    """True when it ended whole, False when it ended with an error."""
    expected = BIG.table()
    reader = client.do_get(flight.Ticket(b"big.parquet"))
    rows = 0

    def check(chunk):
        nonlocal rows
        got = pa.Table.from_batches([chunk.data])
        if not same_bits(got, expected.slice(rows, got.num_rows)):
            raise Violation(f"download {number} gave wrong rows from row {rows} on")
        rows += got.num_rows

    check(reader.read_chunk())
    streams.pause(number)
    try:
        while True:
            check(reader.read_chunk())
    except StopIteration:
        if rows != BIG.rows:
            raise Violation(f"download {number} ended after {rows} rows as if whole") from None
        return True
    except pa.ArrowException:
        return False


def _upload(client, streams, number, name, content):
    """True when it was acknowledged, False when it ended with an error."""
    table = content.table()
    writer, replies = client.do_put(command(name), table.schema)
    half = table.num_rows // 2
    writer.write_table(table.slice(0, half), max_chunksize=CHUNK_ROWS)
    streams.pause(number)
    try:
        writer.write_table(table.slice(half), max_chunksize=CHUNK_ROWS)
        return finish(writer, replies)["rows"] == content.rows
    except pa.ArrowException:
        return False


@pytest.mark.parametrize("grace, held", [("60s", 0), ("1s", 15), ("0s", 5)],
                         ids=["a long grace", "a grace that some outlast", "no grace"])
@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_fifty_streams_end_whole_or_with_an_error_when_the_server_is_told_to_stop(
        start_server, seed, tally, grace, held, round_number):
    random_source = random.Random(seed)
    server = start_server(flags=["--grace", grace])
    put(server.client(), command("big.parquet", row_group_rows=BIG.row_group_rows), BIG.table())
    contents = {f"{number}.parquet": Content(random_source.getrandbits(60), 200_000, 30_000)
                for number in range(UPLOADS)}
    count = DOWNLOADS + UPLOADS
    streams = _Streams(count, held=set(random_source.sample(range(count), held)))
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        downloads = [pool.submit(_download, server.client(**OWN_CONNECTION), streams, number)
                     for number in range(DOWNLOADS)]
        uploads = {name: pool.submit(_upload, server.client(**OWN_CONNECTION), streams,
                                     DOWNLOADS + number, name, content)
                   for number, (name, content) in enumerate(contents.items())}
        streams.under_way.wait(timeout=DEADLINE_SECONDS)
        eventually(lambda: len(server.staged()) == UPLOADS, "all uploads have begun")
        server.process.send_signal(signal.SIGTERM)
        streams.go_on()
        # Those that are held are no reason to stay beyond the grace.
        assert server.wait() == 0
        streams.let_go()
        whole_downloads = sum(future.result() for future in downloads)
        acknowledged = {name for name, future in uploads.items() if future.result()}
    server.close_clients()
    assert list((server.data / "_hangar" / "staging").iterdir()) == []
    tally["streams"] += count
    tally["downloads that ended whole"] += whole_downloads
    tally["uploads that were acknowledged"] += len(acknowledged)
    if held == 0:
        assert (whole_downloads, len(acknowledged)) == (DOWNLOADS, UPLOADS)

    seen = observe(start_server(data=server.data).client(), contents)
    assert seen.pop("big.parquet")[1] == BIG
    for name, (_, content) in seen.items():
        assert content == contents[name]
    assert acknowledged <= set(seen)
