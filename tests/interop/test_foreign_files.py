"""Files that other programs put among the datasets: good ones are served, bad ones harm nobody."""

import datetime
import io
import json
import os
import pathlib
import random
import shutil

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from flight_steps import act, command, get, info, listed, numbers, parquet, put, version
from hangar_fixtures import of_folders
from raw_flight import (
    RawFlight, assert_fit_for_clients, assert_refused, path_descriptor, ticket_message)

DATA_LOSS = grpc.StatusCode.DATA_LOSS
CORPUS = pathlib.Path("/usr/share/apache/arrow-testing")

TABLE = pa.table({
    "id": pa.array(range(1000), pa.int64()),
    "small": pa.array([i % 100 for i in range(1000)], pa.uint8()),
    "x": pa.array([None if i % 7 == 0 else i / 3 for i in range(1000)]),
    "word": pa.array([None if i % 11 == 0 else f"word {i % 13}" for i in range(1000)]),
    "blob": pa.array([bytes([i % 256]) * (i % 5) for i in range(1000)]),
    "when": pa.array([datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=i)
                      for i in range(1000)], pa.timestamp("us", "UTC")),
    "list": pa.array([None if i % 5 == 0 else [i] * (i % 3) for i in range(1000)]),
    "struct": pa.array([{"a": i, "b": str(i)} for i in range(1000)]),
    "map": pa.array([[("k", i)] for i in range(1000)], pa.map_(pa.string(), pa.int64())),
    "flag": pa.array([i % 2 == 0 for i in range(1000)]),
})

WRITERS = {
    "defaults": {},
    "version 1.0": {"version": "1.0"},
    "version 2.4": {"version": "2.4"},
    "data pages of version 2": {"data_page_version": "2.0"},
    "data pages of version 2, zstd": {"data_page_version": "2.0", "compression": "zstd"},
    "no codec": {"compression": "none"},
    "snappy": {"compression": "snappy"},
    "gzip": {"compression": "gzip"},
    "brotli": {"compression": "brotli"},
    "lz4": {"compression": "lz4"},
    "zstd": {"compression": "zstd"},
    "a codec for each column": {"compression": {"id": "zstd", "word": "gzip", "x": "none"}},
    "no arrow schema": {"store_schema": False},
    "row groups of 10 rows": {"row_group_size": 10},
    "pages of 100 bytes": {"data_page_size": 100, "write_batch_size": 10},
    "no dictionaries": {"use_dictionary": False},
    "dictionaries that fall back": {"dictionary_pagesize_limit": 64},
    "byte stream split": {"use_dictionary": False, "use_byte_stream_split": ["x"]},
    "delta encodings": {"use_dictionary": False, "column_encoding": {
        "id": "DELTA_BINARY_PACKED", "word": "DELTA_BYTE_ARRAY",
        "blob": "DELTA_LENGTH_BYTE_ARRAY"}},
    "no statistics": {"write_statistics": False},
    "page index": {"write_page_index": True},
    "page checksums": {"write_page_checksum": True},
    "int96 timestamps": {"use_deprecated_int96_timestamps": True},
    "milliseconds": {"coerce_timestamps": "ms"},
    "decimals as integers": {"store_decimal_as_integer": True},
    "sorting columns": {"sorting_columns": [pq.SortingColumn(0)]},
    "plain nested names": {"use_compliant_nested_type": False},
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_another_writer_is_listed_and_served(server, name):
    data = parquet(TABLE, **WRITERS[name])
    server.place("deep/er/f.parquet", data)
    file = pq.ParquetFile(io.BytesIO(data))
    want = file.read()
    client = server.client()
    assert listed(client) == ["deep/er/f.parquet"]
    found = info(client, "deep/er/f.parquet")
    assert found.total_records == 1000
    assert found.total_bytes == len(data)
    assert json.loads(found.app_metadata)["row_groups"] == file.num_row_groups
    got = get(client, "deep/er/f.parquet")
    assert got.schema.equals(want.schema, check_metadata=False)
    assert got.equals(want)
    part = get(client, command("deep/er/f.parquet", offset=95, limit=110, partitions=4,
                               columns=["word", "list", "id"]))
    assert part.equals(want.select(["word", "list", "id"]).slice(95, 110))


def test_a_file_of_another_writer_with_an_arrow_schema_comes_back_exactly(server):
    table = pa.table({
        "views": pa.array(["a", None], pa.string_view()), "large": pa.array(["a", None],
                                                                           pa.large_string()),
        "dictionary": pa.array(["x", "y"]).dictionary_encode(),
        "duration": pa.array([1, None], pa.duration("ms")),
        "zone": pa.array([1, None], pa.timestamp("ns", "Asia/Tokyo")),
    }).replace_schema_metadata({"owner": "someone"})
    server.place("f.parquet", parquet(table))
    got = get(server.client(), "f.parquet")
    assert got.schema.equals(table.schema, check_metadata=True)
    assert got.equals(table)


def test_a_file_without_columns_or_without_rows_is_served(server):
    server.place("nothing.parquet", parquet(pa.table({})))
    server.place("no-rows.parquet", parquet(TABLE.slice(0, 0)))
    client = server.client()
    assert listed(client) == ["no-rows.parquet", "nothing.parquet"]
    assert get(client, "nothing.parquet").num_columns == 0
    assert get(client, "no-rows.parquet").schema.equals(TABLE.schema)


def test_a_file_can_be_renamed_replaced_and_dropped_like_one_of_hangars_own(server):
    client = server.client()
    server.place("f.parquet", parquet(TABLE))
    act(client, "rename_dataset", {"from": "f.parquet", "to": "g.parquet"})
    assert get(client, "g.parquet").equals(TABLE)
    put(client, command("g.parquet", if_version=version(client, "g.parquet")), numbers(3))
    assert get(client, "g.parquet") == numbers(3)
    act(client, "drop_dataset", "g.parquet")
    assert listed(client) == []


# ---- bad files

def _bad_files():
    good = io.BytesIO()
    pq.write_table(TABLE, good)
    good = good.getvalue()
    arrow_file = io.BytesIO()
    with pa.ipc.new_file(arrow_file, TABLE.schema) as writer:
        writer.write_table(TABLE)
    footer_length = int.from_bytes(good[-8:-4], "little")
    rng = random.Random(6)
    return {
        "empty": b"",
        "one byte": b"P",
        "magic alone": b"PAR1",
        "magic twice": b"PAR1PAR1",
        "text": b"hello, this is not a Parquet file\n" * 10,
        "csv": b"a,b\n1,2\n" * 100,
        "random": rng.randbytes(5000),
        "zeros": b"\0" * 5000,
        "half": good[:len(good) // 2],
        "without its last byte": good[:-1],
        "one byte more": good + b"\n",
        "encrypted footer": good[:-4] + b"PARE",
        "footer length zero": good[:-8] + b"\0\0\0\0PAR1",
        "footer length too large": good[:-8] + b"\xff\xff\xff\x7fPAR1",
        "footer length negative": good[:-8] + b"\xff\xff\xff\xffPAR1",
        "footer of garbage": good[:-8 - footer_length] + rng.randbytes(footer_length) + good[-8:],
        "footer of zeros": good[:-8 - footer_length] + b"\0" * footer_length + good[-8:],
        "arrow file": arrow_file.getvalue(),
    }


BAD_FILES = _bad_files()


@pytest.fixture
def bad_folder(server):
    for name, content in BAD_FILES.items():
        server.place(f"{name}.parquet", content)
    server.place("readme.txt", b"notes")
    server.place("good.parquet", parquet(TABLE))
    server.place("z/good.parquet", parquet(TABLE))
    return server


def test_files_that_are_not_parquet_are_left_out_of_the_listing(bad_folder):
    client = bad_folder.client()
    for _ in range(2):
        assert listed(client) == ["good.parquet", "z/good.parquet"]
    assert get(client, "good.parquet").equals(TABLE)


def test_each_file_that_is_left_out_is_logged_once(bad_folder):
    client = bad_folder.client()
    for _ in range(3):
        listed(client)
        listed(client, {"prefix": "half"})
    lines = [line for line in bad_folder.log().splitlines() if "is not served" in line]
    assert len(lines) == len(BAD_FILES) + 1
    for name in [f"{name}.parquet" for name in BAD_FILES] + ["readme.txt"]:
        assert len([line for line in lines
                    if f'dataset="{name}"' in line or f"dataset={name} " in line]) == 1, name


def test_a_bad_file_that_changes_is_looked_at_again(bad_folder):
    client = bad_folder.client()
    listed(client)
    bad_folder.place("half.parquet", parquet(numbers(3)))
    assert listed(client) == ["good.parquet", "half.parquet", "z/good.parquet"]
    bad_folder.place("half.parquet", b"bad again")
    assert listed(client) == ["good.parquet", "z/good.parquet"]
    assert len([line for line in bad_folder.log().splitlines()
                if "is not served" in line and "half.parquet" in line]) == 2


def test_asking_for_a_bad_file_is_data_loss_and_names_it(bad_folder):
    with RawFlight(bad_folder) as raw:
        for name in BAD_FILES:
            name = f"{name}.parquet"
            assert_refused(bad_folder, DATA_LOSS, f"'{name}' is not a Parquet file",
                           raw.get_info, path_descriptor(name))
            assert_refused(bad_folder, DATA_LOSS, f"'{name}'", raw.stream, "DoGet",
                           ticket_message(name))


def test_a_bad_file_can_be_dropped_renamed_and_replaced(bad_folder):
    client = bad_folder.client()
    act(client, "drop_dataset", "text.parquet")
    assert bad_folder.stored("text.parquet") is None
    put(client, "half.parquet", numbers(4))
    assert get(client, "half.parquet") == numbers(4)
    act(client, "rename_dataset", {"from": "csv.parquet", "to": "data.csv"})
    assert bad_folder.stored("data.csv") == BAD_FILES["csv"]


def test_files_with_flipped_bits_never_harm_the_server(server):
    good = parquet(TABLE, row_group_size=300)
    footer_length = int.from_bytes(good[-8:-4], "little")
    rng = random.Random(4711)
    client = server.client()
    server.place("other.parquet", parquet(numbers(3)))
    answered = {"data": 0, "error": 0}
    with RawFlight(server) as raw:
        for number in range(250):
            broken = bytearray(good)
            in_footer = number % 2 == 0
            for _ in range(rng.choice([1, 1, 3])):
                position = (rng.randrange(len(good) - 8 - footer_length, len(good)) if in_footer
                            else rng.randrange(4, len(good) - 8 - footer_length))
                broken[position] ^= 1 << rng.randrange(8)
            server.place("broken.parquet", bytes(broken))
            try:
                list(raw.stream("DoGet", ticket_message("broken.parquet")))
                answered["data"] += 1
            except grpc.RpcError as error:
                assert error.code() in (DATA_LOSS, grpc.StatusCode.RESOURCE_EXHAUSTED), (
                    error.code(), error.details())
                assert_fit_for_clients(server, error.details())
                answered["error"] += 1
            assert "other.parquet" in listed(client)
    assert answered["error"] > 50


def test_a_file_that_lost_its_beginning_is_refused_at_the_latest_when_it_is_read(server):
    server.place("f.parquet", parquet(TABLE)[100:])
    with RawFlight(server) as raw:
        assert_refused(server, DATA_LOSS, "'f.parquet'", raw.stream, "DoGet",
                       ticket_message("f.parquet"))


def test_a_damaged_page_late_in_a_big_dataset_ends_the_read_with_an_error(server):
    client = server.client()
    rows = 2_000_000
    table = pa.table({"x": np.random.default_rng(1).integers(0, 2**60, rows)})
    put(client, command("big.parquet", row_group_rows=100_000, codec="none"), table)
    data = bytearray(server.stored("big.parquet"))
    chunk = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(17).column(0)
    middle = ((chunk.dictionary_page_offset or chunk.data_page_offset)
              + chunk.total_compressed_size // 2)
    data[middle:middle + 4] = b"\xde\xad\xbe\xef"
    server.place("big.parquet", bytes(data))
    reader = client.do_get(flight.Ticket(b"big.parquet"))
    got = 0
    with pytest.raises(pa.ArrowException, match="'big.parquet' is damaged"):
        for part in reader:
            assert part.data.column(0).equals(table["x"].slice(got, part.data.num_rows).chunk(0))
            got += part.data.num_rows
    assert 0 < got <= 1_700_000
    # What is not damaged can still be read.
    whole = get(client, command("big.parquet", offset=1_800_000))
    assert whole["x"].equals(table["x"].slice(1_800_000))


# ---- files that change while they are read

def _start_read(server):
    client = server.client()
    pq.write_table(numbers(6_000_000), server.data / "big.parquet", row_group_size=100_000,
                   compression="none", use_dictionary=False)
    reader = client.do_get(flight.Ticket(b"big.parquet"))
    return client, reader, reader.read_chunk().data


@of_folders
def test_a_file_that_is_replaced_in_mid_read_is_read_to_its_end(server):
    _, reader, first = _start_read(server)
    new = server.data / ".new"
    pq.write_table(numbers(5), new)
    os.replace(new, server.data / "big.parquet")
    chunks = [first] + [chunk.data for chunk in reader]
    assert pa.Table.from_batches(chunks) == numbers(6_000_000)
    assert get(server.client(), "big.parquet") == numbers(5)


@of_folders
def test_a_file_that_is_removed_in_mid_read_is_read_to_its_end(server):
    client, reader, first = _start_read(server)
    (server.data / "big.parquet").unlink()
    assert first.num_rows + sum(chunk.data.num_rows for chunk in reader) == 6_000_000
    assert listed(client) == []


@of_folders
@pytest.mark.parametrize("change", ["truncated", "rewritten", "overwritten in place"])
def test_a_file_that_is_changed_in_place_in_mid_read_ends_it_with_an_error(server, change):
    client, reader, first = _start_read(server)
    file = server.data / "big.parquet"
    if change == "truncated":
        os.truncate(file, 1000)
    elif change == "rewritten":
        pq.write_table(numbers(10, start=10**9), file)
    else:
        with open(file, "r+b") as opened:
            opened.seek(file.stat().st_size // 2)
            opened.write(b"\xff" * 10_000_000)
    got = first.num_rows
    assert first.column(0).equals(numbers(got)["v"].chunk(0))
    with pytest.raises(pa.ArrowException, match="'big.parquet'"):
        for chunk in reader:
            rows = chunk.data.num_rows
            assert chunk.data.column(0).equals(numbers(rows, start=got)["v"].chunk(0))
            got += rows
    assert got < 6_000_000
    assert listed(client) == (["big.parquet"] if change != "truncated" else [])


def test_a_ticket_of_a_file_that_others_replaced_is_not_found(server):
    client = server.client()
    server.place("f.parquet", parquet(numbers(10)))
    ticket = info(client, "f.parquet").endpoints[0].ticket.ticket
    server.place("f.parquet", parquet(numbers(11)))
    with RawFlight(server) as raw:
        assert_refused(server, grpc.StatusCode.NOT_FOUND, "ask for it again", raw.stream, "DoGet",
                       ticket_message(ticket))
    assert get(client, "f.parquet") == numbers(11)


@of_folders
def test_a_folder_that_disappears_in_mid_listing_does_not_end_it(server):
    client = server.client()
    for number in range(200):
        folder = server.data / f"{number:03}"
        folder.mkdir()
        pq.write_table(numbers(1), folder / "f.parquet")
    seen = []
    for item in client.list_flights():
        seen.append(item.descriptor.path[0].decode())
        if len(seen) == 1:
            for number in range(50, 150):
                shutil.rmtree(server.data / f"{number:03}")
    want = {f"{n:03}/f.parquet" for n in [*range(50), *range(150, 200)]}
    assert want <= set(seen)
    assert seen == sorted(set(seen))
    assert set(listed(client)) == want


# ---- the corpora of other people's fuzzers

def _corpus_files():
    return [file for file in sorted(CORPUS.rglob("*")) if file.is_file()]


def test_the_corpora_are_there():
    assert len(_corpus_files()) > 300, f"{CORPUS} is empty: is the package arrow-testing installed?"


def test_every_file_of_the_corpora_is_served_whole_or_refused(server):
    files = _corpus_files()
    for number, file in enumerate(files):
        server.place(f"{number:04}-{file.name[-100:]}", file.read_bytes())
    server.place("a/first.parquet", parquet(numbers(5)))
    server.place("zz.parquet", parquet(numbers(5)))
    client = server.client()
    served = listed(client)
    assert {"a/first.parquet", "zz.parquet"} <= set(served)
    assert [name for name in served if name.endswith("alltypes-java.parquet")]
    assert [name for name in served if name.endswith("blogs.parquet")]
    with RawFlight(server) as raw:
        for number, file in enumerate(files):
            name = f"{number:04}-{file.name[-100:]}"
            assert server.stored(name) is not None
            try:
                raw.get_info(path_descriptor(name))
                for _ in raw.stream("DoGet", ticket_message(name)):
                    pass
            except grpc.RpcError as error:
                assert error.code() in (DATA_LOSS, grpc.StatusCode.RESOURCE_EXHAUSTED), (
                    name, error.code(), error.details())
                assert_fit_for_clients(server, error.details())
    assert listed(client) == served


def test_a_dataset_cannot_make_the_server_take_memory_for_rows_that_are_not_there(server):
    # The fuzzers' files claim sizes of many gigabytes. What the server took stays reasonable.
    names = []
    for number, file in enumerate(_corpus_files()):
        if "parquet" in str(file):
            names.append(f"{number:04}")
            server.place(names[-1], file.read_bytes())
    client = server.client()
    for name in names:
        try:
            for _ in client.do_get(flight.Ticket(name.encode())):
                pass
        except pa.ArrowException:
            pass
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    peak_kib = int([line for line in status.splitlines() if line.startswith("VmHWM")][0].split()[1])
    assert peak_kib < 1 << 20


@pytest.mark.parametrize("name", ["alltypes-java.parquet", "ARROW-17100.parquet",
                                  "generated_simple_numerics/blogs.parquet"])
def test_files_of_other_implementations_are_served_as_pyarrow_reads_them(server, name):
    source = CORPUS / "parquet" / name
    if not source.exists():
        pytest.skip(f"{source} is not there")
    server.place("f.parquet", source.read_bytes())
    assert get(server.client(), "f.parquet").equals(pq.read_table(source))
