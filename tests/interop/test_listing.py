"""ListFlights: sorted, narrowed, paged, streamed, and blind to what is not below the root."""

import json
import os
import random
import shutil
import socket

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_steps import act, get, info, listed, numbers, parquet, put
from hangar_fixtures import of_folders
from raw_flight import (
    RawFlight, assert_refused, criteria_message, parse, path_descriptor, ticket_message)

NAMES = ["a.parquet", "a/b.parquet", "a/c/d.parquet", "a-b.parquet", "a.b/c.parquet", "B.parquet",
         "b/2025/eu.parquet", "b/2026/eu.parquet", "b/2026/us.parquet", "no-extension",
         "z z.parquet", "ä.parquet", "日本/データ.parquet", "\U0001f40d.parquet"]


@pytest.fixture
def stocked(server):
    client = server.client()
    for number, name in enumerate(random.Random(4).sample(NAMES, len(NAMES))):
        put(client, name, numbers(number))
    return server


def in_order(names):
    return sorted(names, key=str.encode)


def test_an_empty_store_lists_nothing(server):
    assert listed(server.client()) == []


def test_all_datasets_are_listed_sorted_by_the_bytes_of_their_names(stocked):
    assert listed(stocked.client()) == in_order(NAMES)


def test_each_item_of_a_listing_says_what_get_flight_info_says(stocked):
    client = stocked.client()
    for item in client.list_flights():
        alone = info(client, item.descriptor.path[0].decode())
        assert item.schema == alone.schema
        assert item.total_records == alone.total_records
        assert item.total_bytes == alone.total_bytes
        assert item.app_metadata == alone.app_metadata
        assert len(item.endpoints) == 1
        assert item.endpoints[0].ticket == alone.endpoints[0].ticket
        assert client.do_get(item.endpoints[0].ticket).read_all().num_rows == item.total_records


@pytest.mark.parametrize("criteria,want", [
    ({}, NAMES),
    ({"prefix": ""}, NAMES),
    ({"prefix": "a"}, ["a-b.parquet", "a.b/c.parquet", "a.parquet", "a/b.parquet",
                       "a/c/d.parquet"]),
    ({"prefix": "a/"}, ["a/b.parquet", "a/c/d.parquet"]),
    ({"prefix": "a/c/d.parquet"}, ["a/c/d.parquet"]),
    ({"prefix": "nothing"}, []),
    ({"prefix": "../"}, []),
    ({"prefix": "/"}, []),
    ({"prefix": "_hangar"}, []),
    ({"prefix": "日"}, ["日本/データ.parquet"]),
    ({"glob": "*.parquet"}, [name for name in NAMES if "/" not in name and "." in name]),
    ({"glob": "**"}, NAMES),
    ({"glob": "b/**"}, [name for name in NAMES if name.startswith("b/")]),
    ({"glob": "b/*/eu.parquet"}, ["b/2025/eu.parquet", "b/2026/eu.parquet"]),
    ({"glob": "b/202[0-5]/*"}, ["b/2025/eu.parquet"]),
    ({"glob": "?.parquet"}, ["a.parquet", "B.parquet"]),
    ({"prefix": "b/", "glob": "**us*"}, ["b/2026/us.parquet"]),
    ({"limit": 0}, []),
    ({"limit": 3}, in_order(NAMES)[:3]),
    ({"limit": 10**15}, NAMES),
    ({"after": "a.parquet"}, [name for name in NAMES if name.encode() > b"a.parquet"]),
    ({"after": "a.parquet", "limit": 2, "prefix": "a"}, ["a/b.parquet", "a/c/d.parquet"]),
    ({"after": "\U0001f40d.parquet"}, []),
    ({"after": ""}, NAMES),
], ids=json.dumps)
def test_criteria_narrow_a_listing(stocked, criteria, want):
    assert listed(stocked.client(), criteria) == in_order(want)


def test_globs_match_names_beyond_ascii(stocked):
    assert listed(stocked.client(), {"glob": "ä.*"}) == ["ä.parquet"]
    assert listed(stocked.client(), {"glob": "*/*タ*"}) == ["日本/データ.parquet"]


@pytest.mark.parametrize("criteria,sentence", [
    (b"not json", "criteria"),
    (b"[]", "criteria must be a JSON object"),
    (b"{", "criteria is not valid JSON|criteria.*JSON"),
    (b'{"colour": 1}', "unknown key 'colour'"),
    (b'{"prefix": 1}', "'prefix'.*string"),
    (b'{"glob": []}', "'glob'.*string"),
    (b'{"after": null}', "'after'.*string"),
    (b'{"limit": "3"}', "'limit'.*integer"),
    (b'{"limit": 1.5}', "'limit'.*integer"),
    (b'{"limit": true}', "'limit'.*integer"),
    (b'{"limit": -1}', "limit is -1"),
    (b'{"limit": 1e400}', "limit|JSON"),
    (b'{"limit": 99999999999999999999999}', "'limit'.*integer"),
    (b'{"limit": 1, "limit": 2}', "'limit' twice"),
    (b'{"prefix": "\xff"}', "JSON"),
    (b"[" * 100_000, "JSON"),
    (b'{"prefix": "' + b"x" * (2 << 20) + b'"}', "longer than 1 MiB"),
    (b"\x00", "JSON"),
], ids=lambda value: repr(value)[:30])
def test_criteria_that_are_wrong_get_a_sentence(shared_server, criteria, sentence):
    with RawFlight(shared_server) as raw:
        assert_refused(shared_server, grpc.StatusCode.INVALID_ARGUMENT, sentence,
                       raw.stream, "ListFlights", criteria_message(criteria))


@pytest.fixture(scope="module")
def many(module_server):
    names = [f"many/{number // 50}/{number:05}.parquet" for number in range(300)]
    for name in names:
        module_server.place(name, parquet(numbers(5)))
    return names


@pytest.mark.parametrize("page", [1, 7, 100, 299, 300, 301])
def test_paging_gives_each_dataset_exactly_once(shared_server, many, page):
    client = shared_server.client()
    names, after = [], ""
    while True:
        found = listed(client, {"prefix": "many/", "limit": page, "after": after})
        assert len(found) <= page
        names += found
        if len(found) < page:
            break
        after = found[-1]
    assert names == in_order(many)


def test_a_listing_is_streamed_and_can_be_left_half_way(shared_server, many):
    with RawFlight(shared_server) as raw:
        for _ in range(50):
            call = raw.stream("ListFlights", criteria_message(b'{"prefix": "many/"}'))
            first = parse(parse(next(call))[2][0])
            assert first[3] == [in_order(many)[0].encode()]
            call.cancel()
    assert listed(shared_server.client(), {"prefix": "many/"}) == in_order(many)


def test_a_listing_goes_on_while_datasets_come_and_go(shared_server, many):
    client = shared_server.client()
    seen = []
    for number, item in enumerate(client.list_flights(b'{"prefix": "many/"}')):
        seen.append(item.descriptor.path[0].decode())
        if number % 10 == 0:
            put(client, f"many/new-{number}.parquet", numbers(1))
            act(client, "drop_dataset", f"many/new-{number}.parquet")
    assert [name for name in seen if "new" not in name] == in_order(many)
    assert seen == in_order(seen)


@of_folders
def test_a_link_to_a_file_inside_the_root_is_a_dataset(server):
    client = server.client()
    put(client, "real.parquet", numbers(3))
    (server.data / "alias.parquet").symlink_to("real.parquet")
    assert listed(client) == ["alias.parquet", "real.parquet"]
    assert get(client, "alias.parquet") == numbers(3)


@of_folders
def test_links_that_lead_out_of_the_root_are_not_followed(server, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    pq.write_table(numbers(9), outside / "secret.parquet")
    client = server.client()
    put(client, "in.parquet", numbers(1))
    (server.data / "file.parquet").symlink_to(outside / "secret.parquet")
    (server.data / "folder").symlink_to(outside)
    (server.data / "up").symlink_to("..")
    (server.data / "dotted.parquet").symlink_to("../outside/secret.parquet")
    (server.data / "hop.parquet").symlink_to("file.parquet")
    (server.data / "loop").symlink_to("loop")
    (server.data / "circle").symlink_to(".")
    (server.data / "nowhere.parquet").symlink_to("missing")
    assert "in.parquet" in listed(client)
    assert not [name for name in listed(client) if "secret" in name or "outside" in name]
    assert [name for name in listed(client) if not name.startswith("circle")] == ["in.parquet"]
    with RawFlight(server) as raw:
        for name in ("file.parquet", "folder/secret.parquet", "up/outside/secret.parquet",
                     "dotted.parquet", "hop.parquet", "loop", "nowhere.parquet"):
            assert_refused(server, grpc.StatusCode.NOT_FOUND, name, raw.get_info,
                           path_descriptor(name))
            assert_refused(server, grpc.StatusCode.NOT_FOUND, name, raw.stream, "DoGet",
                           ticket_message(name))


@of_folders
def test_uploads_do_not_follow_links_out_of_the_root(server, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    precious = outside / "precious.parquet"
    precious.write_bytes(b"precious")
    (server.data / "folder").symlink_to(outside)
    (server.data / "file.parquet").symlink_to(precious)
    client = server.client()
    with pytest.raises(pa.ArrowException):
        put(client, "folder/new.parquet", numbers(1))
    with pytest.raises(pa.ArrowInvalid, match="'file.parquet' is a link that leads out"):
        put(client, "file.parquet", numbers(2))
    assert os.listdir(outside) == ["precious.parquet"]
    assert precious.read_bytes() == b"precious"
    with pytest.raises(pa.ArrowException):
        act(client, "drop_dataset", "folder/precious.parquet")
    assert precious.read_bytes() == b"precious"


def test_hidden_files_and_hangars_own_are_not_listed_nor_served(server):
    client = server.client()
    put(client, "seen.parquet", numbers(1))
    hidden = [".hidden.parquet", ".folder/x.parquet", "_hangar/x.parquet",
              "_hangar/staging/x.parquet", "a/.tmp.parquet"]
    for name in hidden:
        server.place(name, server.stored("seen.parquet"))
    assert listed(client) == ["seen.parquet"]
    for name in hidden:
        with pytest.raises(pa.ArrowInvalid):
            info(client, name)
    server.remove("_hangar/staging/x.parquet")


@of_folders
def test_pipes_and_sockets_in_the_folder_hang_nobody(server):
    client = server.client()
    put(client, "in.parquet", numbers(1))
    os.mkfifo(server.data / "pipe.parquet")
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(server.data)
        try:
            listener.bind("socket.parquet")
        finally:
            os.chdir(here)
        assert listed(client) == ["in.parquet"]
        for name in ("pipe.parquet", "socket.parquet"):
            with pytest.raises((pa.ArrowException, KeyError)):
                get(client, name)


# ---- what other programs do to the folder

def plain(value):
    """A file whose size does not depend on the value."""
    return parquet(pa.table({"a": [value] * 10}), compression="none", use_dictionary=False,
                   write_statistics=False)


def write_plain(path, value):
    path.write_bytes(plain(value))


def overwrite_in_place(path, source):
    with open(path, "r+b") as file:
        file.write(source.read_bytes())


def seen(client):
    """What a listing says, and that asking for each dataset alone says the same."""
    found = {}
    for item in client.list_flights():
        name = item.descriptor.path[0].decode()
        assert info(client, name).app_metadata == item.app_metadata
        first = client.do_get(item.endpoints[0].ticket).read_all()[0][0].as_py()
        found[name] = (json.loads(item.app_metadata)["version"], first)
    return found


def values(client):
    return {name: value for name, (_, value) in seen(client).items()}


@of_folders
def test_files_that_come_and_go_between_listings_are_seen_at_once(server, tmp_path):
    client = server.client()
    for number in range(20):
        write_plain(server.data / "a.parquet", number)
        assert values(client) == {"a.parquet": number}
        (server.data / "b").mkdir()
        os.rename(server.data / "a.parquet", server.data / "b/c.parquet")
        assert values(client) == {"b/c.parquet": number}
        os.link(server.data / "b/c.parquet", server.data / "d.parquet")
        assert values(client) == {"b/c.parquet": number, "d.parquet": number}
        os.rename(server.data / "b", tmp_path / "b")
        assert values(client) == {"d.parquet": number}
        shutil.rmtree(tmp_path / "b")
        (server.data / "d.parquet").unlink()
        assert values(client) == {}


@of_folders
@pytest.mark.parametrize("change", [
    lambda path, new: os.replace(new, path),
    lambda path, new: (path.unlink(), os.rename(new, path)),
    overwrite_in_place,
    lambda path, new: shutil.copyfile(new, path),
    lambda path, new: overwrite_in_place(path.parent / "link.parquet", new),
], ids=["rename over", "remove and rename", "write in place", "truncate and write",
        "write through another name"])
def test_a_change_of_the_same_size_in_the_same_second_is_seen_by_the_next_listing(
        server, tmp_path, change):
    client = server.client()
    path = server.data / "t.parquet"
    write_plain(path, -1)
    size = path.stat().st_size
    os.link(path, server.data / "link.parquet")
    versions = {seen(client)["t.parquet"][0]}
    for number in range(50):
        write_plain(tmp_path / "new.parquet", number)
        change(path, tmp_path / "new.parquet")
        assert path.stat().st_size == size
        version, value = seen(client)["t.parquet"]
        assert value == number
        versions.add(version)
    assert len(versions) == 51


def test_what_clients_change_is_seen_by_the_next_listing(server):
    client = server.client()
    for number in range(20):
        put(client, "t.parquet", pa.table({"a": [number]}))
        assert values(client) == {"t.parquet": number}
        act(client, "rename_dataset", json.dumps({"from": "t.parquet", "to": "u.parquet"}))
        assert values(client) == {"u.parquet": number}
        act(client, "drop_dataset", "u.parquet")
        assert values(client) == {}


def test_a_listing_of_a_file_that_breaks_goes_on_without_it(server):
    client = server.client()
    for name in "abc":
        server.place(f"{name}.parquet", plain(1))
    assert len(values(client)) == 3
    server.place("b.parquet", plain(1)[:20])
    assert list(values(client)) == ["a.parquet", "c.parquet"]
    server.place("b.parquet", plain(2))
    assert values(client) == {"a.parquet": 1, "b.parquet": 2, "c.parquet": 1}


def test_wide_schemas_are_listed_whole(server):
    client = server.client()
    for number in range(40):
        put(client, f"{number:02}.parquet",
            pa.table({f"column number {i}": [number] for i in range(500)}))
    for _ in range(2):
        found = list(client.list_flights())
        assert [len(item.schema) for item in found] == [500] * 40


def test_criteria_that_are_no_protobuf_are_refused(shared_server):
    with RawFlight(shared_server) as raw:
        assert_refused(shared_server, grpc.StatusCode.INTERNAL, "",
                       raw.stream, "ListFlights", b"\xff\xff\xff")
