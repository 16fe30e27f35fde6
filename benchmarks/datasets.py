"""The benchmark's data: made from seeds, the same on every machine, and kept in a folder.

A source is an Arrow IPC file of record batches as a client would send them: 65,536 rows or about
16 MiB, whichever is less. Each is made on first use; a finished file is never made again.
"""

import os
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Raised when any dataset changes: the folder of another layout is not used.
LAYOUT = 1

BATCH_ROWS = 65_536
WIDE_BATCH_ROWS = 8_192
WIDE_COLUMNS = 200
MANY_ROWS = 1_000

ROWS = {"trips": 10_000_000, "text": 5_000_000, "nested": 2_000_000, "wide": 1_000_000}
MANY_DATASETS = 10_000

ROWS_MIN = 5_000
MANY_DATASETS_MIN = 20


def trips(random, first_row, rows):
    """An id, a time that never goes back, two measures, a small number, 265 zones, a flag."""
    ids = np.arange(first_row, first_row + rows)
    times = 1_700_000_000_000_000 + ids * 1_000_000 + random.integers(0, 1_000_000, rows)
    zones = np.array([f"zone {i:03}" for i in range(265)])
    return pa.record_batch({
        "id": ids,
        "time": pa.array(times, pa.timestamp("us")),
        "distance": random.gamma(2.0, 1.7, rows),
        "fare": np.round(random.gamma(3.0, 4.0, rows), 2),
        "passengers": random.integers(1, 7, rows, dtype=np.int32),
        "zone": pa.array(zones[random.integers(0, 265, rows)], pa.string()),
        "shared": random.random(rows) < 0.2,
    })


def wide(random, first_row, rows):
    """200 doubles, each with nulls: measurements, prices, counts and series by turns."""
    columns = {}
    for i in range(WIDE_COLUMNS):
        values = random.standard_normal(rows)
        if i % 4 == 1:
            values = np.round(values * 100, 2)
        elif i % 4 == 2:
            values = np.floor(np.abs(values) * 8)
        elif i % 4 == 3:
            values = np.cumsum(values)
        columns[f"c{i:03}"] = pa.array(values, mask=random.random(rows) < 0.05)
    return pa.record_batch(columns)


def text(random, first_row, rows):
    """A unique string of 32 to 48 bytes beside one of 30 countries."""
    widest = 48
    letters = random.integers(ord("a"), ord("z") + 1, (rows, widest), dtype=np.uint8)
    prefix = np.frombuffer(b"item/", np.uint8)
    letters[:, : prefix.size] = prefix
    ids = np.arange(first_row, first_row + rows)
    for digit in range(10):
        letters[:, prefix.size + digit] = ord("0") + ids // 10 ** (9 - digit) % 10
    letters[:, prefix.size + 10] = ord("/")
    lengths = random.integers(32, widest + 1, rows, dtype=np.int32)
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    values = letters[np.arange(widest) < lengths[:, None]]
    keys = pa.Array.from_buffers(
        pa.string(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(values)])
    countries = np.array([f"country of {i:02}" for i in range(30)])
    return pa.record_batch({
        "key": keys, "country": pa.array(countries[random.integers(0, 30, rows)], pa.string())})


def _offsets(lengths):
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())


def nested(random, first_row, rows):
    """Lists of strings, lists of structs, a struct in a struct, and maps, with nulls."""
    tags = np.array([f"tag-{i}" for i in range(20)])
    tag_counts = random.integers(0, 5, rows)
    point_counts = random.integers(0, 4, rows)
    entry_counts = random.integers(0, 4, rows)
    points = pa.StructArray.from_arrays(
        [pa.array(random.standard_normal(point_counts.sum())),
         pa.array(random.standard_normal(point_counts.sum()))], ["x", "y"])
    where = pa.StructArray.from_arrays(
        [pa.array(random.uniform(-90, 90, rows)), pa.array(random.uniform(-180, 180, rows))],
        ["latitude", "longitude"])
    cities = np.array([f"city {i}" for i in range(500)])
    address = pa.StructArray.from_arrays(
        [pa.array(cities[random.integers(0, 500, rows)], pa.string()),
         pa.array(random.integers(10_000, 99_999, rows, dtype=np.int32)), where],
        ["city", "code", "where"], mask=pa.array(random.random(rows) < 0.02))
    keys = np.array([f"key {i}" for i in range(50)])
    entries = int(entry_counts.sum())
    return pa.record_batch({
        "id": np.arange(first_row, first_row + rows),
        "tags": pa.ListArray.from_arrays(
            _offsets(tag_counts), pa.array(tags[random.integers(0, 20, tag_counts.sum())])),
        "points": pa.ListArray.from_arrays(_offsets(point_counts), points),
        "address": address,
        "attributes": pa.MapArray.from_arrays(
            _offsets(entry_counts), pa.array(keys[random.integers(0, 50, entries)]),
            pa.array(random.integers(0, 1_000_000, entries),
                     mask=random.random(entries) < 0.1)),
    })


SHAPES = {"trips": trips, "wide": wide, "text": text, "nested": nested}


class Datasets:
    """The sources at one scale: 1.0 is full size. Folder is where they are kept."""

    def __init__(self, folder, scale):
        self._folder = pathlib.Path(folder) / f"data-{LAYOUT}-scale-{scale:g}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._scale = scale

    @property
    def folder(self):
        return self._folder

    def rows(self, name):
        return max(ROWS_MIN, int(ROWS[name] * self._scale))

    def source(self, name):
        """The path of the IPC file that holds a dataset's rows."""
        path = self._folder / f"{name}.arrow"
        if not path.exists():
            print(f"making {path}", flush=True)
            unfinished = path.with_suffix(".unfinished")
            self._write(name, unfinished)
            unfinished.rename(path)
        return path

    def _write(self, name, path):
        seed = list(SHAPES).index(name) + 20_261_122
        random = np.random.default_rng(seed)
        rows = self.rows(name)
        step = WIDE_BATCH_ROWS if name == "wide" else BATCH_ROWS
        writer = None
        with pa.OSFile(str(path), "wb") as sink:
            for first_row in range(0, rows, step):
                batch = SHAPES[name](random, first_row, min(step, rows - first_row))
                writer = writer or pa.ipc.new_file(sink, batch.schema)
                writer.write_batch(batch)
            writer.close()

    def table(self, name):
        """A dataset's rows, mapped from the file."""
        return pa.ipc.open_file(pa.memory_map(str(self.source(name)))).read_all()

    def many(self):
        """The paths of many small Parquet files, as pyarrow writes them."""
        count = max(MANY_DATASETS_MIN, int(MANY_DATASETS * self._scale))
        folder = self._folder / "many"
        if not folder.exists():
            print(f"making {count} datasets in {folder}", flush=True)
            unfinished = self._folder / "many.unfinished"
            unfinished.mkdir(exist_ok=True)
            random = np.random.default_rng(20_261_122)
            for i in range(count):
                batch = trips(random, i * MANY_ROWS, MANY_ROWS)
                pq.write_table(pa.Table.from_batches([batch]), unfinished / f"many-{i:05}.parquet")
            unfinished.rename(folder)
        return sorted(folder.iterdir())


def warm(*paths):
    """Brings files into the page cache."""
    block = bytearray(1 << 20)
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(block):
                pass


def link(source, target):
    """The same file under another name, or a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        pathlib.Path(target).write_bytes(pathlib.Path(source).read_bytes())
