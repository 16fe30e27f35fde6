"""Files of Arrow's own test suites and fuzzers, all of them, dropped into the data folder of one
server: it lives, the listing goes on, and each file is served or refused with an error that says so.

The files come with the package apache-arrow-testing: Parquet, IPC, ORC, Avro and CSV, most of them
broken on purpose.
"""

import pathlib
import shutil

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from flight_steps import get, info, listed, numbers
from raw_flight import RawFlight, assert_fit_for_clients, path_descriptor, ticket_message

CORPUS = pathlib.Path("/usr/share/apache/arrow-testing")
FILES = sorted(file for file in CORPUS.rglob("*") if file.is_file())
REFUSALS = (grpc.StatusCode.DATA_LOSS, grpc.StatusCode.RESOURCE_EXHAUSTED)
PEAK_KIB_MAX = 1 << 20


def name_of(file):
    return "corpus/" + "/".join(file.relative_to(CORPUS).parts)


def peak_kib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def refusal(server, call, *arguments):
    """Why a call was refused, or None where it was answered."""
    try:
        for _ in call(*arguments) or ():
            pass
    except grpc.RpcError as error:
        assert error.code() in REFUSALS, (arguments, error.code(), error.details())
        assert_fit_for_clients(server, error.details())
        return error.details()
    return None


@pytest.fixture
def corpora(server):
    shutil.copytree(CORPUS, server.data / "corpus")
    pq.write_table(numbers(3), server.data / "good.parquet")
    return server


def test_the_corpora_are_there():
    assert len(FILES) > 500, f"{CORPUS} is empty: is the package apache-arrow-testing installed?"


def test_every_file_of_the_corpora_is_served_or_refused(corpora, tally):
    client = corpora.client()
    names = listed(client)
    assert "good.parquet" in names
    with RawFlight(corpora) as raw:
        for file in FILES:
            name = name_of(file)
            described = refusal(corpora, lambda: raw.get_info(path_descriptor(name)) and None)
            assert (described is None) == (name in names), (name, described)
            read = refusal(corpora, raw.stream, "DoGet", ticket_message(name))
            assert described is None or read is not None, name
            tally["not served" if described else "ended with an error" if read else "read"] += 1
    assert tally["read"] and tally["ended with an error"] and tally["not served"]
    assert listed(client) == names
    assert get(client, "good.parquet") == numbers(3)
    assert peak_kib(corpora) < PEAK_KIB_MAX


def test_what_is_read_of_the_corpora_is_what_pyarrow_reads(corpora, tally):
    client = corpora.client()
    for name in listed(client):
        try:
            got = get(client, name)
        except pa.ArrowException:
            continue
        assert info(client, name).total_records == got.num_rows, name
        try:
            want = pq.read_table(corpora.data / name, page_checksum_verification=True)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            tally["pyarrow does not read"] += 1
            continue
        assert got.num_rows == want.num_rows, name
        for column, other in zip(got.columns, want.columns, strict=True):
            # Values that Python has no objects for cannot be compared as such; NaN is never equal.
            if not column.equals(other):
                assert repr(column.to_pylist()) == repr(other.to_pylist()), name
        tally["the same"] += 1
    assert tally["the same"]


def repeated_text(path):
    """65,536 times a text of 1 MiB, in some hundred bytes that do not say how much that is."""
    text = pa.DictionaryArray.from_arrays(np.zeros(65_536, np.int32), pa.array(["x" * (1 << 20)]))
    pq.write_table(pa.table({"c": text}), path, store_schema=False, compression="zstd",
                   write_statistics=False)


def wide_nulls(path):
    """300 values of 16 MiB each, none of which is there."""
    table = pa.table({"c": pa.nulls(300, pa.binary(1 << 20))})
    pq.write_table(table, path, store_schema=False, compression="none", use_dictionary=False)
    content = path.read_bytes()
    width, wider = b"\x80\x80\x80\x01", b"\x80\x80\x80\x10"
    assert content.count(width) == 1
    path.write_bytes(content.replace(width, wider))


@pytest.mark.parametrize("write", [repeated_text, wide_nulls])
def test_a_file_of_a_few_bytes_that_is_gigabytes_of_rows_is_read_in_bounded_memory(
        start_server, write):
    server = start_server(flags=["--memory-limit", "512MiB"])
    write(server.data / "f.parquet")
    assert (server.data / "f.parquet").stat().st_size < 1000
    read_bytes = 0
    for part in server.client().do_get(flight.Ticket(b"f.parquet")):
        read_bytes += part.data.nbytes
        if read_bytes > 1 << 30:
            break
    assert read_bytes > 1 << 30
    assert peak_kib(server) < PEAK_KIB_MAX
