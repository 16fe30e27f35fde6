"""Parquet files go in and come out byte for byte, without being decoded on the way."""

import hashlib
import json
import os

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import eventually

TABLE = pa.table({"id": pa.array(range(10_000), pa.int64()),
                  "text": [f"row {i}" for i in range(10_000)]})


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def odd(hangar):
    """A file such as no other writer would make of the same rows."""
    path = hangar.folder / "odd.parquet"
    pq.write_table(TABLE, path, row_group_size=777, compression="gzip", use_dictionary=False,
                   write_page_index=True, data_page_version="2.0")
    return path


def test_a_parquet_file_is_stored_and_comes_back_byte_for_byte(hangar, server, odd):
    (stored,) = hangar.json("put", "a/odd.parquet", odd)
    assert (stored["rows"], stored["bytes"]) == (len(TABLE), odd.stat().st_size)
    assert digest(server.data / "a/odd.parquet") == digest(odd)
    (written,) = hangar.json("get", "a/odd.parquet", "-o", "back.parquet")
    assert (written["rows"], written["version"]) == (len(TABLE), stored["version"])
    assert digest(hangar.folder / "back.parquet") == digest(odd)


def test_it_comes_out_on_standard_output_and_in_parallel(hangar, odd):
    hangar("put", "t", odd)
    assert hangar("get", "t", "-o", "-", "--format", "parquet", text=False).stdout \
        == odd.read_bytes()
    hangar("get", "t", "-o", "parts.parquet", "--partitions", "3")
    assert digest(hangar.folder / "parts.parquet") == digest(odd)


def test_a_large_file_keeps_its_order(hangar, server):
    table = pa.table({"bytes": [os.urandom(64) for _ in range(400_000)]})
    path = hangar.folder / "large.parquet"
    pq.write_table(table, path, compression="none", use_dictionary=False)
    hangar("put", "large.parquet", path)
    for partitions in (1, 7):
        hangar("get", "large.parquet", "-o", "back.parquet", "--partitions", partitions)
        assert digest(hangar.folder / "back.parquet") == digest(path)


def test_an_earlier_version_comes_back_too(hangar, odd):
    (first,) = hangar.json("put", "t.parquet", odd)
    before = digest(odd)
    pq.write_table(TABLE.slice(0, 5), odd)
    hangar("put", "t.parquet", odd)
    hangar("get", f"t.parquet@{first['version']}", "-o", "first.parquet")
    assert digest(hangar.folder / "first.parquet") == before


def test_what_asks_for_an_encoding_is_encoded(hangar, server, odd):
    hangar("put", "t", odd, "--codec", "zstd", "--row-group-rows", "5000")
    metadata = pq.read_metadata(server.data / "t")
    assert metadata.num_row_groups == 2
    assert metadata.row_group(0).column(0).compression == "ZSTD"


def test_conditions_hold_for_whole_files(hangar, server, odd):
    (stored,) = hangar.json("put", "t", odd, "--mode", "create")
    assert "'t'" in hangar.fails("put", "t", odd, "--mode", "create")
    assert "version" in hangar.fails("put", "t", odd, "--if-version", "0" * 32)
    pq.write_table(TABLE.slice(1), odd)
    hangar("put", "t", odd, "--if-version", stored["version"])
    assert pq.read_table(server.data / "t").equals(TABLE.slice(1))


def test_an_upload_that_is_sent_again_stores_nothing_twice(hangar, odd):
    (first,) = hangar.json("put", "t", odd, "--upload-id", "one")
    (second,) = hangar.json("put", "t", odd, "--upload-id", "one")
    assert second == {**first, "repeated": True}
    assert len(hangar.lines("versions", "t", "--output", "json")) == 1


def test_a_file_with_a_damaged_footer_is_refused(hangar, server, odd):
    damaged = bytearray(odd.read_bytes())
    footer = len(damaged) - 8 - int.from_bytes(damaged[-8:-4], "little")
    damaged[footer:footer + 64] = bytes(64)
    odd.write_bytes(damaged)
    hangar.fails("put", "t", odd)
    assert hangar.lines("ls", "-q") == []
    eventually(lambda: not server.staged(), "the upload is given up")


class RowsOnlyServer(flight.FlightServerBase):
    """Speaks the protocol as it was before files could be had as they are."""

    def __init__(self):
        super().__init__("grpc://127.0.0.1:0")
        self.stored = None
        self.refused = 0

    def _check(self, descriptor):
        if descriptor.command and "format" in json.loads(descriptor.command):
            self.refused += 1
            raise pa.ArrowInvalid("the command has the unknown key 'format'")

    def do_put(self, context, descriptor, reader, writer):
        self._check(descriptor)
        self.stored = reader.read_all()
        writer.write(json.dumps({"dataset": "t", "version": "v", "rows": len(self.stored),
                                 "bytes": 1}).encode())

    def get_flight_info(self, context, descriptor):
        self._check(descriptor)
        endpoint = flight.FlightEndpoint(b"t", [])
        return flight.FlightInfo(self.stored.schema, descriptor, [endpoint], len(self.stored), 1)

    def do_get(self, context, ticket):
        return flight.RecordBatchStream(self.stored)


def test_rows_are_sent_to_a_server_that_takes_no_files(hangar, odd):
    with RowsOnlyServer() as old:
        uri = f"grpc://127.0.0.1:{old.port}"
        hangar("put", "t", odd, "--server", uri)
        assert old.stored.equals(TABLE)
        hangar("get", "t", "-o", "back.parquet", "--server", uri)
        assert pq.read_table(hangar.folder / "back.parquet").equals(TABLE)
        assert old.refused == 2
