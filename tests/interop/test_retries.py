"""Uploads that are sent again with the same upload_id store nothing twice."""

import grpc
import pyarrow as pa
import pytest

from flight_steps import act, command, get, listed, numbers, put
from hangar_fixtures import ON_S3
from raw_flight import RawFlight, assert_refused, command_descriptor, ipc_messages
from test_concurrency import at_once
from test_versions import results, versions

INVALID = grpc.StatusCode.INVALID_ARGUMENT

ID = "nightly-2026-01-31"


def files(server):
    """What tells each stored file from every other one, past ones too."""
    if ON_S3:
        return server.contents()
    return {str(file.relative_to(server.data)): (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            for file in server.data.rglob("*.parquet*")
            if file.is_file() and (stat := file.stat())}


def test_a_second_upload_with_an_id_answers_as_the_first_one(server):
    client = server.client()
    first = put(client, command("t.parquet", upload_id=ID), numbers(10))
    assert "repeated" not in first
    before = files(server)
    for _ in range(3):
        again = put(client, command("t.parquet", upload_id=ID), numbers(10))
        assert again == {**first, "repeated": True}
    assert files(server) == before
    assert len(versions(client, "t.parquet")) == 1
    assert get(client, "t.parquet") == numbers(10)


def test_other_ids_and_none_are_other_uploads(server):
    client = server.client()
    answers = [put(client, command("t.parquet", upload_id=ID), numbers(1)),
               put(client, command("t.parquet", upload_id=ID + " again"), numbers(2)),
               put(client, "t.parquet", numbers(3)),
               put(client, "t.parquet", numbers(4)),
               put(client, command("other.parquet", upload_id=ID), numbers(5))]
    assert not [answer for answer in answers if "repeated" in answer]
    assert len({answer["version"] for answer in answers}) == 5
    assert len(versions(client, "t.parquet")) == 4
    assert get(client, "other.parquet") == numbers(5)


def test_ten_at_once_with_one_id_store_one_version(server):
    clients = [server.client() for _ in range(10)]
    for round in range(5):
        descriptor = command("t.parquet", upload_id=f"{ID}.{round}")
        answers = at_once(*(lambda c=c: put(c, descriptor, numbers(1000 + round))
                            for c in clients))
        assert all(isinstance(answer, dict) for answer in answers), answers
        assert len({answer["version"] for answer in answers}) == 1
        assert sum("repeated" not in answer for answer in answers) == 1
        assert len(versions(clients[0], "t.parquet")) == round + 1
        assert get(clients[0], "t.parquet") == numbers(1000 + round)
    assert server.staged() == []


def test_an_id_is_remembered_after_a_restart(start_server):
    server = start_server()
    first = put(server.client(), command("t.parquet", upload_id=ID), numbers(10))
    assert server.stop() == 0
    server = start_server(data=server.data)
    before = files(server)
    again = put(server.client(), command("t.parquet", upload_id=ID), numbers(10))
    assert again == {**first, "repeated": True}
    assert files(server) == before


def test_an_id_is_remembered_when_the_server_was_killed(start_server):
    server = start_server()
    first = put(server.client(), command("t.parquet", upload_id=ID), numbers(10))
    server.kill()
    server = start_server(data=server.data)
    assert put(server.client(), command("t.parquet", upload_id=ID), numbers(10)) == {
        **first, "repeated": True}


def test_creating_again_with_the_id_is_no_error(server):
    client = server.client()
    first = put(client, command("t.parquet", mode="create", upload_id=ID), numbers(10))
    again = put(client, command("t.parquet", mode="create", upload_id=ID), numbers(10))
    assert again == {**first, "repeated": True}
    with pytest.raises(pa.ArrowInvalid, match="exists"):
        put(client, command("t.parquet", mode="create", upload_id="another"), numbers(10))
    with pytest.raises(pa.ArrowInvalid, match="exists"):
        put(client, command("t.parquet", mode="create"), numbers(10))


def test_replacing_a_version_again_with_the_id_is_no_error(server):
    client = server.client()
    old = put(client, "t.parquet", numbers(1))["version"]
    first = put(client, command("t.parquet", if_version=old, upload_id=ID), numbers(2))
    again = put(client, command("t.parquet", if_version=old, upload_id=ID), numbers(2))
    assert again == {**first, "repeated": True}
    with pytest.raises(pa.ArrowInvalid, match="t.parquet"):
        put(client, command("t.parquet", if_version=old, upload_id="another"), numbers(3))
    assert get(client, "t.parquet") == numbers(2)


def test_an_upload_that_failed_has_used_up_no_id(server):
    client = server.client()
    put(client, "t.parquet", numbers(1))
    for _ in range(2):
        with pytest.raises(pa.ArrowInvalid):
            put(client, command("t.parquet", mode="create", upload_id=ID), numbers(2))
    stored = put(client, command("t.parquet", upload_id=ID), numbers(3))
    assert "repeated" not in stored
    assert get(client, "t.parquet") == numbers(3)


def test_a_repeated_upload_does_not_take_back_what_came_after_it(server):
    client = server.client()
    first = put(client, command("t.parquet", upload_id=ID), numbers(1))
    second = put(client, "t.parquet", numbers(2))
    again = put(client, command("t.parquet", upload_id=ID), numbers(1))
    assert again == {**first, "repeated": True}
    assert get(client, "t.parquet") == numbers(2)
    act(client, "drop_dataset", "t.parquet")
    assert put(client, command("t.parquet", upload_id=ID), numbers(1)) == again
    assert listed(client) == []
    assert [entry["version"] for entry in versions(client, "t.parquet")] == [
        second["version"], first["version"]]


def test_an_id_is_forgotten_with_what_it_stored(server):
    client = server.client()
    first = put(client, command("t.parquet", upload_id=ID), numbers(1))
    act(client, "drop_dataset", {"dataset": "t.parquet", "purge": True})
    again = put(client, command("t.parquet", upload_id=ID), numbers(2))
    assert "repeated" not in again
    assert again["version"] != first["version"]
    assert get(client, "t.parquet") == numbers(2)


def test_a_restored_version_still_knows_its_id(server):
    client = server.client()
    first = put(client, command("t.parquet", upload_id=ID), numbers(1))
    put(client, "t.parquet", numbers(2))
    results(client, "restore_dataset", {"dataset": "t.parquet", "version": first["version"]})
    assert put(client, command("t.parquet", upload_id=ID), numbers(1)) == {
        **first, "repeated": True}


@pytest.mark.parametrize("upload_id", ["x", "é" * 64, "x" * 128, "a/b c\n\"{}"])
def test_any_text_of_128_bytes_is_an_id(server, upload_id):
    client = server.client()
    first = put(client, command("t.parquet", upload_id=upload_id), numbers(1))
    assert put(client, command("t.parquet", upload_id=upload_id), numbers(1)) == {
        **first, "repeated": True}
    assert get(client, "t.parquet").schema == numbers(1).schema


@pytest.mark.parametrize("body", ['""', '"' + "x" * 129 + '"', '"é' + "x" * 127 + '"', "1", "null",
                                  "[]"])
def test_an_id_that_is_none_is_refused(server, body):
    whole = f'{{"dataset": "t.parquet", "upload_id": {body}}}'
    descriptor = command_descriptor(whole.encode())
    with RawFlight(server) as raw:
        assert_refused(server, INVALID, ".", raw.put, descriptor,
                       ipc_messages(numbers(1).to_batches()))
    assert listed(server.client()) == []
