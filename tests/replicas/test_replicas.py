"""Several servers of the same datasets, over one bucket and over one folder: what one of them is
told all of them know at once, and any of them gives what another promised."""

import concurrent.futures
import json

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_steps import act, command, get, info, listed, numbers, put, version


@pytest.fixture
def clients(start_replicas, shared_data):
    return [server.client() for server in start_replicas(**shared_data)]


def test_what_one_server_is_told_all_know_at_once(clients):
    a, b, c = clients
    for number, (writer, reader) in enumerate([(a, b), (b, c), (c, a)]):
        table = numbers(1000, start=number)
        put(writer, "t.parquet", table)
        assert get(reader, "t.parquet") == table
        assert len({version(client, "t.parquet") for client in clients}) == 1
    act(a, "rename_dataset", {"from": "t.parquet", "to": "u.parquet"})
    for client in clients:
        assert listed(client) == ["u.parquet"]
        with pytest.raises(KeyError):
            info(client, "t.parquet")
    act(b, "drop_dataset", "u.parquet")
    for client in clients:
        assert listed(client) == []
    act(c, "undrop_dataset", {"dataset": "u.parquet"})
    for client in clients:
        assert get(client, "u.parquet") == numbers(1000, start=2)


def test_a_condition_is_tried_against_what_the_others_wrote(clients):
    a, b, c = clients
    first = put(a, "t.parquet", numbers(10))["version"]
    with pytest.raises(pa.ArrowException, match="exists"):
        put(b, command("t.parquet", mode="create"), numbers(10))
    put(b, command("t.parquet", if_version=first), numbers(20))
    with pytest.raises(pa.ArrowException):
        put(c, command("t.parquet", if_version=first), numbers(30))
    assert get(c, "t.parquet") == numbers(20)


def test_any_server_redeems_any_ticket(clients):
    table = numbers(300_000)
    put(clients[0], "t.parquet", table, chunk_rows=1 << 16)
    for giver in clients:
        whole = info(giver, "t.parquet").endpoints[0].ticket
        part = info(giver, command("t.parquet", offset=1000, limit=5)).endpoints[0].ticket
        for taker in clients:
            assert taker.do_get(whole).read_all() == table
            assert taker.do_get(part).read_all() == table.slice(1000, 5)


def test_a_ticket_is_good_at_others_after_its_version_was_replaced(clients):
    a, b, c = clients
    put(a, "t.parquet", numbers(10))
    ticket = info(a, "t.parquet").endpoints[0].ticket
    put(b, "t.parquet", numbers(20))
    assert c.do_get(ticket).read_all() == numbers(10)


def test_of_uploads_of_one_dataset_through_all_servers_one_creates_it(clients):
    def create(number):
        try:
            put(clients[number % 3], command("t.parquet", mode="create"), numbers(1000 + number))
        except pa.ArrowException:
            return None
        return number
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        created = [number for number in pool.map(create, range(6)) if number is not None]
    assert len(created) == 1
    assert {get(client, "t.parquet").num_rows for client in clients} == {1000 + created[0]}


def test_a_server_that_starts_leaves_the_others_uploads_alone(start_replicas, start_server,
                                                              shared_data):
    servers = start_replicas(2, **shared_data)
    table = numbers(500_000)
    writer, replies = servers[0].client().do_put(
        flight.FlightDescriptor.for_path("t.parquet"), table.schema)
    writer.write_table(table.slice(0, 250_000))
    late = start_server(**shared_data)
    writer.write_table(table.slice(250_000))
    writer.done_writing()
    assert json.loads(replies.read().to_pybytes())["rows"] == 500_000
    writer.close()
    assert get(late.client(), "t.parquet") == table


def test_writers_through_all_servers_lose_no_update_of_each_other(clients):
    """A dataset that counts: each update reads it and replaces exactly the version that was read."""
    put(clients[0], "count.parquet", pa.table({"count": [0]}))
    updates_each = 8

    def count_up(client):
        for _ in range(updates_each):
            while True:
                seen = version(client, "count.parquet")
                read = info(client, command("count.parquet", version=seen)).endpoints[0].ticket
                count = client.do_get(read).read_all()["count"][0].as_py()
                try:
                    put(client, command("count.parquet", if_version=seen),
                        pa.table({"count": [count + 1]}))
                    break
                except pa.ArrowException as error:
                    assert "if_version" in str(error) or "version" in str(error), error
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(count_up, clients * 2))
    for client in clients:
        assert get(client, "count.parquet")["count"].to_pylist() == [6 * updates_each]
