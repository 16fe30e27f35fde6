"""Hours of everything at once, in flat memory. HANGAR_SOAK_SECONDS says how long, 3600 by default;
it runs with HANGAR_FAULT=long only."""

import faulthandler
import os
import random
import threading
import time

import grpc
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from load import LONG, get, numbers, put, resident_bytes, seed
from raw_flight import RawFlight, ticket_message

DATASETS = 8
WORKERS = 4
SAMPLES = 24
BYTES_GROWN_MAX = 64 << 20


class Worker(threading.Thread):
    """Reads, lists, replaces, drops and breaks off, in random order, until it is stopped."""

    def __init__(self, server, number, stop):
        super().__init__(daemon=True)
        self._server = server
        self._random = random.Random(number)
        self._stop_asked = stop
        self._tables = [numbers(megabytes, seed=megabytes) for megabytes in (1, 4, 16)]
        self.calls = 0
        self.error = None

    def run(self):
        steps = [self._read] * 6 + [self._break_off] * 2 + [self._put, self._list, self._drop]
        client = self._server.client()
        try:
            while not self._stop_asked.is_set():
                self._random.choice(steps)(client, f"d{self._random.randrange(DATASETS)}")
                self.calls += 1
        except BaseException as error:  # noqa: BLE001: shown by the test.
            self.error = error

    def _put(self, client, name):
        put(client, name, self._random.choice(self._tables))

    def _read(self, client, name):
        try:
            read = get(client, name)
            assert any(read == table for table in self._tables)
        except pa.ArrowKeyError:
            pass  # Dropped by another.

    def _list(self, client, _):
        assert len(list(client.list_flights())) <= DATASETS

    def _drop(self, client, name):
        try:
            list(client.do_action(flight.Action("drop_dataset", name.encode())))
        except pa.ArrowKeyError:
            pass

    def _break_off(self, _, name):
        with RawFlight(self._server) as raw:
            call = raw.stream("DoGet", ticket_message(name))
            try:
                next(call)
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.NOT_FOUND
            call.cancel()


@pytest.mark.skipif(not LONG, reason="runs with HANGAR_FAULT=long")
def test_memory_stays_flat_under_a_mixed_load(start_server):
    faulthandler.cancel_dump_traceback_later()
    seconds = float(os.environ.get("HANGAR_SOAK_SECONDS", "3600"))
    # Tickets live shortly, so that what is replaced goes as fast as it comes.
    server = start_server(flags=["--cache-memory", "64MiB", "--ticket-ttl", "30s",
                                 "--keep-versions", "2", "--log-level", "warning"])
    stop = threading.Event()
    base = seed()
    workers = [Worker(server, base + number, stop) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    begin = time.monotonic()
    resident = []
    print(f"\nload: {'seconds':>8} {'RSS MiB':>8} {'threads':>8} {'descriptors':>12} {'calls':>8}")
    while time.monotonic() - begin < seconds and all(worker.error is None for worker in workers):
        time.sleep(seconds / SAMPLES)
        resident.append(resident_bytes(server))
        calls = sum(worker.calls for worker in workers)
        print(f"\nload: {time.monotonic() - begin:8.0f} {resident[-1] >> 20:8} "
              f"{server.thread_count():8} {server.descriptor_count():12} {calls:8}", flush=True)
    stop.set()
    for worker in workers:
        worker.join()
        if worker.error is not None:
            raise worker.error
    # The first quarter fills caches and the allocator's arenas.
    settled = resident[len(resident) // 4:]
    half = len(settled) // 2
    grown = max(settled[half:]) - max(settled[:half])
    assert grown < BYTES_GROWN_MAX, f"{grown} bytes more in the second half"
