"""Readers that take next to nothing, beside readers that want all."""

import contextlib
import statistics
import threading
import time

from hangar_fixtures import eventually
from http2 import Http2
from load import amount, get, numbers, open_files, put, resident_bytes
from raw_flight import ticket_message


class SlowReaders:
    """Reads that were begun and take one byte a second each."""

    def __init__(self, server, count):
        self._stop = threading.Event()
        self._connections = [Http2(server, receive_buffer=4096) for _ in range(count)]
        for connection in self._connections:
            connection.call("DoGet", ticket_message("t"))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._stop.wait(1):
            for connection in self._connections:
                connection.receive(1)

    def close(self):
        self._stop.set()
        self._thread.join()
        for connection in self._connections:
            connection.close()


def seconds_of_read(client):
    begin = time.monotonic()
    assert get(client, "t").num_rows == numbers(64).num_rows
    return time.monotonic() - begin


def test_others_read_on_beside_many_readers_of_a_byte_a_second(start_server):
    count = amount(100, 500)
    server = start_server(flags=["--max-streams-per-caller", str(count + 10)])
    client = server.client()
    put(client, "t", numbers(64))
    get(client, "t")
    before = resident_bytes(server)
    alone, beside = [], []
    # In turns, as the machine itself is now faster and now slower.
    for _ in range(amount(1, 5)):
        alone += [seconds_of_read(client) for _ in range(5)]
        with contextlib.closing(SlowReaders(server, count)):
            eventually(lambda: open_files(server, "t") == count, "all reads are under way")
            beside += [seconds_of_read(client) for _ in range(5)]
            held = resident_bytes(server) - before
        eventually(lambda: open_files(server, "t") == 0, "the reads end with their readers")
    rate = statistics.median(alone) / statistics.median(beside)
    print(f"\nload: {count} slow readers: {held >> 20} MiB more, other reads at {100 * rate:.0f} % of "
          f"their rate (alone {statistics.median(alone):.3f} s)")
