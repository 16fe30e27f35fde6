"""Every read gives exactly the rows that pyarrow reads from the stored file: whatever wrote the
file, whatever part is asked for, with the cache off, too small and large, on one processor and on
all, the first time and again."""

import datetime
import decimal
import json
import os
import random
import threading

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

ROWS = 30_000

SERVERS = {
    "all processors, large cache": {},
    "all processors, no cache": {"flags": ("--cache-memory", "0")},
    "all processors, small cache": {"flags": ("--cache-memory", "1MiB")},
    "one processor, large cache": {"wrapper": ("taskset", "-c", str(min(os.sched_getaffinity(0))))},
    "one processor, no cache": {
        "wrapper": ("taskset", "-c", str(min(os.sched_getaffinity(0)))),
        "flags": ("--cache-memory", "0")},
}

WRITERS = {
    "pyarrow's defaults": {},
    "small row groups": {"row_group_size": 700},
    "small pages, version 2": {
        "data_page_size": 2_000, "data_page_version": "2.0", "write_batch_size": 100},
    "no dictionary, zstd": {"use_dictionary": False, "compression": "zstd"},
    "dictionaries that fall back": {
        "dictionary_pagesize_limit": 500, "row_group_size": 11_000, "write_batch_size": 100},
    "delta and split encodings": {
        "use_dictionary": False, "compression": "none", "column_encoding": {
            "number": "DELTA_BINARY_PACKED", "when": "DELTA_BINARY_PACKED",
            "small": "DELTA_BINARY_PACKED", "word": "DELTA_BYTE_ARRAY",
            "unique": "DELTA_LENGTH_BYTE_ARRAY", "real": "BYTE_STREAM_SPLIT",
            "single": "BYTE_STREAM_SPLIT"}},
}


def _some_null(values, type_, every):
    """Nulls alone, in runs, and not at all, by thirds of the rows."""
    third = len(values) // 3
    mask = np.zeros(len(values), bool)
    mask[:third:every] = True
    mask[third + 100:third + 900] = True
    return pa.array(values, type_, mask=mask)


def _table():
    random_ = np.random.default_rng(20_261_123)
    numbers = random_.integers(-2**40, 2**40, ROWS)
    words = np.array([f"word {i}" for i in range(300)])
    return pa.table({
        "number": pa.array(np.arange(ROWS), pa.int64()),
        "small": _some_null(random_.integers(0, 100, ROWS).astype(np.int32), pa.int32(), 3),
        "tiny": pa.array(random_.integers(-100, 100, ROWS).astype(np.int8)),
        "real": _some_null(random_.standard_normal(ROWS), pa.float64(), 7),
        "single": pa.array(random_.standard_normal(ROWS).astype(np.float32)),
        "word": _some_null(words[random_.integers(0, 300, ROWS)].astype(object), pa.string(), 5),
        "unique": pa.array([f"unique value {i} of all" * (i % 3) for i in range(ROWS)]),
        "bytes": pa.array([bytes([i % 256]) * (i % 40) for i in range(ROWS)], pa.binary()),
        "fixed": pa.array([i.to_bytes(6, "big") for i in range(ROWS)], pa.binary(6)),
        "flag": _some_null(random_.random(ROWS) < 0.5, pa.bool_(), 11),
        "when": _some_null(numbers, pa.timestamp("us", "UTC"), 2),
        "day": pa.array(random_.integers(0, 20_000, ROWS).astype(np.int32), pa.date32()),
        "sum": pa.array([decimal.Decimal(i) / 4 for i in range(ROWS)], pa.decimal128(12, 2)),
        "kind": pa.array(words[random_.integers(0, 9, ROWS)]).dictionary_encode(),
        "list": pa.array([None if i % 5 == 0 else list(range(i % 4)) for i in range(ROWS)]),
        "struct": pa.array([{"a": i, "b": None if i % 3 else str(i)} for i in range(ROWS)]),
        "nothing": pa.nulls(ROWS, pa.int16()),
        "time": pa.array([datetime.time(i % 24, i % 60) for i in range(ROWS)]),
    })


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder of files, and what pyarrow reads from each."""
    folder = tmp_path_factory.mktemp("files")
    table = _table()
    for name, options in WRITERS.items():
        pq.write_table(table, folder / f"{name}.parquet", **options)
    return folder, {name: pq.read_table(folder / f"{name}.parquet") for name in WRITERS}


def _reads(seed, columns):
    """Parts of a dataset: each is a command's keys."""
    chance = random.Random(seed)
    yield {}
    yield {"offset": ROWS - 1}
    yield {"limit": 0}
    for _ in range(12):
        part = {}
        if chance.random() < 0.7:
            part["columns"] = chance.sample(columns, chance.randrange(1, len(columns)))
        if chance.random() < 0.7:
            part["offset"] = chance.randrange(ROWS + 100)
        if chance.random() < 0.7:
            part["limit"] = chance.choice([1, 63, 1_000, ROWS])
        if chance.random() < 0.3:
            part["partitions"] = chance.randrange(1, 9)
        yield part


def _expected(table, part):
    if "columns" in part:
        table = table.select(part["columns"])
    return table.slice(part.get("offset", 0), part.get("limit"))


def _read(client, name, part):
    command = json.dumps({"dataset": f"{name}.parquet", **part})
    info = client.get_flight_info(flight.FlightDescriptor.for_command(command))
    tables = [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints]
    for table in tables:
        table.validate(full=True)
    return pa.concat_tables(tables), info


def _check(got, info, expected, part):
    assert info.total_records == expected.num_rows, part
    assert got.num_rows == expected.num_rows, part
    assert got.schema.equals(expected.schema), part
    for name in got.schema.names:
        column, wanted = got.column(name), expected.column(name)
        if pa.types.is_dictionary(wanted.type):
            column, wanted = column.cast(pa.string()), wanted.cast(pa.string())
        assert column.equals(wanted), f"{name} of {part}"


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("how", SERVERS)
def test_every_part_is_what_pyarrow_reads(start_server, files, how, writer):
    folder, tables = files
    client = start_server(folder, **SERVERS[how]).client()
    table = tables[writer]
    for part in _reads(f"{how} {writer}", table.schema.names):
        for _ in range(2):
            got, info = _read(client, writer, part)
            _check(got, info, _expected(table, part), part)


@pytest.mark.parametrize("how", SERVERS)
def test_readers_at_the_same_time_get_the_same_rows(start_server, files, how):
    folder, tables = files
    server = start_server(folder, **SERVERS[how])
    wrong = []

    def read(client, number):
        try:
            for part in _reads(number % 3, _table_columns(tables)):
                writer = list(WRITERS)[number % 2]
                got, info = _read(client, writer, part)
                _check(got, info, _expected(tables[writer], part), part)
        except BaseException as error:  # Reported by the thread of the test.
            wrong.append(error)

    clients = [server.client() for _ in range(6)]
    threads = [threading.Thread(target=read, args=(client, number))
               for number, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[0]


def _table_columns(tables):
    return next(iter(tables.values())).schema.names
