"""Parquet files through Flight as they are: any client sends bytes and gets the same bytes."""

import io
import json

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from flight_steps import command, get, info, path, put, put_batches, put_file
from hangar_fixtures import eventually

TABLE = pa.table({"id": pa.array(range(10_000), pa.int64()),
                  "text": [f"row {number}" for number in range(10_000)]})


def parquet(table=TABLE, **options):
    written = io.BytesIO()
    pq.write_table(table, written, **options)
    return written.getvalue()


def file_of(client, name, **keys):
    """The bytes of all endpoints' streams, in order."""
    table = get(client, command(name, format="parquet", **keys))
    assert table.schema.field(0).type == pa.binary()
    return b"".join(table.column(0).to_pylist())


def the_staged_is_gone(server):
    eventually(lambda: not server.staged(), "what was staged is removed")


@pytest.mark.parametrize("options", [
    {}, {"compression": "gzip", "data_page_version": "2.0", "row_group_size": 777},
    {"compression": "none", "use_dictionary": False, "write_page_index": True},
    {"compression": "zstd", "write_page_checksum": True, "store_schema": False},
    {"column_encoding": {"id": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY"},
     "use_dictionary": False}], ids=str)
def test_the_same_bytes_come_back_and_the_rows_too(server, options):
    data = parquet(**options)
    stored = put_file(server.client(), "t.parquet", data)
    assert (stored["rows"], stored["bytes"]) == (len(TABLE), len(data))
    assert file_of(server.client(), "t.parquet") == data
    assert server.stored("t.parquet") == data
    assert get(server.client(), path("t.parquet")).equals(TABLE)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()], ids=str)
def test_blocks_may_be_cut_anywhere(server, kind):
    data = parquet(TABLE.slice(0, 100))
    put_file(server.client(), "t", data, block=1, kind=kind)
    assert file_of(server.client(), "t") == data


def test_a_batch_may_hold_several_blocks_and_empty_ones(server):
    data = parquet()
    batch = pa.record_batch({"parquet": pa.array([b"", data[:10], b"", data[10:]], pa.binary())})
    put_batches(server.client(), command("t", format="parquet"), batch.schema, [batch])
    assert file_of(server.client(), "t") == data


def test_rows_that_were_put_come_out_as_their_file(server):
    put(server.client(), "t", TABLE)
    assert file_of(server.client(), "t") == server.stored("t")


@pytest.mark.parametrize("partitions", [1, 2, 5, 64])
def test_the_file_is_cut_into_as_many_streams_as_are_asked_for(server, partitions):
    data = parquet(pa.table({"x": pa.array(range(1_000_000), pa.int64())}), compression="none",
                   use_dictionary=False)
    put_file(server.client(), "t", data, block=1 << 20)
    found = info(server.client(), command("t", format="parquet", partitions=partitions))
    assert 1 <= len(found.endpoints) <= partitions
    assert found.total_bytes == len(data)
    assert found.schema.metadata == {b"hangar:format": b"parquet"}
    assert file_of(server.client(), "t", partitions=partitions) == data


def test_a_past_version_comes_back_as_it_was(server):
    old, new = parquet(TABLE.slice(0, 5)), parquet(TABLE.slice(5))
    first = put_file(server.client(), "t", old)
    put_file(server.client(), "t", new)
    assert file_of(server.client(), "t", version=first["version"]) == old
    assert file_of(server.client(), "t") == new


def test_a_ticket_of_a_file_outlives_its_replacement(server):
    data = parquet()
    put_file(server.client(), "t", data)
    found = info(server.client(), command("t", format="parquet"))
    put(server.client(), "t", TABLE.slice(0, 1))
    table = server.client().do_get(found.endpoints[0].ticket).read_all()
    assert b"".join(table.column(0).to_pylist()) == data


def flip_in_a_page(data):
    damaged = bytearray(data)
    damaged[len(damaged) // 3] ^= 0x10
    return bytes(damaged)


@pytest.mark.parametrize("wrong", [
    b"", b"PAR1", b"no file at all" * 100, parquet()[:-1], parquet()[1:], parquet() + b"x",
    flip_in_a_page(parquet(write_page_checksum=True, compression="none")),
    b"XXXX" + parquet()[4:]],
    ids=["empty", "magic", "text", "truncated", "headless", "tailed", "flipped", "wrong magic"])
def test_what_is_no_whole_parquet_file_is_refused(server, wrong):
    put(server.client(), "t", TABLE)
    before = server.stored("t")
    with pytest.raises(pa.ArrowInvalid, match="not stored"):
        put_file(server.client(), "t", wrong)
    the_staged_is_gone(server)
    assert server.stored("t") == before


@pytest.mark.parametrize("schema", [
    pa.schema([]), pa.schema([("a", pa.string())]), pa.schema([("a", pa.int8())]),
    pa.schema([("a", pa.binary()), ("b", pa.binary())]), pa.schema([("a", pa.binary(4))])],
    ids=str)
def test_only_bytes_are_taken_for_a_file(server, schema):
    with pytest.raises(pa.ArrowInvalid, match="binary"):
        put_batches(server.client(), command("t", format="parquet"), schema,
                    [pa.record_batch([pa.array([], field.type) for field in schema], schema)])
    the_staged_is_gone(server)


def test_a_null_is_no_part_of_a_file(server):
    batch = pa.record_batch({"parquet": pa.array([parquet(), None], pa.binary())})
    with pytest.raises(pa.ArrowInvalid, match="null"):
        put_batches(server.client(), command("t", format="parquet"), batch.schema, [batch])
    the_staged_is_gone(server)


@pytest.mark.parametrize("keys", [
    {"codec": "zstd"}, {"row_group_rows": 100}, {"encodings": {"id": "plain"}},
    {"rows": 1}, {"format": "csv"}], ids=str)
def test_what_contradicts_a_file_as_it_is_is_refused(server, keys):
    with pytest.raises(pa.ArrowInvalid):
        schema = pa.schema([("parquet", pa.binary())])
        batch = pa.record_batch([pa.array([parquet()], pa.binary())], schema)
        put_batches(server.client(), flight.FlightDescriptor.for_command(
            json.dumps({"dataset": "t", "format": "parquet", **keys})), schema, [batch])
    the_staged_is_gone(server)


@pytest.mark.parametrize("keys", [{"columns": ["id"]}, {"limit": 5}, {"offset": 1},
                                  {"row_groups": [0]}], ids=str)
def test_a_part_of_the_rows_is_no_file(server, keys):
    put(server.client(), "t", TABLE)
    with pytest.raises(pa.ArrowInvalid):
        info(server.client(), command("t", format="parquet", **keys))


def test_conditions_hold_and_an_upload_may_be_sent_again(server):
    data = parquet()
    first = put_file(server.client(), "t", data, mode="create", upload_id="one")
    again = put_file(server.client(), "t", data, mode="create", upload_id="one")
    assert again == {**first, "repeated": True}
    with pytest.raises(pa.ArrowInvalid, match="'t' exists already"):
        put_file(server.client(), "t", data, mode="create")
    with pytest.raises(pa.ArrowInvalid, match="version"):
        put_file(server.client(), "t", data, if_version="0" * 32)


def test_what_breaks_off_is_not_stored(server):
    client = server.client()
    schema = pa.schema([("parquet", pa.binary())])
    writer, _ = client.do_put(command("t", format="parquet"), schema)
    writer.write_batch(pa.record_batch([pa.array([parquet()[:-10]], pa.binary())], schema))
    server.await_upload()
    server.close_clients()
    del writer, client
    the_staged_is_gone(server)
    assert server.stored("t") is None
