"""A store that does not keep conditions of writes, and the one server that may write there."""

import subprocess

import pyarrow as pa
import pytest

from faults import ForgetConditions
from flight_steps import act, command, get, listed, path, put, version
from hangar_fixtures import DEADLINE_SECONDS, clean_environment
from races import AtOnce

TABLE = pa.table({"x": pa.array(range(1000), pa.int64())})


@pytest.fixture
def forgetful(proxy, ceph):
    """A proxy before a store that knows no conditions."""
    proxy.forgets = proxy.arm(ForgetConditions(ceph), times=None)
    return proxy


def serve(hangar_binary, ceph, uri, *flags):
    """What becomes of a server that does not start."""
    return subprocess.run(
        [hangar_binary, "serve", "--data", uri, "--listen", "grpc://127.0.0.1:0", *flags],
        env=clean_environment(ceph.environment()), capture_output=True, text=True,
        timeout=DEADLINE_SECONDS, check=False)


def test_such_a_store_is_refused_and_the_flag_is_named(hangar_binary, ceph, bucket, forgetful):
    ended = serve(hangar_binary, ceph, bucket.uri(forgetful.uri))
    assert ended.returncode != 0
    assert "does not keep conditions" in ended.stderr and "--single-writer" in ended.stderr
    assert forgetful.forgets.done > 0
    assert bucket.keys() == [] and bucket.uploads() == []


def test_one_server_may_write_there_and_says_what_that_means(forgetful, start_s3_server):
    server = start_s3_server(through=forgetful, flags=["--single-writer"])
    assert "single_writer" in server.log() and "only one that writes" in server.log()
    client = server.client()
    put(client, command("t", mode="create"), TABLE)
    with pytest.raises(pa.ArrowInvalid):
        put(client, command("t", mode="create"), TABLE.slice(1))
    first = version(client, "t")
    put(client, command("t", if_version=first), TABLE.slice(2))
    with pytest.raises(pa.ArrowInvalid):
        put(client, command("t", if_version=first), TABLE.slice(3))
    assert get(client, path("t")) == TABLE.slice(2)
    assert get(client, command("t", version=first)) == TABLE
    act(client, "rename_dataset", {"from": "t", "to": "u"})
    act(client, "drop_dataset", "u")
    assert listed(client) == []
    act(client, "undrop_dataset", "u")
    assert get(client, path("u")) == TABLE.slice(2)


@pytest.mark.parametrize("how", ["create", "if_version"])
def test_of_its_clients_exactly_one_wins(forgetful, start_s3_server, how):
    server = start_s3_server(through=forgetful, flags=["--single-writer"])
    clients = [server.client() for _ in range(8)]
    with AtOnce(clients) as race:
        for round in range(5):
            name = f"race/{round}"
            keys = {"mode": "create"}
            if how == "if_version":
                put(clients[0], name, TABLE.slice(500))
                keys = {"if_version": version(clients[0], name)}
            won = race.winners(lambda client, number, name=name, keys=keys: put(
                client, command(name, **keys), TABLE.slice(number)))
            assert len(won) == 1
            assert get(clients[0], path(name)) == TABLE.slice(won[0])
