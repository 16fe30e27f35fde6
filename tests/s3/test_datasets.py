"""Datasets in a bucket: what clients see, what other tools see, and what several servers agree on."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from faults import ResetBeforeAnswer, ResetInAnswer, s3_error
from flight_steps import (
    act, command, get, info, listed, parquet, path, put, put_file, version)
from hangar_fixtures import eventually

SMALL = pa.table({"x": pa.array(range(1000), pa.int64())})


def noise(rows, seed=0):
    return pa.table({"x": np.random.default_rng(seed).integers(0, 2**62, rows)})


def unseen(bucket):
    """What Hangar keeps in the bucket beside datasets and their past."""
    return [key for key in bucket.keys() if key.startswith("_hangar/staging/")]


@pytest.mark.parametrize("name", [
    "a", "a/b.parquet", "with space+plus%20=*.parquet", "été/日本/🐝.parquet", "!a !b"])
def test_a_table_comes_back_whatever_its_name(start_s3_server, bucket, name):
    client = start_s3_server().client()
    put(client, name, SMALL)
    assert get(client, path(name)) == SMALL
    assert listed(client) == [name]
    assert pq.read_table(io.BytesIO(bucket.get(name))) == SMALL


@pytest.mark.parametrize("rows", [1_000_000, 4_000_000], ids=["one part", "several parts"])
def test_a_large_table_comes_back_and_nothing_is_left_over(start_s3_server, bucket, rows):
    client = start_s3_server().client()
    table = noise(rows)
    put(client, "big", table)
    assert get(client, path("big")) == table
    assert bucket.uploads() == [] and unseen(bucket) == []


def test_what_other_tools_put_there_is_served(start_s3_server, bucket):
    bucket.put("theirs/t.parquet", parquet(SMALL))
    client = start_s3_server().client()
    assert listed(client) == ["theirs/t.parquet"]
    assert get(client, path("theirs/t.parquet")) == SMALL
    bucket.put("theirs/t.parquet", parquet(SMALL.slice(5)))
    assert get(client, path("theirs/t.parquet")) == SMALL.slice(5)
    bucket.delete("theirs/t.parquet")
    assert listed(client) == []


def test_a_replaced_version_can_be_read_and_brought_back(start_s3_server):
    client = start_s3_server().client()
    put(client, "t", SMALL)
    first = version(client, "t")
    put(client, "t", SMALL.slice(1))
    assert get(client, command("t", version=first)) == SMALL
    act(client, "restore_dataset", json.dumps({"dataset": "t", "version": first}))
    assert get(client, path("t")) == SMALL


@pytest.mark.parametrize("table", [SMALL, noise(2_000_000)], ids=["small", "large"])
def test_a_dropped_dataset_comes_back_and_a_renamed_one_is_elsewhere(start_s3_server, bucket,
                                                                     table):
    client = start_s3_server().client()
    put(client, "t", table)
    act(client, "drop_dataset", "t")
    assert listed(client) == []
    assert "t" not in bucket.keys()
    act(client, "undrop_dataset", "t")
    act(client, "rename_dataset", json.dumps({"from": "t", "to": "u/v"}))
    assert listed(client) == ["u/v"]
    assert get(client, path("u/v")) == table
    assert unseen(bucket) == [] and bucket.uploads() == []


def test_a_ticket_outlives_replacement_and_drop(start_s3_server):
    client = start_s3_server().client()
    put(client, "t", SMALL)
    ticket = info(client, "t").endpoints[0].ticket
    put(client, "t", SMALL.slice(3))
    assert client.do_get(ticket).read_all() == SMALL
    act(client, "drop_dataset", "t")
    assert client.do_get(ticket).read_all() == SMALL


def test_without_a_past_a_replaced_version_is_said_to_have_changed(start_s3_server, bucket):
    client = start_s3_server(flags=["--keep-versions", "0"]).client()
    put(client, "t", SMALL)
    ticket = info(client, "t").endpoints[0].ticket
    put(client, "t", SMALL.slice(3))
    with pytest.raises(KeyError, match="ask"):
        client.do_get(ticket).read_all()
    assert bucket.keys() == ["t"]


def test_what_one_server_writes_the_other_one_sees_at_once(start_s3_server):
    one, other = start_s3_server().client(), start_s3_server().client()
    for round_number in range(10):
        table = SMALL.slice(round_number)
        put(one, "t", table)
        assert get(other, path("t")) == table
        ticket = info(one, "t").endpoints[0].ticket
        assert other.do_get(ticket).read_all() == table
    act(other, "drop_dataset", "t")
    assert listed(one) == []


def test_an_upload_whose_server_dies_is_not_seen(start_s3_server):
    server = start_s3_server()
    writer, _ = server.client().do_put(path("t"), noise(1).schema)
    for seed in range(8):
        writer.write_table(noise(500_000, seed))
    server.kill()
    assert listed(start_s3_server().client()) == []


@pytest.mark.parametrize("operation", ["PutObject", "CreateMultipartUpload", "UploadPart",
                                       "CompleteMultipartUpload", "HeadObject"])
@pytest.mark.parametrize("fault", [
    ResetBeforeAnswer(), s3_error(500, "InternalError"), s3_error(503, "SlowDown"),
    s3_error(429, "TooManyRequests")], ids=["reset", "500", "503", "429"])
def test_a_put_outlives_a_fault_of_the_store(proxy, start_s3_server, operation, fault):
    client = start_s3_server(through=proxy).client()
    armed = proxy.arm(fault, operation=operation)
    table = noise(1_500_000) if operation not in ("PutObject", "HeadObject") else SMALL
    put(client, "t", table)
    assert armed.done == 1
    assert get(client, path("t")) == table


@pytest.mark.parametrize("operation", ["CopyObject", "UploadPartCopy"])
@pytest.mark.parametrize("fault", [
    ResetBeforeAnswer(), s3_error(500, "InternalError"), s3_error(503, "SlowDown")],
    ids=["reset", "500", "503"])
def test_a_rename_outlives_a_fault_of_the_store(proxy, start_s3_server, operation, fault):
    client = start_s3_server(through=proxy).client()
    table = noise(1_500_000)
    put(client, "t", table)
    armed = proxy.arm(fault, operation=operation)
    act(client, "rename_dataset", json.dumps({"from": "t", "to": "u"}))
    assert armed.done == 1
    assert listed(client) == ["u"]
    assert get(client, path("u")) == table


@pytest.mark.parametrize("operation", ["UploadPart", "UploadPartCopy", "CompleteMultipartUpload"])
def test_a_put_of_a_file_outlives_a_fault_of_the_store(proxy, start_s3_server, bucket, operation):
    # It is verified in staging, then copied to its name by the store.
    client = start_s3_server(through=proxy).client()
    armed = proxy.arm(ResetBeforeAnswer(), operation=operation)
    data = parquet(noise(1_500_000), compression="none")
    put_file(client, "t", data, block=1 << 20)
    assert armed.done == 1
    assert bucket.get("t") == data
    eventually(lambda: not bucket.unpublished(), "nothing of staging stays")


def test_rows_go_straight_to_their_key(proxy, start_s3_server):
    client = start_s3_server(through=proxy).client()
    proxy.forget()
    put(client, "t", noise(4_000_000))
    operations = proxy.operations()
    assert operations.count("UploadPart") >= 3
    assert not {"CopyObject", "UploadPartCopy", "PutObject", "GetObject"} & set(operations)


@pytest.mark.parametrize("fault", [ResetBeforeAnswer(), ResetInAnswer(),
                                   s3_error(503, "SlowDown")], ids=["reset", "cut off", "503"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_read_outlives_a_fault_of_the_store(proxy, start_s3_server, bucket, fault, nth):
    table = noise(1_000_000)
    bucket.put("t", parquet(table))
    client = start_s3_server(through=proxy).client()
    armed = proxy.arm(fault, operation="GetObject", nth=nth)
    assert get(client, path("t")) == table
    assert armed.done == 1


def test_a_store_that_stays_away_is_said_to_be_away(proxy, start_s3_server):
    server = start_s3_server(through=proxy)
    client = server.client()
    put(client, "t", SMALL)
    proxy.arm(s3_error(503, "SlowDown"), operation="HeadObject", times=1000)
    with pytest.raises(flight.FlightUnavailableError):
        info(client, "t")
    proxy.disarm()
    eventually(lambda: get(client, path("t")) == SMALL, "it works again")
