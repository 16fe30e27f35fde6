"""Uploads: what ends half way was never there; what is stored is encoded as asked."""

import io
import json
import os
import queue
import random
import signal
import subprocess
import sys
import textwrap

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from flight_steps import (
    act, command, finish, get, info, listed, numbers, path, put, put_batches, version)
from hangar_fixtures import DEADLINE_SECONDS, eventually, of_folders
from raw_flight import (
    RawFlight, assert_refused, flight_data, ipc_messages, path_descriptor)

INVALID = grpc.StatusCode.INVALID_ARGUMENT
SCHEMA = pa.schema([("v", pa.int64())])


def batch(rows, start=0):
    return pa.record_batch([pa.array(range(start, start + rows), pa.int64())], schema=SCHEMA)


# ---- ends half way

_UPLOADER = textwrap.dedent("""
    import sys
    import numpy, pyarrow, pyarrow.flight
    uri, name = sys.argv[1:]
    client = pyarrow.flight.connect(uri)
    schema = pyarrow.schema([("v", pyarrow.int64())])
    writer, _ = client.do_put(pyarrow.flight.FlightDescriptor.for_path(name), schema)
    rng = numpy.random.default_rng(0)
    while True:
        writer.write_batch(pyarrow.record_batch([rng.integers(0, 2**60, 4096)], schema=schema))
        sys.stdout.write(".")
        sys.stdout.flush()
""")


def test_a_client_that_is_killed_half_way_leaves_nothing(server):
    client = server.client()
    put(client, "kept.parquet", numbers(10))
    rng = random.Random(20)
    for _ in range(20):
        uploader = subprocess.Popen([sys.executable, "-c", _UPLOADER, server.uri, "kept.parquet"],
                                    stdout=subprocess.PIPE)
        try:
            assert uploader.stdout.read(rng.choice([1, 2, 10, 50, 200, 400]))
            assert get(client, "kept.parquet") == numbers(10)
        finally:
            uploader.send_signal(signal.SIGKILL)
            uploader.wait(timeout=DEADLINE_SECONDS)
            uploader.stdout.close()
    eventually(lambda: not server.staged(), "staging is empty after the clients died")
    assert get(client, "kept.parquet") == numbers(10)
    assert listed(client) == ["kept.parquet"]


def test_a_client_that_is_killed_before_its_first_batch_leaves_nothing(server):
    script = _UPLOADER.replace("while True:", "print('.', flush=True); sys.stdin.read()\nwhile 0:")
    uploader = subprocess.Popen([sys.executable, "-c", script, server.uri, "new.parquet"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with uploader:
        assert uploader.stdout.read(1)
        uploader.kill()
    eventually(lambda: not server.staged(), "staging is empty after the client died")
    assert listed(server.client()) == []


def test_a_call_that_is_cancelled_leaves_nothing(server):
    with RawFlight(server) as raw:
        for count in (1, 2, 30):
            messages = ipc_messages([batch(50_000)] * count)
            requests = queue.Queue()
            for number, message in enumerate(messages):
                requests.put(flight_data(*message, path_descriptor("c.parquet")
                                         if number == 0 else None))
            call = raw.exchange("DoPut", iter(requests.get, None))
            server.await_upload()
            call.cancel()
            requests.put(None)
            eventually(lambda: not server.staged(), "staging is empty after the call was cancelled")
    assert listed(server.client()) == []


def test_a_schema_of_another_kind_in_mid_stream_leaves_nothing(server):
    # One of the ways in which a stream breaks that the client does not notice.
    with RawFlight(server) as raw:
        first = ipc_messages([batch(100)])
        second = ipc_messages(pa.table({"other": ["x", "y"]}).to_batches())
        assert_refused(server, INVALID, "schema", raw.put, path_descriptor("s.parquet"),
                       first + second)
    assert listed(server.client()) == []
    assert server.staged() == []


def test_a_second_schema_in_one_stream_is_refused_even_when_it_is_the_same(server):
    with RawFlight(server) as raw:
        messages = ipc_messages([batch(100)])
        assert_refused(server, INVALID, "schema", raw.put, path_descriptor("s.parquet"),
                       messages + messages)
    assert listed(server.client()) == []


def test_a_batch_that_does_not_fill_the_streams_schema_is_refused(server):
    with RawFlight(server) as raw:
        schema = ipc_messages(pa.table({"a": [1], "b": [2]}).to_batches())[0]
        for other in ({"a": [1]}, {"a": ["x"] * 1000}, {}):
            message = ipc_messages([pa.record_batch(other)])[1]
            assert_refused(server, INVALID, "malformed", raw.put, path_descriptor("s.parquet"),
                           [schema, message])
    assert listed(server.client()) == []
    assert server.staged() == []


def test_an_upload_without_a_schema_is_refused(server):
    with RawFlight(server) as raw:
        only_descriptor = [flight_data(descriptor=path_descriptor("n.parquet"))]
        assert_refused(server, INVALID, "no schema", raw.exchange, "DoPut", only_descriptor)
        header, body = ipc_messages([batch(10)])[1]
        batch_first = [flight_data(header, body, path_descriptor("n.parquet"))]
        assert_refused(server, INVALID, "schema", raw.exchange, "DoPut", batch_first)
        garbage = [flight_data(b"\x01\x02\x03\x04", b"", path_descriptor("n.parquet"))]
        assert_refused(server, INVALID, "schema", raw.exchange, "DoPut", garbage)
    assert listed(server.client()) == []
    assert server.staged() == []


def test_a_schema_without_batches_is_a_dataset_without_rows(server):
    client = server.client()
    reply = put_batches(client, "empty.parquet", SCHEMA.with_metadata({"a": "b"}), [])
    assert reply["rows"] == 0
    found = info(client, "empty.parquet")
    assert found.total_records == 0
    assert len(found.endpoints) == 1
    got = get(client, "empty.parquet")
    assert got.schema.equals(SCHEMA.with_metadata({"a": "b"}), check_metadata=True)
    assert got.num_rows == 0
    assert stored(server, "empty.parquet").read().num_rows == 0


def test_batches_without_rows_among_others_change_nothing(server):
    client = server.client()
    batches = [batch(0), batch(5), batch(0), batch(5, 5), batch(0)]
    assert put_batches(client, "t.parquet", SCHEMA, batches)["rows"] == 10
    assert get(client, "t.parquet") == numbers(10)


def _lying_batches():
    """Messages that look right and whose bytes do not hold together."""
    strings = pa.array(["abc", "def", "ghi"])
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), ["a", "b"])
    lists = pa.array([[1, 2], [3], []], pa.list_(pa.int32()))

    def doctored(array, find, replace, which=-1):
        messages = ipc_messages(pa.table({"c": array}).to_batches())
        header, body = messages[which]
        assert find in body
        messages[which] = (header, body.replace(find, replace, 1))
        return messages

    def le(*values):
        return b"".join(value.to_bytes(4, "little", signed=True) for value in values)

    cases = {
        "offsets beyond the data": doctored(strings, le(0, 3, 6, 9), le(0, 3, 6, 2**30)),
        "offsets that go back": doctored(strings, le(0, 3, 6, 9), le(0, 9, 3, 9)),
        "negative offsets": doctored(strings, le(0, 3, 6, 9), le(-5, 3, 6, 9)),
        "text that is not UTF-8": doctored(strings, b"abcdef", b"\xff\xfe\xfd\xff\xfe\xfd"),
        "list offsets beyond the items": doctored(lists, le(0, 2, 3, 3), le(0, 2, 3, 1000)),
        "dictionary indices beyond the words": doctored(
            dictionary, bytes([0, 1, 0]), bytes([0, 77, 0])),
        "negative dictionary indices": doctored(dictionary, bytes([0, 1, 0]), bytes([0, 255, 0])),
    }
    header, body = ipc_messages([batch(1000)])[1]
    schema = ipc_messages([batch(1)])[0]
    cases["a body cut short"] = [schema, (header, body[:100])]
    cases["no body"] = [schema, (header, b"")]
    cases["a header cut short"] = [schema, (header[:len(header) // 2], body)]
    return cases


LYING = _lying_batches()


@pytest.mark.parametrize("case", LYING)
def test_a_batch_whose_bytes_do_not_hold_together_is_refused(server, case):
    client = server.client()
    put(client, "kept.parquet", numbers(3))
    with RawFlight(server) as raw:
        assert_refused(server, INVALID, "malformed", raw.put, path_descriptor("kept.parquet"),
                       LYING[case])
    assert get(client, "kept.parquet") == numbers(3)
    assert server.staged() == []


def test_headers_with_flipped_bits_never_harm_the_server(server):
    client = server.client()
    table = pa.table({"s": ["abc", None, "d"] * 20, "l": [[1], [], None] * 20,
                      "d": pa.array(["x", "y", None] * 20).dictionary_encode()})
    messages = ipc_messages(table.to_batches())
    rng = random.Random(77)
    with RawFlight(server) as raw:
        for _ in range(300):
            which = rng.randrange(len(messages))
            header, body = messages[which]
            header, body = bytearray(header), bytearray(body)
            target = header if rng.random() < 0.7 or not body else body
            target[rng.randrange(len(target))] ^= 1 << rng.randrange(8)
            changed = list(messages)
            changed[which] = (bytes(header), bytes(body))
            try:
                raw.put(path_descriptor("fuzz.parquet"), changed)
            except grpc.RpcError as error:
                assert error.code() in (INVALID, grpc.StatusCode.RESOURCE_EXHAUSTED), (
                    error.code(), error.details())
            else:
                get(client, "fuzz.parquet").validate(full=True)
    eventually(lambda: not server.staged(), "staging is empty")


@pytest.mark.parametrize("kind,values", [
    (pa.int64(), [1, None]), (pa.string(), [None, "a"]), (pa.list_(pa.int8()), [[1], None]),
    (pa.struct([("x", pa.int8())]), [None, {"x": 1}]), (pa.date64(), [None, None]),
], ids=str)
def test_nulls_in_a_field_that_is_declared_without_are_refused(server, kind, values):
    schema = pa.schema([pa.field("strict", kind, nullable=False)])
    lying = pa.RecordBatch.from_arrays([pa.array(values, kind)], schema=schema)
    with RawFlight(server) as raw:
        assert_refused(server, INVALID, "'strict'", raw.put, path_descriptor("n.parquet"),
                       ipc_messages([lying]))
    assert listed(server.client()) == []


def test_nulls_inside_of_a_nested_field_that_is_declared_without_are_refused(server):
    schema = pa.schema([("outer", pa.struct([pa.field("strict", pa.int8(), nullable=False)]))])
    inner = pa.StructArray.from_arrays([pa.array([1, None], pa.int8())],
                                       fields=[pa.field("strict", pa.int8(), nullable=False)])
    lying = pa.RecordBatch.from_arrays([inner], schema=schema)
    with RawFlight(server) as raw:
        assert_refused(server, INVALID, "outer", raw.put, path_descriptor("n.parquet"),
                       ipc_messages([lying]))
    assert listed(server.client()) == []


def test_what_a_failed_upload_would_have_replaced_stays(server):
    client = server.client()
    put(client, "t.parquet", numbers(7))
    before = version(client, "t.parquet")
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    with pytest.raises(pa.ArrowInvalid):
        put(client, "t.parquet", pa.table({"u": union}))
    assert version(client, "t.parquet") == before
    assert get(client, "t.parquet") == numbers(7)


# ---- what the reply says, and when

def test_an_upload_that_ends_short_of_its_announced_rows_stores_nothing(server):
    client = server.client()
    put(client, "t.parquet", numbers(5))
    half = command("t.parquet", rows=20)
    with pytest.raises(pa.ArrowInvalid, match="was to have 20 rows and ended after 10"):
        put(client, half, numbers(10))
    # What an exception does to a writer, and what the end of the program would do.
    writer, _ = client.do_put(half, numbers(10).schema)
    writer.write_table(numbers(10))
    with pytest.raises(pa.ArrowInvalid):
        writer.close()
    assert get(client, "t.parquet") == numbers(5)
    assert put(client, half, numbers(20))["rows"] == 20


def test_an_upload_that_its_client_aborts_stores_nothing(server):
    client = server.client()
    put(client, "t.parquet", numbers(5))
    writer, _ = client.do_put(path("t.parquet"), numbers(10).schema)
    writer.write_table(numbers(10))
    writer.write_metadata(b'{"abort": true}')
    with pytest.raises(flight.FlightCancelledError, match="aborted"):
        writer.close()
    assert get(client, "t.parquet") == numbers(5)


def test_the_reply_says_what_was_stored(server):
    client = server.client()
    reply = put(client, "t.parquet", numbers(1234))
    found = info(client, "t.parquet")
    assert reply == {"dataset": "t.parquet", "rows": 1234, "bytes": found.total_bytes,
                     "version": json.loads(found.app_metadata)["version"]}


def test_a_dataset_is_visible_when_close_returns_and_not_before(server):
    client, other = server.client(), server.client()
    writer, replies = client.do_put(path("t.parquet"), SCHEMA)
    writer.write_batch(batch(100_000))
    server.await_upload()
    assert listed(other) == []
    with pytest.raises(KeyError):
        info(other, "t.parquet")
    writer.close()
    assert listed(other) == ["t.parquet"]
    assert server.staged() == []


def test_metadata_that_a_client_sends_along_is_no_trouble(server):
    client = server.client()
    writer, replies = client.do_put(path("t.parquet"), SCHEMA)
    writer.write_metadata(b"only metadata")
    writer.write_with_metadata(batch(10), b"with a batch")
    writer.write_metadata(b"more")
    assert finish(writer, replies)["rows"] == 10
    assert get(client, "t.parquet") == numbers(10)


def test_versions_differ_between_uploads_and_stay_between_reads(server):
    client = server.client()
    seen = set()
    for start in range(20):
        reply = put(client, "t.parquet", numbers(1, start=start))
        assert version(client, "t.parquet") == version(client, "t.parquet") == reply["version"]
        seen.add(reply["version"])
    assert len(seen) == 20


def test_if_version_lets_only_the_version_that_was_read_be_replaced(server):
    client = server.client()
    first = put(client, "t.parquet", numbers(1))["version"]
    second = put(client, command("t.parquet", if_version=first), numbers(2))["version"]
    with pytest.raises(pa.ArrowInvalid, match="t.parquet"):
        put(client, command("t.parquet", if_version=first), numbers(3))
    assert get(client, "t.parquet") == numbers(2)
    assert version(client, "t.parquet") == second
    act(client, "drop_dataset", "t.parquet")
    with pytest.raises(pa.ArrowInvalid):
        put(client, command("t.parquet", if_version=second), numbers(4))
    assert listed(client) == []


def test_mode_create_stores_only_where_nothing_is(server):
    client = server.client()
    put(client, command("t.parquet", mode="create"), numbers(1))
    with pytest.raises(pa.ArrowInvalid, match="exists"):
        put(client, command("t.parquet", mode="create"), numbers(2))
    put(client, command("t.parquet", mode="overwrite"), numbers(3))
    act(client, "drop_dataset", "t.parquet")
    put(client, command("t.parquet", mode="create"), numbers(4))
    assert get(client, "t.parquet") == numbers(4)


# ---- how it is stored

def stored(server, name="t.parquet"):
    return pq.ParquetFile(io.BytesIO(server.stored(name)), page_checksum_verification=True)


def test_every_file_has_checksums_a_page_index_and_the_arrow_schema(server):
    table = pa.table({"n": range(100_000), "s": [f"text {i % 977}" for i in range(100_000)]})
    put(server.client(), "t.parquet", table)
    file = stored(server)
    assert file.read().equals(table)
    group = file.metadata.row_group(0)
    for number in range(2):
        column = group.column(number)
        assert column.has_offset_index and column.has_column_index
        assert column.is_stats_set
    assert b"ARROW:schema" in file.metadata.metadata
    assert file.metadata.format_version.startswith("2")


def test_a_flipped_bit_in_a_stored_page_is_found_by_its_checksum(server):
    # Random bytes do not compress, so that nothing but the checksum can notice.
    put(server.client(), command("t.parquet", codec="none"),
        pa.table({"x": np.random.default_rng(5).integers(0, 2**60, 10_000)}))
    column = stored(server).metadata.row_group(0).column(0)
    damaged = bytearray(server.stored("t.parquet"))
    begin = column.dictionary_page_offset or column.data_page_offset
    damaged[begin + column.total_compressed_size // 2] ^= 1
    server.place("t.parquet", bytes(damaged))
    with pytest.raises(OSError, match="(?i)crc|checksum"):
        stored(server).read()
    with pytest.raises(pa.ArrowException, match="damaged"):
        get(server.client(), "t.parquet")


@pytest.mark.parametrize("codec,name", [
    ("zstd", "ZSTD"), ("snappy", "SNAPPY"), ("lz4", "LZ4"), ("gzip", "GZIP"),
    ("brotli", "BROTLI"), ("none", "UNCOMPRESSED")])
def test_the_codec_that_was_asked_for_is_used(server, codec, name):
    client = server.client()
    table = pa.table({"s": [f"text {i % 7}" for i in range(5000)]})
    put(client, command("t.parquet", codec=codec), table)
    assert stored(server).metadata.row_group(0).column(0).compression == name
    assert get(client, "t.parquet") == table


def test_a_higher_level_makes_a_smaller_file(server):
    client = server.client()
    rng = random.Random(2)
    words = [rng.randbytes(3).hex() for _ in range(300)]
    table = pa.table({"s": [" ".join(rng.choices(words, k=20)) for _ in range(5000)]})
    sizes = {level: put(client, command("t.parquet", level=level), table)["bytes"]
             for level in (1, 19)}
    assert sizes[19] < sizes[1]
    assert stored(server).metadata.row_group(0).column(0).compression == "ZSTD"


def test_encodings_are_chosen_for_each_column_and_can_be_asked_for(server):
    client = server.client()
    rows = 20_000
    rng = np.random.default_rng(1)
    table = pa.table({"id": np.arange(rows), "noise": rng.normal(size=rows),
                      "word": [f"word {i % 50}" for i in rng.integers(0, 50, rows)],
                      "nested": [{"x": i, "y": [float(i)]} for i in range(rows)]})
    put(client, "t.parquet", table)

    def encodings():
        group = stored(server).metadata.row_group(0)
        columns = (group.column(i) for i in range(group.num_columns))
        return {column.path_in_schema: column.encodings for column in columns}

    assert "DELTA_BINARY_PACKED" in encodings()["id"]
    assert set(encodings()["noise"]) == {"PLAIN", "RLE"}
    assert "RLE_DICTIONARY" in encodings()["word"]
    wanted = {"id": "plain", "noise": "byte_stream_split", "word": "delta", "nested.x": "dictionary"}
    put(client, command("t.parquet", encodings=wanted), table)
    assert set(encodings()["id"]) == {"PLAIN", "RLE"}
    assert "BYTE_STREAM_SPLIT" in encodings()["noise"]
    assert "DELTA_BYTE_ARRAY" in encodings()["word"]
    assert "RLE_DICTIONARY" in encodings()["nested.x"]
    assert get(client, "t.parquet") == table


@pytest.mark.parametrize("wrong,named", [
    ({"no": "plain"}, "'no'"), ({"s": "byte_stream_split"}, "'s'"), ({"s": "zip"}, "'zip'")])
def test_an_encoding_that_does_not_fit_is_refused_and_named(server, wrong, named):
    with pytest.raises(pa.ArrowInvalid, match=named):
        put(server.client(), command("t.parquet", encodings=wrong), pa.table({"s": ["a"]}))


def test_small_batches_are_gathered_into_row_groups_of_a_mebi_rows(server):
    rows = (1 << 20) + 1000
    values = np.arange(rows)
    batches = (pa.record_batch([values[start:start + 5000]], schema=SCHEMA)
               for start in range(0, rows, 5000))
    put_batches(server.client(), "t.parquet", SCHEMA, batches)
    metadata = stored(server).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [
        1 << 20, 1000]


def test_a_row_group_ends_at_about_128_mib_of_arrow_data(server):
    # 400 MiB in rows of 16 KiB: far from a mebi rows.
    text = pa.array(["x" * 16_384] * 1024)
    schema = pa.schema([("s", pa.string())])
    put_batches(server.client(), "t.parquet", schema,
                (pa.record_batch([text], schema=schema) for _ in range(25)))
    metadata = stored(server).metadata
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert sum(groups) == 25 * 1024
    assert len(groups) == 4
    assert all(abs(rows * 16_384 - (128 << 20)) < (8 << 20) for rows in groups[:-1])


@pytest.mark.parametrize("row_group_rows,want", [(1, [1] * 10), (3, [3, 3, 3, 1]), (10, [10]),
                                                 (2**31 - 1, [10])])
def test_row_groups_have_the_rows_that_were_asked_for(server, row_group_rows, want):
    client = server.client()
    for chunk_rows in (1, 4, 10):
        put(client, command("t.parquet", row_group_rows=row_group_rows), numbers(10), chunk_rows)
        metadata = stored(server).metadata
        groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        assert groups == want
        assert get(client, "t.parquet") == numbers(10)
        assert json.loads(info(client, "t.parquet").app_metadata)["row_groups"] == len(want)


@of_folders
def test_the_stored_file_belongs_to_no_one_else(server):
    put(server.client(), "t.parquet", numbers(1))
    mode = (server.data / "t.parquet").stat().st_mode & 0o777
    assert mode & 0o022 == 0
    assert os.listdir(server.data / "_hangar" / "staging") == []
