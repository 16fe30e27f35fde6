"""How datasets in a bucket are read: with which requests, through which caches, and what becomes of
a version that is replaced meanwhile."""

import concurrent.futures
import io
import json
import pathlib
import re
import sys
import urllib.request

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from faults import CorruptedAnswer
from flight_steps import command, get, info, listed, path, put
from hangar_fixtures import eventually

SMALL = pa.table({"x": pa.array(range(1000), pa.int64())})
PRIVATE_MOUNT = pathlib.Path(__file__).resolve().parents[1] / "support" / "private_mount.py"


def noise(rows, columns=1, seed=0):
    random = np.random.default_rng(seed)
    return pa.table({f"c{number}": random.integers(0, 2**62, rows) for number in range(columns)})


def parquet(table, **options):
    written = io.BytesIO()
    pq.write_table(table, written, use_dictionary=False, compression="none", **options)
    return written.getvalue()


def chunk_bytes(data, columns):
    """What the chunks of these columns take in a Parquet file."""
    footer = pq.ParquetFile(io.BytesIO(data)).metadata
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    return sum(group.column(number).total_compressed_size for group in groups
               for number in range(group.num_columns)
               if group.column(number).path_in_schema in columns)


class Watched:
    """A server, and its metrics."""

    def __init__(self, server):
        self.server = server
        self.client = server.client()
        self._url = server.next_uri()

    def metric(self, name, **labels):
        with urllib.request.urlopen(self._url, timeout=60) as answer:
            text = answer.read().decode()
        sums = 0.0
        for line in text.splitlines():
            match = re.match(rf"{name}(?:{{(.*)}})? (\S+)$", line)
            if match and all(f'{key}="{value}"' in (match[1] or "")
                             for key, value in labels.items()):
                sums += float(match[2])
        return sums

    def fetched_bytes(self):
        return self.metric("hangar_s3_received_bytes_total")

    def gets(self):
        return self.metric("hangar_s3_requests_total", operation="GetObject")

    def disk(self, what):
        return self.metric(f"hangar_cache_{what}", cache="disk")


@pytest.fixture
def start_watched(start_s3_server):
    """A function that starts a server and gives it as `Watched`."""
    def start(*, flags=(), **options):
        return Watched(start_s3_server(flags=["--metrics", "127.0.0.1:0", *flags], **options))
    return start


def reads(proxy):
    """What was asked for, without the listings: a server counts what there is as it starts."""
    return [operation for operation in proxy.operations() if operation != "ListObjects"]


def disk_cache(folder, size="64MiB"):
    """A disk cache with no memory cache in front of it."""
    return ["--cache-disk", str(folder), "--cache-disk-bytes", size, "--cache-memory", "0"]


def bytes_in(folder):
    return sum(file.stat().st_size for file in pathlib.Path(folder).glob("*.parts"))


# Requests.


def test_a_cold_dataset_takes_one_request_and_a_warm_one_a_look(proxy, start_s3_server, bucket):
    bucket.put("t", parquet(noise(100_000)))
    client = start_s3_server(through=proxy).client()
    proxy.forget()
    found = client.get_flight_info(path("t"))
    assert reads(proxy) == ["GetObject"]
    proxy.forget()
    assert client.get_flight_info(path("t")).total_records == found.total_records
    assert reads(proxy) == ["HeadObject"]


def test_a_small_dataset_comes_whole_with_its_footer(proxy, start_s3_server, bucket):
    bucket.put("t", parquet(SMALL))
    client = start_s3_server(through=proxy).client()
    proxy.forget()
    assert client.do_get(flight.Ticket(b"t")).read_all() == SMALL
    assert reads(proxy) == ["GetObject"]


def test_a_listing_reads_each_footer_once(proxy, start_s3_server, bucket):
    count = 1100
    names = [f"d/{number:05}" for number in range(count)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda at: bucket.put(at[1], parquet(SMALL.slice(at[0] % 900, 1 + at[0] % 90)
                                                           .append_column("n", pa.array(
                                                               [at[0]] * (1 + at[0] % 90))))),
                      enumerate(names)))
    client = start_s3_server(through=proxy).client()
    proxy.forget()
    assert listed(client) == names
    assert reads(proxy) == ["GetObject"] * count
    proxy.forget()
    assert listed(client) == names
    assert proxy.operations() == ["ListObjects"] * 2


def test_two_of_many_columns_fetch_little_more_than_what_they_hold(start_watched, bucket):
    table = noise(100_000, columns=100)
    data = parquet(table, row_group_size=25_000)
    bucket.put("t", data)
    watched = start_watched()
    info(watched.client, "t")
    wanted = ["c17", "c71"]
    before = watched.fetched_bytes()
    assert get(watched.client, command("t", columns=wanted)) == table.select(wanted)
    assert watched.fetched_bytes() - before <= 1.03 * chunk_bytes(data, wanted)


def test_a_whole_read_takes_few_requests_and_no_byte_twice(start_watched, bucket):
    table = noise(1_000_000, columns=4)
    data = parquet(table, row_group_size=300_000)
    bucket.put("t", data)
    watched = start_watched()
    info(watched.client, "t")
    bytes_before, gets_before = watched.fetched_bytes(), watched.gets()
    assert get(watched.client, path("t")) == table
    assert watched.fetched_bytes() - bytes_before <= 1.01 * len(data)
    assert watched.gets() - gets_before <= len(data) / 2**21 + 4
    assert get(watched.client, path("t")) == table  # From memory.
    assert watched.gets() - gets_before <= len(data) / 2**21 + 4


def test_a_part_of_the_rows_fetches_only_their_row_groups(start_watched, bucket):
    table = noise(1_000_000)
    data = parquet(table, row_group_size=100_000, data_page_size=64 << 10)
    bucket.put("t", data)
    watched = start_watched()
    info(watched.client, "t")
    before = watched.fetched_bytes()
    assert get(watched.client, command("t", offset=500_000, limit=100_000)) == table.slice(
        500_000, 100_000)
    assert watched.fetched_bytes() - before <= 1.1 * len(data) / 10


def test_the_first_rows_fetch_only_the_beginning_of_a_large_column(start_watched, bucket):
    table = noise(1_000_000)
    data = parquet(table, row_group_size=1_000_000, data_page_size=64 << 10)
    bucket.put("t", data)
    watched = start_watched()
    info(watched.client, "t")
    before, gets = watched.fetched_bytes(), watched.gets()
    assert get(watched.client, command("t", limit=10)) == table.slice(0, 10)
    assert watched.fetched_bytes() - before <= len(data) / 4
    assert watched.gets() - gets == 1


def test_readers_of_the_same_cold_dataset_share_what_is_fetched(start_watched, bucket):
    table = noise(2_000_000)
    data = parquet(table, row_group_size=250_000)
    bucket.put("t", data)
    watched = start_watched()
    info(watched.client, "t")
    before = watched.fetched_bytes()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for read in pool.map(lambda _: get(watched.server.client(), path("t")), range(4)):
            assert read == table
    assert watched.fetched_bytes() - before <= 2 * len(data)


def test_reads_are_right_with_hardly_any_memory(start_watched, bucket):
    table = noise(500_000, columns=8)
    bucket.put("t", parquet(table, row_group_size=200_000))
    watched = start_watched(flags=["--memory-limit", "128MiB", "--cache-memory", "0"])
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for read in pool.map(lambda _: get(watched.server.client(), path("t")), range(6)):
            assert read == table


def test_a_reader_that_leaves_ends_its_requests(proxy, start_s3_server, bucket):
    bucket.put("t", parquet(noise(8_000_000)))
    client = start_s3_server(through=proxy, flags=["--memory-limit", "256MiB"]).client()
    reader = client.do_get(info(client, "t").endpoints[0].ticket)
    reader.read_chunk()
    reader.cancel()

    def is_quiet():
        before = len(proxy.operations())
        list(client.list_actions())
        return all(request.status for request in proxy.requests) and (
            len(proxy.operations()) == before)
    eventually(is_quiet, "no request is under way")
    assert len(proxy.operations()) < 25


# A version that is replaced.


def test_a_version_that_is_replaced_meanwhile_ends_the_read(start_s3_server, bucket):
    old, new = noise(4_000_000, seed=1), noise(4_000_000, seed=2)
    bucket.put("t", parquet(old))
    client = start_s3_server(flags=["--keep-versions", "0", "--memory-limit", "128MiB",
                                    "--cache-memory", "0"]).client()
    reader = client.do_get(info(client, "t").endpoints[0].ticket)
    rows = reader.read_chunk().data.num_rows
    bucket.put("t", parquet(new))
    with pytest.raises(KeyError, match="ask again"):
        while True:
            batch = reader.read_chunk().data
            assert batch.column(0).to_numpy().tolist() == old.slice(rows, batch.num_rows).column(
                0).to_numpy().tolist()
            rows += batch.num_rows
    assert get(client, path("t")) == new


def test_what_the_disk_cache_has_of_a_replaced_version_still_serves(start_watched, bucket,
                                                                    tmp_path):
    old, new = noise(500_000, seed=1), noise(500_000, seed=2)
    bucket.put("t", parquet(old))
    watched = start_watched(flags=["--keep-versions", "0", *disk_cache(tmp_path / "cache")])
    assert get(watched.client, path("t")) == old
    reader = watched.client.do_get(info(watched.client, "t").endpoints[0].ticket)
    reader.read_chunk()
    bucket.put("t", parquet(new))
    assert reader.read_all().num_rows > 0
    assert get(watched.client, path("t")) == new


# The cache on disk.


def test_what_was_fetched_is_on_disk_also_for_the_next_server(start_watched, bucket, tmp_path):
    table = noise(1_000_000, columns=2)
    bucket.put("t", parquet(table))
    watched = start_watched(flags=disk_cache(tmp_path / "cache"))
    assert get(watched.client, path("t")) == table
    eventually(lambda: watched.disk("bytes") >= 2 * 8_000_000, "it is all on disk")
    gets = watched.gets()
    assert get(watched.client, path("t")) == table
    assert get(watched.client, command("t", columns=["c1"])) == table.select(["c1"])
    assert watched.gets() == gets
    watched.server.close_clients()
    assert watched.server.stop() == 0
    watched = start_watched(flags=disk_cache(tmp_path / "cache"))
    info(watched.client, "t")
    gets = watched.gets()
    assert get(watched.client, path("t")) == table
    assert watched.gets() == gets
    assert watched.disk("hits_total") > 0 and watched.disk("errors_total") == 0


@pytest.mark.parametrize("harm", ["flipped", "cut off", "emptied", "deleted"])
def test_a_damaged_cache_is_noticed_and_does_no_harm(start_watched, bucket, tmp_path, harm):
    table = noise(1_000_000, columns=2)
    bucket.put("t", parquet(table))
    watched = start_watched(flags=disk_cache(tmp_path / "cache", "1GiB"))
    assert get(watched.client, path("t")) == table
    eventually(lambda: watched.disk("bytes") >= 2 * 8_000_000, "it is all on disk")
    for file in (tmp_path / "cache").glob("*.parts"):
        if harm == "flipped":
            with open(file, "r+b") as opened:
                for place in range(1000, file.stat().st_size, 300_000):
                    opened.seek(place)
                    byte = opened.read(1)[0]
                    opened.seek(place)
                    opened.write(bytes([byte ^ 0x10]))
        elif harm == "deleted":
            file.unlink()
        else:
            with open(file, "r+b") as opened:
                opened.truncate(file.stat().st_size // 2 if harm == "cut off" else 0)
    assert get(watched.client, path("t")) == table
    assert (watched.disk("errors_total") > 0) == (harm != "deleted")
    assert get(watched.client, path("t")) == table


def test_the_cache_keeps_to_its_size(start_watched, bucket, tmp_path):
    folder = tmp_path / "cache"
    watched = start_watched(flags=disk_cache(folder, "16MiB"))
    for number in range(6):
        table = noise(1_000_000, seed=number)
        bucket.put(f"t{number}", parquet(table))
        assert get(watched.client, path(f"t{number}")) == table
        assert bytes_in(folder) <= 16 << 20
    assert watched.disk("evictions_total") > 0


def test_a_full_disk_is_said_once_and_fails_no_read(start_watched, bucket, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    table = noise(2_000_000)
    bucket.put("t", parquet(table))
    watched = start_watched(
        flags=disk_cache(small / "cache", "1GiB"),
        wrapper=[sys.executable, str(PRIVATE_MOUNT), "tmpfs", str(small), "size=4m,mode=0700"])
    for _ in range(2):
        assert get(watched.client, path("t")) == table
    assert watched.server.log().count("the disk cache fails") == 1
    assert watched.disk("errors_total") > 0


def test_what_was_damaged_on_its_way_is_fetched_again_and_not_kept(proxy, start_watched, bucket,
                                                                   tmp_path):
    table = noise(1_000_000, columns=2)
    bucket.put("t", parquet(table, write_page_checksum=True))
    watched = start_watched(flags=disk_cache(tmp_path / "cache"), through=proxy)
    info(watched.client, "t")
    proxy.arm(CorruptedAnswer(300_000), operation="GetObject")
    assert get(watched.client, path("t")) == table
    assert watched.metric("hangar_s3_damaged_answers_total") == 1
    assert watched.server.log().count("is damaged, and is asked for again") == 1
    assert get(watched.client, path("t")) == table  # What it lacks is kept now.
    eventually(lambda: watched.disk("bytes") >= 2 * 8_000_000, "it is all on disk")
    gets = watched.gets()
    assert get(watched.client, path("t")) == table
    assert watched.gets() == gets
    watched.server.close_clients()
    assert watched.server.stop() == 0
    watched = start_watched(flags=disk_cache(tmp_path / "cache"))
    assert get(watched.client, path("t")) == table
    assert watched.metric("hangar_s3_damaged_answers_total") == 0


def test_a_cache_folder_is_for_one_server(start_watched, start_s3_server, tmp_path):
    start_watched(flags=disk_cache(tmp_path / "cache"))
    with pytest.raises(AssertionError, match="another server"):
        start_s3_server(flags=disk_cache(tmp_path / "cache"))


def test_a_check_reads_what_is_stored_and_not_what_was_kept(start_watched, bucket, tmp_path):
    bucket.put("t", parquet(noise(500_000)))
    watched = start_watched(flags=disk_cache(tmp_path / "cache"))
    get(watched.client, path("t"))
    gets = watched.gets()
    results = list(watched.client.do_action(
        flight.Action("check_dataset", json.dumps({"dataset": "t"}).encode())))
    assert results
    # A request is counted once it has ended, a moment after its bytes are used.
    eventually(lambda: watched.gets() > gets, "the check asks the store")


# Files as they are.


def test_a_file_is_downloaded_in_few_requests_and_byte_for_byte(start_s3_server, bucket):
    data = parquet(noise(4_000_000))
    bucket.put("t", data)
    server = start_s3_server(flags=["--http", "127.0.0.1:0", "--metrics", "127.0.0.1:0"])
    http = server.next_uri()
    metrics = server.next_uri()

    def gets():
        with urllib.request.urlopen(metrics, timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines
                   if line.startswith("hangar_s3_requests_total{")
                   and 'operation="GetObject"' in line)
    before = gets()
    with urllib.request.urlopen(f"{http}/v1/datasets/t", timeout=60) as answer:
        assert answer.read() == data
    assert gets() - before <= len(data) / 2**21 + 6
    asked = urllib.request.Request(f"{http}/v1/datasets/t", headers={"Range": "bytes=1000-5000999"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.read() == data[1000:5_001_000]


# What is remembered of a bucket.


def test_what_is_remembered_is_not_asked_for_again(proxy, start_s3_server, bucket):
    bucket.put("t", parquet(SMALL))
    client = start_s3_server(through=proxy, flags=["--metadata-ttl", "1h"]).client()
    info(client, "t")
    proxy.forget()
    assert info(client, "t").total_records == SMALL.num_rows
    assert reads(proxy) == []


def test_what_is_remembered_is_old_only_of_what_others_change(start_s3_server, bucket):
    client = start_s3_server(flags=["--metadata-ttl", "1h"]).client()
    put(client, "t", SMALL)
    for length in (10, 20, 30):
        put(client, "t", SMALL.slice(0, length))
        assert get(client, path("t")).num_rows == length
    bucket.put("t", parquet(SMALL))
    assert info(client, "t").total_records == 30
    list(client.do_action(("drop_dataset", b"t")))
    with pytest.raises(KeyError):
        info(client, "t")


def test_a_version_that_was_remembered_and_is_gone_is_asked_for_once_more(start_s3_server, bucket):
    first, second = noise(200_000, seed=1), noise(200_000, seed=2)
    bucket.put("t", parquet(first))
    client = start_s3_server(flags=["--metadata-ttl", "1h", "--keep-versions", "0",
                                    "--cache-memory", "0"]).client()
    ticket = info(client, "t").endpoints[0].ticket
    bucket.put("t", parquet(second))
    # A ticket is of its version, a name of what is current.
    with pytest.raises(KeyError, match="ask again"):
        client.do_get(ticket).read_all()
    info(client, "t")
    bucket.put("t", parquet(first))
    assert client.do_get(flight.Ticket(b"t")).read_all() == first


def test_a_ticket_of_a_newer_version_than_is_remembered_is_redeemed(start_s3_server, bucket):
    slow = start_s3_server(flags=["--metadata-ttl", "1h"]).client()
    other = start_s3_server().client()
    put(other, "t", SMALL)
    assert get(slow, path("t")) == SMALL
    put(other, "t", SMALL.slice(5))
    ticket = info(other, "t").endpoints[0].ticket
    assert slow.do_get(ticket).read_all() == SMALL.slice(5)
