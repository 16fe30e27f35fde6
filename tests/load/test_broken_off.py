"""Reads that are cancelled and uploads that are broken off, by the thousand: nothing stays behind."""

import random
import threading

import grpc

from hangar_fixtures import eventually
from load import amount, get, numbers, put, resident_bytes, seed
from raw_flight import (
    RawFlight, flight_data, ipc_messages, path_descriptor, ticket_message)

THREADS = 4
# More than this is not what an allocator keeps for the next call.
BYTES_KEPT_MAX = 96 << 20


def in_threads(total, task):
    """Runs `task(number)` for that many numbers in a few threads; what one raises is raised."""
    errors = []

    def run(first):
        try:
            for number in range(first, total, THREADS):
                task(number)
        except BaseException as error:  # noqa: BLE001: passed on below.
            errors.append(error)

    threads = [threading.Thread(target=run, args=(first,)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def footprint(server):
    return server.descriptor_count(), server.thread_count(), resident_bytes(server)


def check_nothing_stays(server, before, warm, what, count):
    descriptors, threads, _ = before
    eventually(lambda: server.descriptor_count() <= descriptors + 4, "the descriptors are closed")
    eventually(lambda: server.thread_count() <= threads + 8, "the threads have ended")
    after = footprint(server)
    print(f"\nload: {count} {what}: descriptors {descriptors} -> {after[0]}, threads {threads} -> "
          f"{after[1]}, resident MiB {before[2] >> 20} -> {warm >> 20} (after a tenth) -> "
          f"{after[2] >> 20}")
    assert after[2] - warm < BYTES_KEPT_MAX


def test_cancelled_reads_leave_nothing_behind(start_server):
    server = start_server(flags=["--cache-memory", "32MiB"])
    put(server.client(), "t", numbers(64))
    assert get(server.client(), "t").num_rows
    server.close_clients()
    whole = sum(1 for _ in numbers(64).to_batches(max_chunksize=1 << 16))
    base = seed()
    count = amount(300, 10_000)

    def cancel_one(connections):
        def task(number):
            pick = random.Random(base + number)
            call = connections[number % THREADS].stream("DoGet", ticket_message("t"))
            for _ in range(pick.randrange(whole)):
                next(call)
            call.cancel()
        return task

    before = footprint(server)
    warm = cancel_on_connections(server, count // 10, cancel_one)
    cancel_on_connections(server, count - count // 10, cancel_one)
    check_nothing_stays(server, before, warm, "cancelled reads", count)
    assert get(server.client(), "t") == numbers(64)


def cancel_on_connections(server, count, make_task):
    """Runs the tasks on a connection for each thread, and gives what is resident afterwards."""
    connections = [RawFlight(server) for _ in range(THREADS)]
    in_threads(count, make_task(connections))
    for connection in connections:
        connection.__exit__()
    return resident_bytes(server)


def test_uploads_that_are_broken_off_leave_nothing_behind(server):
    put(server.client(), "t", numbers(1))
    server.close_clients()
    table = numbers(8)
    messages = ipc_messages(table.to_batches(max_chunksize=1 << 14))
    base = seed()
    count = amount(50, 1_000)

    def break_off_one(connections):
        def task(number):
            pick = random.Random(base + number)
            sent = threading.Event()
            stop = threading.Event()

            def some():
                for index in range(pick.randrange(1, len(messages))):
                    descriptor = path_descriptor("u") if index == 0 else None
                    yield flight_data(*messages[index], descriptor)
                sent.set()
                stop.wait()

            call = connections[number % THREADS].exchange("DoPut", some())
            sent.wait()
            call.cancel()
            stop.set()
            assert call.code() == grpc.StatusCode.CANCELLED
        return task

    before = footprint(server)
    warm = cancel_on_connections(server, count // 10, break_off_one)
    cancel_on_connections(server, count - count // 10, break_off_one)
    eventually(lambda: not server.staged(), "what was staged is gone")
    check_nothing_stays(server, before, warm, "uploads broken off", count)
    assert [info.descriptor.path for info in server.client().list_flights()] == [[b"t"]]
