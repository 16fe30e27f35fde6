"""Many clients at once: one whole version at a time, and everything is given back."""

import concurrent.futures
import json
import threading

import grpc
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_steps import act, command, get, info, listed, numbers, path, put, version
from hangar_fixtures import DEADLINE_SECONDS, eventually
from raw_flight import RawFlight, assert_refused, ticket_message

BIG = 3_000_000


def at_once(*functions):
    """Runs all in threads that start together; gives their results, exceptions as values."""
    barrier = threading.Barrier(len(functions))

    def run(function):
        barrier.wait(timeout=DEADLINE_SECONDS)
        try:
            return function()
        except Exception as error:  # what each call ended with is what is looked at
            return error

    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(run, function) for function in functions]
        return [future.result(timeout=DEADLINE_SECONDS) for future in futures]


def test_of_two_uploads_of_one_name_at_once_one_whole_table_wins(server):
    clients = [server.client(), server.client()]
    tables = [numbers(30_000), numbers(20_000, start=10**9)]
    for _ in range(20):
        results = at_once(*(lambda c=c, t=t: put(c, "t.parquet", t, chunk_rows=1000)
                            for c, t in zip(clients, tables)))
        assert not [r for r in results if isinstance(r, Exception)]
        got = get(clients[0], "t.parquet")
        assert got == tables[0] or got == tables[1]
        winner = version(clients[0], "t.parquet")
        assert winner in [result["version"] for result in results]
        assert got == tables[[result["version"] for result in results].index(winner)]
    assert server.staged() == []


def test_of_many_that_create_one_name_exactly_one_wins(server):
    clients = [server.client() for _ in range(8)]
    for number in range(10):
        name = f"{number}.parquet"
        results = at_once(*(lambda c=c, i=i: put(c, command(name, mode="create"), numbers(i + 1))
                            for i, c in enumerate(clients)))
        won = [i for i, result in enumerate(results) if isinstance(result, dict)]
        assert len(won) == 1, results
        assert all("exists" in str(r) for i, r in enumerate(results) if i != won[0])
        assert get(clients[0], name) == numbers(won[0] + 1)
    assert server.staged() == []


def test_of_many_that_replace_one_version_exactly_one_wins(server):
    clients = [server.client() for _ in range(8)]
    current = put(clients[0], "t.parquet", numbers(1))["version"]
    for round in range(10):
        results = at_once(*(
            lambda c=c, i=i: put(c, command("t.parquet", if_version=current),
                                 numbers(i + 2, start=round))
            for i, c in enumerate(clients)))
        won = [i for i, result in enumerate(results) if isinstance(result, dict)]
        assert len(won) == 1, results
        assert get(clients[0], "t.parquet") == numbers(won[0] + 2, start=round)
        current = results[won[0]]["version"]
        assert version(clients[0], "t.parquet") == current
    assert server.staged() == []


def test_of_many_that_rename_to_one_name_exactly_one_wins(server):
    clients = [server.client() for _ in range(6)]
    for _ in range(5):
        for i, client in enumerate(clients):
            put(client, f"from-{i}.parquet", numbers(i + 1))
        results = at_once(*(
            lambda c=c, i=i: act(c, "rename_dataset", {"from": f"from-{i}.parquet", "to": "to"})
            for i, c in enumerate(clients)))
        won = [i for i, result in enumerate(results) if isinstance(result, list)]
        assert len(won) == 1, results
        assert get(clients[0], "to") == numbers(won[0] + 1)
        assert listed(clients[0]) == sorted(
            [f"from-{i}.parquet" for i in range(len(clients)) if i != won[0]] + ["to"])
        act(clients[0], "drop_dataset", "to")


def test_of_many_that_drop_one_name_exactly_one_succeeds(server):
    clients = [server.client() for _ in range(6)]
    for _ in range(10):
        put(clients[0], "t.parquet", numbers(1))
        results = at_once(*(lambda c=c: act(c, "drop_dataset", "t.parquet") for c in clients))
        assert len([result for result in results if isinstance(result, list)]) == 1
        assert all(isinstance(r, (list, KeyError)) for r in results), results


def test_readers_see_one_whole_version_while_a_writer_goes_on(server):
    writer, readers = server.client(), [server.client() for _ in range(3)]
    tables = {number: pa.table({"v": pa.array([number] * 50_000, pa.int64())})
              for number in range(40)}
    put(writer, "t.parquet", tables[0])
    done = threading.Event()

    def write():
        try:
            for number in range(1, 40):
                put(writer, "t.parquet", tables[number], chunk_rows=5000)
        finally:
            done.set()

    def read(client):
        seen = []
        while not done.is_set() or not seen:
            table = client.do_get(flight.Ticket(b"t.parquet")).read_all()
            assert table.num_rows == 50_000
            values = set(table["v"].to_pylist())
            assert len(values) == 1
            seen.append(values.pop())
        return seen

    results = at_once(write, *(lambda c=c: read(c) for c in readers))
    assert not [result for result in results if isinstance(result, Exception)], results
    for seen in results[1:]:
        assert seen == sorted(seen)


def _replace(client):
    put(client, "big.parquet", numbers(7))


def _drop(client):
    act(client, "drop_dataset", "big.parquet")


def _rename(client):
    act(client, "rename_dataset", {"from": "big.parquet", "to": "moved.parquet"})


def _rename_over(client):
    put(client, "other.parquet", numbers(8))
    act(client, "rename_dataset", {"from": "other.parquet", "to": "big.parquet",
                                   "overwrite": True})


@pytest.mark.parametrize("change", [_replace, _drop, _rename, _rename_over],
                         ids=["replaced", "dropped", "renamed", "renamed over"])
def test_a_reader_in_mid_stream_finishes_its_own_version(server, change):
    client, other = server.client(), server.client()
    put(client, command("big.parquet", row_group_rows=100_000), numbers(BIG))
    reader = client.do_get(flight.Ticket(b"big.parquet"))
    chunks = [reader.read_chunk().data]
    change(other)
    chunks += [chunk.data for chunk in reader]
    assert pa.Table.from_batches(chunks) == numbers(BIG)


@pytest.mark.parametrize("change", [_replace, _drop, _rename, _rename_over],
                         ids=["replaced", "dropped", "renamed", "renamed over"])
def test_a_ticket_reads_its_version_whatever_happens_to_the_dataset(server, change):
    client = server.client()
    put(client, "big.parquet", numbers(1000))
    endpoints = info(client, command("big.parquet", partitions=2)).endpoints
    change(client)
    read = pa.concat_tables(client.do_get(endpoint.ticket).read_all() for endpoint in endpoints)
    assert read == numbers(1000)


def test_a_ticket_of_a_version_that_is_gone_says_to_ask_again(server):
    client = server.client()
    put(client, "big.parquet", numbers(1000))
    ticket = info(client, command("big.parquet")).endpoints[0].ticket.ticket
    _replace(client)
    act(client, "purge_versions", {"dataset": "big.parquet"})
    with RawFlight(server) as raw:
        assert_refused(server, grpc.StatusCode.NOT_FOUND, "ask for it again",
                       raw.stream, "DoGet", ticket_message(ticket))


def test_partitions_of_one_flight_info_are_one_version(server):
    client = server.client()
    put(client, command("big.parquet", row_group_rows=100), numbers(1000))
    endpoints = info(client, command("big.parquet", partitions=5)).endpoints
    assert client.do_get(endpoints[0].ticket).read_all() == numbers(200)
    put(client, command("big.parquet", row_group_rows=100), numbers(1000, start=5000))
    for number, endpoint in enumerate(endpoints):
        assert client.do_get(endpoint.ticket).read_all() == numbers(200, start=200 * number)


def test_partitions_can_be_read_at_the_same_time(server):
    clients = [server.client() for _ in range(6)]
    put(clients[0], command("big.parquet", row_group_rows=50_000), numbers(BIG))
    endpoints = info(clients[0], command("big.parquet", partitions=6)).endpoints
    assert len(endpoints) == 6
    parts = at_once(*(lambda c=c, e=e: c.do_get(e.ticket).read_all()
                      for c, e in zip(clients, endpoints)))
    assert pa.concat_tables(parts) == numbers(BIG)


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_reads_that_are_cancelled_in_the_middle_give_everything_back(server, compression):
    client = server.client()
    put(client, command("big.parquet", row_group_rows=200_000), numbers(BIG))
    ticket = info(client, command("big.parquet", compression=compression)).endpoints[0].ticket

    def cancel_some(count):
        for number in range(count):
            reader = client.do_get(ticket)
            for _ in range(number % 4):
                reader.read_chunk()
            reader.cancel()

    cancel_some(5)  # pools of threads and connections have their usual size from here on
    client.do_get(ticket).read_all()
    eventually(lambda: server.thread_count() < 100, "threads end")
    threads, descriptors = server.thread_count(), server.descriptor_count()
    cancel_some(60)
    eventually(lambda: server.thread_count() <= threads + 4,
               f"the server has {threads} threads again")
    eventually(lambda: server.descriptor_count() <= descriptors,
               f"the server has {descriptors} files open again")
    assert client.do_get(ticket).read_all() == numbers(BIG)


def test_clients_that_leave_without_a_word_give_everything_back(server):
    keeper = server.client()
    put(keeper, command("big.parquet", row_group_rows=200_000), numbers(BIG))
    keeper.do_get(flight.Ticket(b"big.parquet")).read_all()

    def leave_some(count):
        for _ in range(count):
            with flight.connect(server.uri) as client:
                eventually(lambda: _connected(client), "the client gets a connection")
                reader = client.do_get(flight.Ticket(b"big.parquet"))
                reader.read_chunk()
                del reader

    leave_some(3)
    descriptors = server.descriptor_count()
    leave_some(20)
    eventually(lambda: server.descriptor_count() <= descriptors,
               f"the server has {descriptors} files open again")
    assert get(keeper, "big.parquet") == numbers(BIG)


def _connected(client):
    try:
        return list(client.list_actions())
    except flight.FlightUnavailableError:
        return False


def test_readers_that_do_not_read_hold_up_nobody_else(server):
    client = server.client()
    put(client, "big.parquet", numbers(BIG))
    stalled = []
    for _ in range(10):
        reader = server.client().do_get(flight.Ticket(b"big.parquet"))
        reader.read_chunk()
        stalled.append(reader)
    put(client, "small.parquet", numbers(10))
    assert get(client, "small.parquet") == numbers(10)
    assert get(client, "big.parquet") == numbers(BIG)
    assert listed(client) == ["big.parquet", "small.parquet"]
    for reader in stalled:
        rows = sum(chunk.data.num_rows for chunk in reader)
        assert 0 < rows < BIG


def test_all_kinds_of_calls_at_once_from_many_clients(server):
    clients = [server.client() for _ in range(8)]
    tables = [numbers(1000 * (i + 1), start=10_000 * i) for i in range(8)]

    def work(client, i):
        mine = f"mine/{i}.parquet"
        for round_number in range(10):
            put(client, mine, tables[i], chunk_rows=300)
            assert get(client, mine) == tables[i]
            put(client, "shared.parquet", tables[i])
            shared = client.do_get(flight.Ticket(b"shared.parquet")).read_all()
            assert shared in tables
            assert mine in listed(client, {"prefix": "mine/"})
            act(client, "rename_dataset", {"from": mine, "to": mine + ".moved"})
            assert get(client, mine + ".moved") == tables[i]
            act(client, "drop_dataset", mine + ".moved")
        return True

    results = at_once(*(lambda c=c, i=i: work(c, i) for i, c in enumerate(clients)))
    assert results == [True] * 8
    assert listed(clients[0]) == ["shared.parquet"]


def test_an_upload_that_is_begun_before_another_and_ends_after_it_wins(server):
    slow, fast = server.client(), server.client()
    writer, replies = slow.do_put(path("t.parquet"), numbers(1).schema)
    writer.write_table(numbers(50))
    server.await_upload()
    put(fast, "t.parquet", numbers(5))
    assert get(fast, "t.parquet") == numbers(5)
    writer.write_table(numbers(50, start=50))
    writer.done_writing()
    assert json.loads(replies.read().to_pybytes())["rows"] == 100
    writer.close()
    assert get(fast, "t.parquet") == numbers(100)
