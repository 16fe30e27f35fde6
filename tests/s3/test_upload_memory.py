"""What uploads to a bucket hold in memory counts: --memory-limit bounds the process with any number
of them."""

import concurrent.futures
import contextlib
import http.client
import io
import pathlib
import urllib.parse

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_steps import get, path, put

MIB = 1 << 20
LIMIT = 256 * MIB
# As in tests/load/test_memory.py: the program itself and what the allocator holds back are guesses.
BOUND = LIMIT + LIMIT // 4


def peak_bytes(server):
    """The most that the server's process had resident until now."""
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the process has no VmHWM")


def noise(megabytes, seed):
    """A table that does not become smaller."""
    values = np.random.default_rng(seed).integers(0, 1 << 62, megabytes * MIB // 8)
    return pa.table({"x": values})


def test_many_large_uploads_at_once_stay_within_the_limit(start_s3_server, bucket):
    server = start_s3_server(flags=["--memory-limit", f"{LIMIT // MIB}MiB", "--cache-memory", "0",
                                    "--queue-timeout", "300s"])
    tables = {f"t{seed}": noise(48, seed) for seed in range(4)}

    def upload(number):
        client = server.client()
        put(client, f"many/{number}", tables[f"t{number % 4}"], chunk_rows=100_000)

    with concurrent.futures.ThreadPoolExecutor(24) as threads:
        list(threads.map(upload, range(24)))
    peak = peak_bytes(server)
    print(f"\nuploads: peak {peak // MIB} MiB of {LIMIT // MIB}")
    assert peak < BOUND
    assert get(server.client(), path("many/7")) == tables["t3"]
    assert bucket.unpublished() == []


def test_many_files_at_once_stay_within_the_limit(start_s3_server, bucket):
    server = start_s3_server(flags=["--memory-limit", f"{LIMIT // MIB}MiB", "--cache-memory", "0",
                                    "--queue-timeout", "300s", "--http", "127.0.0.1:0"])
    door = urllib.parse.urlsplit(server.next_uri()).netloc
    table = noise(48, 0)
    written = io.BytesIO()
    pq.write_table(table, written, row_group_size=1_000_000)
    before = peak_bytes(server)

    def upload(number):
        with contextlib.closing(http.client.HTTPConnection(door)) as connection:
            connection.request("PUT", f"/v1/datasets/many/{number}", body=written.getvalue())
            answer = connection.getresponse()
            answer.read()
            return answer.status

    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        assert list(threads.map(upload, range(12))) == [201] * 12
    peak = peak_bytes(server)
    print(f"\nfiles: peak {peak // MIB} MiB of {LIMIT // MIB}, {before // MIB} before")
    assert peak < BOUND
    assert bucket.get("many/7") == written.getvalue()
    assert bucket.unpublished() == []


@pytest.mark.parametrize("size", [1, 200])
def test_many_small_uploads_at_once_stay_within_the_limit(start_s3_server, size):
    server = start_s3_server(flags=["--memory-limit", f"{LIMIT // MIB}MiB"])
    table = noise(1, 0).slice(0, size * 100)

    def upload(number):
        put(server.client(), f"many/{number}", table)

    with concurrent.futures.ThreadPoolExecutor(32) as threads:
        list(threads.map(upload, range(64)))
    assert peak_bytes(server) < BOUND
