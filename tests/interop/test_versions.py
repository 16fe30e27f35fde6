"""What was replaced or dropped: tickets that stay good, and versions that come back, for plain
Flight clients."""

import datetime
import io
import itertools
import json
import random

import grpc
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from flight_steps import act, command, get, info, listed, numbers, path, put, version
from hangar_fixtures import eventually, not_on_s3
from raw_flight import (
    RawFlight, action_message, assert_fit_for_clients, assert_refused, bytes_field,
    command_descriptor, path_descriptor, ticket_message)
from test_concurrency import at_once

NOT_FOUND = grpc.StatusCode.NOT_FOUND
ALREADY_EXISTS = grpc.StatusCode.ALREADY_EXISTS
FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
INVALID = grpc.StatusCode.INVALID_ARGUMENT

# Nothing is kept but what tickets name, and that for a second.
NOTHING_KEPT = ("--ticket-ttl", "1s", "--keep-versions", "0", "--keep-for", "0s",
                "--history-bytes", "0")


def past_of(server):
    """What is stored of the past: {key: what tells it from others}."""
    return {key: content for key, content in server.contents().items()
            if key.startswith("_hangar/history/")}


def results(client, kind, body=b""):
    """The JSON objects that an action answers."""
    return [json.loads(result) for result in act(client, kind, body)]


def result(client, kind, body=b""):
    (only,) = results(client, kind, body)
    return only


def versions(client, name):
    return results(client, "list_versions", name)


def tickets(client, descriptor):
    return [endpoint.ticket for endpoint in info(client, descriptor).endpoints]


def redeem(client, *of_tickets):
    return pa.concat_tables(client.do_get(ticket).read_all() for ticket in of_tickets)


def about(found):
    return json.loads(found.app_metadata)


def text(moment):
    """Nanoseconds since the epoch as RFC 3339."""
    seconds, nanoseconds = divmod(moment, 10**9)
    spelled = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{spelled}.{nanoseconds:09}Z"


def moment(spelled):
    """The reverse of `text`."""
    whole, fraction = spelled.removesuffix("Z").split(".")
    seconds = int(datetime.datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 10**9 + int(fraction)


def stored_versions(client, name, count):
    """Puts so many versions, of 1, 2, 3, ... rows; what the server answered, in that order."""
    return [put(client, name, numbers(rows + 1)) for rows in range(count)]


def noise(rows):
    """Takes 8 bytes a row, however it is stored."""
    rng = random.Random(1)
    return pa.table({"v": [rng.getrandbits(63) for _ in range(rows)]})


# ---- tickets

def replace(client):
    put(client, "t.parquet", numbers(5))


def drop(client):
    act(client, "drop_dataset", "t.parquet")


def rename(client):
    act(client, "rename_dataset", {"from": "t.parquet", "to": "elsewhere/t.parquet"})


def drop_and_create(client):
    drop(client)
    put(client, "t.parquet", pa.table({"other": ["x"]}))


def overwrite_by_rename(client):
    put(client, "other.parquet", numbers(7))
    act(client, "rename_dataset", {"from": "other.parquet", "to": "t.parquet", "overwrite": True})


CHANGES = [replace, drop, rename, drop_and_create, overwrite_by_rename]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_ticket_is_good_whatever_happens_to_the_dataset(start_server, change):
    server = start_server()
    client = server.client()
    table = numbers(1000)
    put(client, command("t.parquet", row_group_rows=100), table)
    whole = tickets(client, "t.parquet")
    parts = tickets(client, command("t.parquet", partitions=4, columns=["v"]))
    assert len(parts) == 4
    change(client)
    assert redeem(client, *whole) == table
    assert redeem(client, *parts) == table
    assert server.stop() == 0
    client = start_server(data=server.data).client()
    assert redeem(client, *whole) == table
    assert redeem(client, *parts) == table


def test_a_ticket_outlives_many_changes_in_a_row(server):
    client = server.client()
    first = numbers(10)
    put(client, "t.parquet", first)
    (ticket,) = tickets(client, "t.parquet")
    for change in (replace, replace, drop, replace, rename, replace, drop):
        change(client)
        assert redeem(client, ticket) == first


def test_endpoints_say_until_when_they_are_good(start_server):
    server = start_server(flags=["--ticket-ttl", "1h"])
    client = server.client()
    put(client, "t.parquet", numbers(3))
    now = datetime.datetime.now(datetime.UTC)
    for endpoint in info(client, command("t.parquet", partitions=2)).endpoints:
        left = endpoint.expiration_time.as_py() - now
        assert datetime.timedelta(minutes=50) < left < datetime.timedelta(minutes=70)


@pytest.mark.parametrize("change", [replace, drop, rename], ids=lambda change: change.__name__)
def test_a_ticket_that_is_too_old_says_that_the_dataset_changed(start_server, change):
    server = start_server(flags=NOTHING_KEPT)
    client = server.client()
    put(client, "t.parquet", numbers(3))
    (ticket,) = tickets(client, "t.parquet")
    change(client)

    def is_gone():
        try:
            assert redeem(client, ticket) == numbers(3)
        except KeyError:
            return True

    eventually(is_gone, "the ticket is not good any more")
    with RawFlight(server) as raw:
        assert_refused(server, NOT_FOUND, "'t.parquet'.*the dataset changed.*ask for it again",
                       raw.stream, "DoGet", ticket_message(ticket.ticket))
    eventually(lambda: not past_of(server), "nothing is left of it in the store")


def test_what_is_current_stays_readable_by_the_oldest_ticket(start_server):
    server = start_server(flags=NOTHING_KEPT)
    client = server.client()
    put(client, "current.parquet", numbers(3))
    put(client, "t.parquet", numbers(4))
    (current,), (old,) = tickets(client, "current.parquet"), tickets(client, "t.parquet")
    drop(client)

    def is_gone():
        assert redeem(client, current) == numbers(3)
        try:
            redeem(client, old)
        except KeyError:
            return True

    eventually(is_gone, "the ticket of the dropped one is not good any more")
    assert redeem(client, current) == numbers(3)


def renewed(client, endpoint):
    request = bytes_field(1, endpoint.serialize())
    (answer,) = act(client, "RenewFlightEndpoint", request)
    return flight.FlightEndpoint.deserialize(answer)


def test_a_renewed_endpoint_is_the_same_for_longer(server):
    client = server.client()
    put(client, "t.parquet", numbers(3))
    (endpoint,) = info(client, "t.parquet").endpoints
    longer = renewed(client, endpoint)
    assert longer.ticket == endpoint.ticket
    assert longer.locations == endpoint.locations
    assert longer.app_metadata == endpoint.app_metadata
    assert longer.expiration_time.as_py() > endpoint.expiration_time.as_py()
    assert redeem(client, longer.ticket) == numbers(3)


@not_on_s3("with --keep-versions 0 a bucket keeps nothing for tickets either")
def test_renewing_keeps_a_version_while_others_go(start_server):
    server = start_server(flags=["--ticket-ttl", "3s", *NOTHING_KEPT[2:]])
    client = server.client()
    for name in ("a.parquet", "b.parquet"):
        put(client, name, numbers(3))
    (endpoint,) = info(client, "a.parquet").endpoints
    (other,) = tickets(client, "b.parquet")
    for name in ("a.parquet", "b.parquet"):
        act(client, "drop_dataset", name)

    def is_gone():
        assert renewed(client, endpoint).ticket == endpoint.ticket
        try:
            redeem(client, other)
        except KeyError:
            return True

    eventually(is_gone, "the one that is not renewed goes")
    assert redeem(client, endpoint.ticket) == numbers(3)


def test_what_cannot_be_renewed_is_refused(server):
    client = server.client()
    put(client, "t.parquet", numbers(3))
    (endpoint,) = info(client, "t.parquet").endpoints
    drop(client)
    results(client, "purge_versions", {"dataset": "t.parquet"})
    with RawFlight(server) as raw:
        def renew(body):
            return raw.stream("DoAction", action_message("RenewFlightEndpoint", body))
        assert_refused(server, NOT_FOUND, "t.parquet", renew, bytes_field(1, endpoint.serialize()))
        nonsense = flight.FlightEndpoint(b"\x01nonsense", [])
        assert_refused(server, INVALID, "ticket", renew,
                       bytes_field(1, nonsense.serialize()))
        for body in (b"", b"\xff\xff\xff"):
            assert_refused(server, INVALID, ".", renew, body)


# ---- versions

def test_versions_are_listed_the_current_one_first(server):
    client = server.client()
    stored = stored_versions(client, "a/t.parquet", 4)
    found = versions(client, "a/t.parquet")
    assert found == versions(client, {"dataset": "a/t.parquet"})
    assert [entry["version"] for entry in found] == [s["version"] for s in reversed(stored)]
    assert [entry["rows"] for entry in found] == [4, 3, 2, 1]
    assert [entry["bytes"] for entry in found] == [s["bytes"] for s in reversed(stored)]
    assert [entry["current"] for entry in found] == [True, False, False, False]
    assert [entry.get("by") for entry in found] == [None] + ["replaced"] * 3
    assert "retired" not in found[0]
    for newer, older in itertools.pairwise(found):
        assert moment(older["modified"]) <= moment(newer["modified"])
        assert moment(older["retired"]) >= moment(older["modified"])
    drop_body = {"dataset": "a/t.parquet", "if_version": stored[-1]["version"]}
    act(client, "drop_dataset", drop_body)
    dropped = versions(client, "a/t.parquet")
    assert [entry["version"] for entry in dropped] == [entry["version"] for entry in found]
    assert dropped[0]["by"] == "dropped" and not dropped[0]["current"]
    with RawFlight(server) as raw:
        assert_refused(server, NOT_FOUND, "'none'", raw.stream, "DoAction",
                       action_message("list_versions", b"none"))


def test_every_kept_version_can_be_read(server):
    client = server.client()
    stored = stored_versions(client, "t.parquet", 4)
    drop(client)
    for rows, answer in enumerate(stored, start=1):
        descriptor = command("t.parquet", version=answer["version"])
        found = info(client, descriptor)
        assert about(found)["version"] == answer["version"]
        assert moment(about(found)["retired"]) >= moment(about(found)["modified"])
        assert found.total_records == rows
        assert get(client, descriptor) == numbers(rows)
        assert client.get_schema(descriptor).schema == numbers(1).schema
        part = command("t.parquet", version=answer["version"], offset=rows - 1, limit=5)
        assert get(client, part) == numbers(1, start=rows - 1)
    with pytest.raises(KeyError, match="t.parquet"):
        info(client, command("t.parquet", version="0" * 32))
    with pytest.raises(KeyError, match="t.parquet"):
        info(client, "t.parquet")


def test_the_current_version_is_not_called_retired(server):
    client = server.client()
    stored = put(client, "t.parquet", numbers(1))
    assert "retired" not in about(info(client, "t.parquet"))
    assert "retired" not in about(info(client, command("t.parquet", version=stored["version"])))
    assert "retired" not in about(next(client.list_flights()))


def test_as_of_reads_what_was_current_then(server):
    client = server.client()
    stored = stored_versions(client, "t.parquet", 3)
    found = versions(client, "t.parquet")[::-1]
    retired = [moment(entry["retired"]) for entry in found[:2]]

    def at(when):
        return about(info(client, command("t.parquet", as_of=text(when))))["version"]

    for number, when in enumerate(retired):
        assert at(when - 1) == stored[number]["version"]
        assert at(when) == stored[number + 1]["version"]
    assert at(retired[1] + 10**18) == stored[2]["version"]
    first = moment(found[0]["modified"])
    assert at(first) == stored[0]["version"]
    with pytest.raises(KeyError, match="t.parquet"):
        at(first - 1)
    assert get(client, command("t.parquet", as_of=text(retired[0]))) == numbers(2)
    # In another zone, and with fewer digits.
    later = datetime.datetime.fromtimestamp(retired[1] // 10**9 + 3600 + 10, datetime.UTC)
    zone = later.strftime("%Y-%m-%dT%H:%M:%S+01:00")
    assert about(info(client, command("t.parquet", as_of=zone)))["version"] == stored[2]["version"]


@not_on_s3("knows times of modification to the second")
def test_as_of_when_the_dataset_was_not_there_is_not_found(server):
    client = server.client()
    first = put(client, "t.parquet", numbers(1))
    drop(client)
    dropped = moment(versions(client, "t.parquet")[0]["retired"])
    second = put(client, "t.parquet", numbers(2))
    for when, want in ((dropped - 1, first), (moment(versions(client, "t.parquet")[0]["modified"]),
                                              second)):
        found = about(info(client, command("t.parquet", as_of=text(when))))
        assert found["version"] == want["version"]
    with pytest.raises(KeyError, match="t.parquet"):
        info(client, command("t.parquet", as_of=text(dropped)))


@pytest.mark.parametrize("wrong", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00",
                                   "2026-01-01 00:00:00Z", 5, None])
def test_a_time_that_is_none_is_refused(server, wrong):
    client = server.client()
    stored = put(client, "t.parquet", numbers(1))
    with RawFlight(server) as raw:
        body = json.dumps({"dataset": "t.parquet", "as_of": wrong}).encode()
        assert_refused(server, INVALID, "as_of", raw.get_info, command_descriptor(body))
        both = json.dumps({"dataset": "t.parquet", "version": stored["version"],
                           "as_of": "2100-01-01T00:00:00Z"}).encode()
        assert_refused(server, INVALID, "as_of", raw.get_info, command_descriptor(both))


# ---- coming back

def test_a_restored_version_is_the_current_one_and_what_was_current_is_kept(server):
    client = server.client()
    first, second, third = stored_versions(client, "t.parquet", 3)
    answer = result(client, "restore_dataset",
                    {"dataset": "t.parquet", "version": first["version"]})
    assert answer == {"dataset": "t.parquet", "version": first["version"]}
    assert version(client, "t.parquet") == first["version"]
    assert get(client, "t.parquet") == numbers(1)
    assert pq.read_table(io.BytesIO(server.stored("t.parquet"))) == numbers(1)
    assert [entry["version"] for entry in versions(client, "t.parquet")] == [
        first["version"], third["version"], second["version"]]
    result(client, "restore_dataset", {"dataset": "t.parquet", "version": third["version"],
                                       "if_version": first["version"]})
    assert get(client, "t.parquet") == numbers(3)


def test_a_version_can_be_restored_by_the_time_at_which_it_was_current(server):
    client = server.client()
    stored = stored_versions(client, "t.parquet", 3)
    when = versions(client, "t.parquet")[2]["retired"]
    answer = result(client, "restore_dataset", {"dataset": "t.parquet", "as_of": when})
    assert answer["version"] == stored[1]["version"]
    assert get(client, "t.parquet") == numbers(2)


def test_restoring_brings_a_dropped_dataset_back_in_any_of_its_versions(server):
    client = server.client()
    stored = stored_versions(client, "t.parquet", 3)
    drop(client)
    result(client, "restore_dataset", {"dataset": "t.parquet", "version": stored[1]["version"]})
    assert listed(client) == ["t.parquet"]
    assert get(client, "t.parquet") == numbers(2)
    assert results(client, "list_trash") == []


def test_what_cannot_be_restored_is_refused_and_nothing_changes(server):
    client = server.client()
    first, second = stored_versions(client, "t.parquet", 2)
    before = versions(client, "t.parquet")
    with RawFlight(server) as raw:
        def refused(code, sentence, **body):
            body = json.dumps({"dataset": "t.parquet", **body}).encode()
            assert_refused(server, code, sentence, raw.stream, "DoAction",
                           action_message("restore_dataset", body))
        refused(NOT_FOUND, "t.parquet", version="0" * 32)
        refused(NOT_FOUND, "t.parquet", as_of="2001-01-01T00:00:00Z")
        refused(NOT_FOUND, "none.parquet", dataset="none.parquet", version=first["version"])
        refused(FAILED_PRECONDITION, "t.parquet", version=first["version"],
                if_version=first["version"])
        refused(INVALID, "version", version=first["version"], as_of="2100-01-01T00:00:00Z")
        refused(INVALID, "version")
        refused(INVALID, "'nonsense'", version=first["version"], nonsense=1)
        refused(INVALID, ".", dataset="../t.parquet", version=first["version"])
    assert versions(client, "t.parquet") == before


def test_undrop_brings_back_what_was_dropped_last(server):
    client = server.client()
    stored = stored_versions(client, "a/b/t.parquet", 2)
    act(client, "drop_dataset", "a/b/t.parquet")
    assert not [key for key in server.contents() if key.startswith("a")]
    assert listed(client) == []
    answer = result(client, "undrop_dataset", "a/b/t.parquet")
    assert answer == {"dataset": "a/b/t.parquet", "version": stored[1]["version"]}
    assert get(client, "a/b/t.parquet") == numbers(2)
    assert [entry["version"] for entry in versions(client, "a/b/t.parquet")] == [
        stored[1]["version"], stored[0]["version"]]
    act(client, "drop_dataset", "a/b/t.parquet")
    assert result(client, "undrop_dataset", {"dataset": "a/b/t.parquet"}) == answer


def test_undrop_refuses_a_name_that_is_taken_or_unknown(server):
    client = server.client()
    put(client, "t.parquet", numbers(1))
    with RawFlight(server) as raw:
        def refused(code, name):
            assert_refused(server, code, name, raw.stream, "DoAction",
                           action_message("undrop_dataset", name.encode()))
        refused(ALREADY_EXISTS, "t.parquet")
        drop(client)
        put(client, "t.parquet", numbers(2))
        refused(ALREADY_EXISTS, "t.parquet")
        refused(NOT_FOUND, "none.parquet")
    assert get(client, "t.parquet") == numbers(2)


def test_dropped_datasets_come_back_after_a_restart(start_server):
    server = start_server()
    client = server.client()
    stored = stored_versions(client, "t.parquet", 2)
    drop(client)
    assert server.stop() == 0
    client = start_server(data=server.data).client()
    assert [entry["dataset"] for entry in results(client, "list_trash")] == ["t.parquet"]
    assert result(client, "undrop_dataset", "t.parquet")["version"] == stored[1]["version"]
    assert get(client, "t.parquet") == numbers(2)


# ---- the trash

def test_the_trash_lists_what_is_dropped_and_not_there_again(server):
    client = server.client()
    names = ["a/1.parquet", "a/2.parquet", "b/1.parquet", "c.parquet"]
    stored = {name: stored_versions(client, name, 2)[1] for name in names}
    assert results(client, "list_trash") == []
    for name in names:
        act(client, "drop_dataset", name)
    put(client, "c.parquet", numbers(9))
    found = results(client, "list_trash")
    assert [entry["dataset"] for entry in found] == names[:3]
    for entry in found:
        assert entry["version"] == stored[entry["dataset"]]["version"]
        assert entry["rows"] == 2
        assert entry["bytes"] == stored[entry["dataset"]]["bytes"]
        assert entry["dropped"] == versions(client, entry["dataset"])[0]["retired"]

    def trash(**criteria):
        return [entry["dataset"] for entry in results(client, "list_trash", criteria)]

    assert trash(prefix="a/") == names[:2]
    assert trash(glob="*/1.parquet") == ["a/1.parquet", "b/1.parquet"]
    assert trash(after="a/1.parquet") == ["a/2.parquet", "b/1.parquet"]
    assert trash(limit=1) == ["a/1.parquet"]
    assert trash(limit=0) == []
    assert trash(prefix="a", glob="**", after="a/1.parquet", limit=1) == ["a/2.parquet"]
    with RawFlight(server) as raw:
        for wrong in (b"[]", b"{", b'{"nonsense": 1}', b'{"limit": -1}', b'{"limit": "x"}'):
            assert_refused(server, INVALID, ".", raw.stream, "DoAction",
                           action_message("list_trash", wrong))


def test_a_renamed_dataset_is_not_in_the_trash(server):
    client = server.client()
    put(client, "t.parquet", numbers(1))
    rename(client)
    assert results(client, "list_trash") == []
    with pytest.raises(KeyError):
        result(client, "undrop_dataset", "t.parquet")


# ---- removing for good

def test_purging_removes_what_is_not_current(server):
    client = server.client()
    stored = stored_versions(client, "t.parquet", 4)
    (old,) = tickets(client, command("t.parquet", version=stored[0]["version"]))
    one = result(client, "purge_versions",
                 {"dataset": "t.parquet", "version": stored[1]["version"]})
    assert one == {"dataset": "t.parquet", "versions": 1, "bytes": stored[1]["bytes"]}
    assert [entry["rows"] for entry in versions(client, "t.parquet")] == [4, 3, 1]
    rest = result(client, "purge_versions", {"dataset": "t.parquet"})
    assert rest == {"dataset": "t.parquet", "versions": 2,
                    "bytes": stored[0]["bytes"] + stored[2]["bytes"]}
    assert [entry["rows"] for entry in versions(client, "t.parquet")] == [4]
    assert get(client, "t.parquet") == numbers(4)
    with pytest.raises(KeyError, match="t.parquet"):
        redeem(client, old)
    assert result(client, "history_status")["versions"] == 0
    assert not past_of(server)


def test_a_current_version_cannot_be_purged(server):
    client = server.client()
    stored = put(client, "t.parquet", numbers(1))
    with RawFlight(server) as raw:
        for body in ({"dataset": "t.parquet", "version": stored["version"]},
                     {"dataset": "t.parquet"}, {"dataset": "none.parquet"}):
            assert_refused(server, NOT_FOUND, body["dataset"], raw.stream, "DoAction",
                           action_message("purge_versions", json.dumps(body).encode()))
    assert get(client, "t.parquet") == numbers(1)


def test_a_drop_for_good_leaves_nothing(server):
    client = server.client()
    stored_versions(client, "t.parquet", 3)
    (ticket,) = tickets(client, "t.parquet")
    act(client, "drop_dataset", {"dataset": "t.parquet", "purge": True})
    assert listed(client) == []
    assert results(client, "list_trash") == []
    for body in ("list_versions", "undrop_dataset"):
        with pytest.raises(KeyError, match="t.parquet"):
            results(client, body, "t.parquet")
    with pytest.raises(KeyError):
        redeem(client, ticket)
    assert result(client, "history_status")["bytes"] == 0


def test_a_read_that_runs_finishes_although_its_version_is_purged(server):
    client = server.client()
    table = numbers(3_000_000)
    put(client, "t.parquet", table)
    (ticket,) = tickets(client, "t.parquet")
    reader = client.do_get(ticket)
    first = reader.read_chunk().data
    act(client, "drop_dataset", {"dataset": "t.parquet", "purge": True})
    rest = reader.read_all()
    assert pa.concat_tables([pa.Table.from_batches([first]), rest]) == table


# ---- conditions

def conditional_changes(name, wrong):
    body = {"dataset": name, "if_version": wrong}
    return {
        "put": lambda client: put(client, command(name, if_version=wrong), numbers(9)),
        "drop": lambda client: act(client, "drop_dataset", body),
        "rename": lambda client: act(client, "rename_dataset",
                                     {"from": name, "to": "new.parquet", "if_version": wrong}),
        "restore": lambda client: act(client, "restore_dataset",
                                      {**body, "version": versions(client, name)[-1]["version"]}),
    }


@pytest.mark.parametrize("change", ["put", "drop", "rename", "restore"])
@pytest.mark.parametrize("dropped", [False, True])
def test_if_version_lets_nothing_else_be_changed(server, change, dropped):
    client = server.client()
    stored = stored_versions(client, "t.parquet", 3)
    if dropped:
        drop(client)
    before = versions(client, "t.parquet")
    for wrong in (stored[1]["version"], "0" * 32, "nonsense"):
        with pytest.raises((pa.ArrowInvalid, KeyError), match="t.parquet"):
            conditional_changes("t.parquet", wrong)[change](client)
        assert versions(client, "t.parquet") == before
        assert listed(client) == ([] if dropped else ["t.parquet"])


def test_a_failed_condition_has_its_own_code(server):
    client = server.client()
    first, _ = stored_versions(client, "t.parquet", 2)
    wrong = first["version"]
    bodies = {"drop_dataset": {"dataset": "t.parquet"},
              "rename_dataset": {"from": "t.parquet", "to": "new.parquet"},
              "restore_dataset": {"dataset": "t.parquet", "version": wrong}}
    with RawFlight(server) as raw:
        for kind, body in bodies.items():
            assert_refused(server, FAILED_PRECONDITION, "t.parquet", raw.stream, "DoAction",
                           action_message(kind, json.dumps({**body, "if_version": wrong}).encode()))


def test_of_sixteen_that_replace_one_version_exactly_one_wins(server):
    clients = [server.client() for _ in range(16)]
    current = put(clients[0], "t.parquet", numbers(100))["version"]
    for round in range(5):
        outcomes = at_once(*(
            lambda c=c, rows=rows: put(c, command("t.parquet", if_version=current),
                                       numbers(rows, start=round))
            for rows, c in enumerate(clients, start=1)))
        won = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, dict)]
        assert len(won) == 1, outcomes
        assert all(isinstance(outcome, pa.ArrowInvalid)
                   for number, outcome in enumerate(outcomes) if number != won[0])
        current = outcomes[won[0]]["version"]
        assert version(clients[0], "t.parquet") == current
        assert get(clients[0], "t.parquet") == numbers(won[0] + 1, start=round)
    assert len(versions(clients[0], "t.parquet")) == 6
    assert server.staged() == []


# ---- how much is kept

def test_so_many_versions_are_kept_of_each_dataset(start_server):
    server = start_server(flags=["--keep-versions", "2", "--ticket-ttl", "1s"])
    client = server.client()
    for name in ("a.parquet", "b.parquet"):
        stored_versions(client, name, 5)
    act(client, "drop_dataset", "b.parquet")
    for name, kept in (("a.parquet", [5, 4, 3]), ("b.parquet", [5, 4])):
        eventually(lambda: [entry["rows"] for entry in versions(client, name)] == kept,
                   f"two versions of {name} are kept beside the current one")
    assert result(client, "history_status")["versions"] == 4


def test_the_oldest_go_first_when_there_are_too_many_bytes(start_server):
    table = noise(10_000)
    server = start_server(flags=["--history-bytes", "300KiB", "--ticket-ttl", "1s"])
    client = server.client()
    stored = [put(client, command(f"{number}.parquet", codec="none"), table)
              for number in range(6)]
    assert 60_000 < stored[0]["bytes"] < 100_000
    for number in (3, 1, 5, 0, 2, 4):
        act(client, "drop_dataset", f"{number}.parquet")
    kept = (300 << 10) // stored[0]["bytes"]
    left = sorted(f"{number}.parquet" for number in (3, 1, 5, 0, 2, 4)[-kept:])
    eventually(lambda: [entry["dataset"] for entry in results(client, "list_trash")] == left,
               "only the last that were dropped are kept")
    status = result(client, "history_status")
    assert status["versions"] == kept
    assert status["bytes"] == kept * stored[0]["bytes"]
    assert status["limit_bytes"] == 300 << 10


def test_what_was_kept_before_a_restart_goes_by_the_new_settings(start_server):
    server = start_server()
    client = server.client()
    stored_versions(client, "t.parquet", 4)
    assert server.stop() == 0
    client = start_server(data=server.data, flags=NOTHING_KEPT).client()
    eventually(lambda: len(versions(client, "t.parquet")) == 1, "only the current one is left")
    assert get(client, "t.parquet") == numbers(4)


def test_the_status_tells_the_settings_and_what_is_kept(start_server):
    server = start_server(flags=["--ticket-ttl", "5m", "--keep-versions", "3", "--keep-for", "2d",
                                 "--history-bytes", "1GiB"])
    client = server.client()
    stored = stored_versions(client, "t.parquet", 3)
    assert result(client, "history_status") == {
        "versions": 2, "bytes": stored[0]["bytes"] + stored[1]["bytes"], "limit_bytes": 1 << 30,
        "keep_versions": 3, "keep_for_seconds": 2 * 86_400, "ticket_ttl_seconds": 300}


# ---- the history is hidden

def test_what_is_kept_is_neither_listed_nor_reached_by_a_name(server):
    client = server.client()
    stored_versions(client, "a/t.parquet", 3)
    act(client, "drop_dataset", "a/t.parquet")
    put(client, "b.parquet", numbers(1))
    assert listed(client) == listed(client, {"glob": "**"}) == ["b.parquet"]
    assert listed(client, {"prefix": "_hangar"}) == []
    before = past_of(server)
    assert len(before) == 3
    names = [*before, "_hangar/history/a/t.parquet", "_hangar/history", "a/../_hangar/history/a/t.parquet"]
    with RawFlight(server) as raw:
        for name in names:
            assert_refused(server, INVALID, ".", raw.get_info, path_descriptor(name.encode()))
            assert_refused(server, INVALID, ".", raw.stream, "DoGet", ticket_message(name.encode()))
            for kind in ("drop_dataset", "list_versions", "undrop_dataset", "check_dataset"):
                assert_refused(server, INVALID, ".", raw.stream, "DoAction",
                               action_message(kind, name.encode()))
            for body in ({"from": name, "to": "c.parquet"}, {"from": "b.parquet", "to": name}):
                assert_refused(server, INVALID, ".", raw.stream, "DoAction",
                               action_message("rename_dataset", json.dumps(body).encode()))
            with pytest.raises(pa.ArrowInvalid):
                put(client, name, numbers(1))
            for kind in ("restore_dataset", "purge_versions"):
                body = json.dumps({"dataset": name, "version": "0" * 32}).encode()
                assert_refused(server, INVALID, ".", raw.stream, "DoAction",
                               action_message(kind, body))
    assert past_of(server) == before


def test_the_actions_are_listed(server):
    kinds = {action.type for action in server.client().list_actions()}
    assert {"list_versions", "restore_dataset", "undrop_dataset", "list_trash", "purge_versions",
            "history_status", "check_dataset", "drop_dataset", "rename_dataset",
            "RenewFlightEndpoint"} <= kinds


# ---- checking

def test_a_check_reads_every_dataset(server):
    client = server.client()
    stored = {name: put(client, name, numbers(1000)) for name in ("a/1.parquet", "b.parquet")}
    found = results(client, "check_dataset")
    assert found == [{"dataset": name, "version": answer["version"], "rows": 1000,
                      "bytes": answer["bytes"]} for name, answer in stored.items()]
    assert results(client, "check_dataset", "b.parquet") == found[1:]
    assert results(client, "check_dataset", {"dataset": "b.parquet"}) == found[1:]
    with pytest.raises(KeyError, match="none"):
        results(client, "check_dataset", "none")


def test_a_check_names_what_is_damaged(server):
    client = server.client()
    table = noise(10_000)
    for name in ("good.parquet", "page.parquet", "footer.parquet", "short.parquet"):
        put(client, command(name, codec="none"), table)
    data = server.stored("page.parquet")
    column = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0)
    for name, position in (("page.parquet", column.data_page_offset + 1000),
                           ("footer.parquet", len(data) - 4)):
        damaged = bytearray(server.stored(name))
        damaged[position] ^= 1
        server.place(name, bytes(damaged))
    server.place("short.parquet", server.stored("short.parquet")[:len(data) // 2])
    server.place("text.parquet", b"no Parquet at all")
    found = {entry["dataset"]: entry.get("problem") for entry in results(client, "check_dataset")}
    assert found.keys() == {"good.parquet", "page.parquet", "footer.parquet", "short.parquet",
                            "text.parquet"}
    assert found.pop("good.parquet") is None
    for name, problem in found.items():
        assert problem, name
        assert_fit_for_clients(server, problem)
    assert get(client, "good.parquet") == table
