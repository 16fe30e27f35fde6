"""The two flows of the public recipe of a Parquet storage service, step by step."""

import io

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from flight_steps import listed, path, put


@pytest.fixture
def characters():
    return pa.table({"Character": ["Mario", "Luigi", "Peach"]})


def test_a_whole_table_goes_in_and_comes_back(server, characters):
    client = server.client()
    descriptor = flight.FlightDescriptor.for_path("uploaded.parquet")
    writer, _ = client.do_put(descriptor, characters.schema)
    writer.write_table(characters)
    writer.close()

    info = client.get_flight_info(descriptor)
    assert info.descriptor.path == [b"uploaded.parquet"]
    assert info.total_records == 3
    assert info.total_bytes == len(server.stored("uploaded.parquet"))
    assert info.schema == pa.schema([("Character", pa.string())])
    assert info.ordered
    assert len(info.endpoints) == 1
    assert [location.uri for location in info.endpoints[0].locations] == [
        b"arrow-flight-reuse-connection://?"]

    reader = client.do_get(info.endpoints[0].ticket)
    assert reader.read_all().to_pydict() == {"Character": ["Mario", "Luigi", "Peach"]}

    assert [item.descriptor.path for item in client.list_flights()] == [[b"uploaded.parquet"]]
    for item in client.list_flights():
        assert item.total_records == 3
        assert item.schema == characters.schema


@pytest.mark.parametrize("consumed", [True, False], ids=["consumed", "not consumed"])
def test_the_drop_action_drops_whether_its_results_are_read_or_not(server, characters, consumed):
    client = server.client()
    put(client, "uploaded.parquet", characters)
    results = client.do_action(("drop_dataset", b"uploaded.parquet"))
    if consumed:
        list(results)
    assert listed(client) == []
    assert server.stored("uploaded.parquet") is None
    with pytest.raises(KeyError, match="uploaded.parquet"):
        client.get_flight_info(path("uploaded.parquet"))


def test_the_actions_are_listed_each_with_a_description(server):
    actions = {action.type: action.description for action in server.client().list_actions()}
    assert set(actions) >= {"drop_dataset", "rename_dataset"}
    assert all(len(description) > 10 for description in actions.values())


def test_a_stream_of_1024_batches_goes_in_batch_by_batch_and_comes_back_in_order(server):
    batches, batch_rows = 1024, 4096
    schema = pa.schema([("value", pa.int64())])
    client = server.client()
    writer, _ = client.do_put(path("streamed.parquet"), schema)
    with writer:
        for number in range(batches):
            values = pa.array(range(number * batch_rows, (number + 1) * batch_rows), pa.int64())
            writer.write_batch(pa.record_batch([values], schema=schema))

    info = client.get_flight_info(path("streamed.parquet"))
    assert info.total_records == 4_194_304
    next_value = 0
    for chunk in client.do_get(info.endpoints[0].ticket):
        rows = chunk.data.num_rows
        expected = pa.array(range(next_value, next_value + rows), pa.int64())
        assert chunk.data.column(0).equals(expected)
        next_value += rows
    assert next_value == 4_194_304

    stored = pq.ParquetFile(io.BytesIO(server.stored("streamed.parquet")))
    assert stored.metadata.num_rows == 4_194_304
    assert stored.num_row_groups == 4


def test_the_stream_again_under_the_same_name_replaces_the_first(server):
    client = server.client()
    put(client, "streamed.parquet", pa.table({"value": pa.array([1, 2, 3], pa.int64())}))
    put(client, "streamed.parquet", pa.table({"value": pa.array([4], pa.int64())}))
    info = client.get_flight_info(path("streamed.parquet"))
    assert info.total_records == 1
    assert client.do_get(info.endpoints[0].ticket).read_all()["value"].to_pylist() == [4]
    assert listed(client) == ["streamed.parquet"]


def test_path_parts_are_joined_with_slashes(server, characters):
    client = server.client()
    put(client, path("a", "b.parquet"), characters)
    assert server.stored("a/b.parquet")
    for descriptor in (path("a", "b.parquet"), path("a/b.parquet")):
        info = client.get_flight_info(descriptor)
        assert info.descriptor == descriptor
        assert client.do_get(info.endpoints[0].ticket).read_all() == characters
    assert listed(client) == ["a/b.parquet"]


def test_a_ticket_that_is_just_a_name_reads_the_whole_dataset(server, characters):
    client = server.client()
    put(client, "uploaded.parquet", characters)
    assert client.do_get(flight.Ticket(b"uploaded.parquet")).read_all() == characters


def test_a_rename_moves_the_dataset_in_one_step(server, characters):
    client = server.client()
    put(client, "old.parquet", characters)
    list(client.do_action(("rename_dataset", b'{"from": "old.parquet", "to": "new/n.parquet"}')))
    assert listed(client) == ["new/n.parquet"]
    assert client.do_get(flight.Ticket(b"new/n.parquet")).read_all() == characters
    assert server.stored("old.parquet") is None
