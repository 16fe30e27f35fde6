"""--peers: which server gives which part of a read, who of them lives, and where it stands who they
are."""

import collections
import pathlib
import signal
import socket
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from conftest import as_peers, free_addresses
from flight_steps import command, get, info, numbers, put
from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually
from replica_steps import await_named, health, locations, metric, named
from tls_certificates import Authority

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
ROW_GROUPS = 12
ROWS = ROW_GROUPS << 20  # A row group ends at 1 Mi rows.


@pytest.fixture
def data(tmp_path):
    return tmp_path / "shared"


def put_row_groups(client):
    put(client, "t.parquet", numbers(ROWS), chunk_rows=1 << 18)


def test_partitions_are_spread_and_all_servers_agree_where(start_replicas, data):
    servers = start_replicas(data=data)
    uris = [server.uri for server in servers]
    clients = [server.client() for server in servers]
    put_row_groups(clients[0])
    for client in clients:
        await_named(client, "t.parquet", uris)
    spread = [locations(info(client, command("t.parquet", partitions=ROW_GROUPS)))
              for client in clients]
    assert spread[0] == spread[1] == spread[2]
    assert all(sorted(uris_of_one) == sorted(uris) for uris_of_one in spread[0])
    assert len(spread[0]) == ROW_GROUPS
    assert len({first for first, *_ in spread[0]}) > 1
    # However the rows are cut, what begins with a row group is to be had where that is cached.
    cut = locations(info(clients[0], command("t.parquet", partitions=ROW_GROUPS // 2)))
    assert cut == spread[0][::2]


def test_every_server_decodes_its_share_and_keeps_it(start_replicas, shared_data):
    servers = start_replicas(**shared_data, flags=["--metrics", "127.0.0.1:0"])
    metrics = [server.next_uri() for server in servers]
    clients = {server.uri: server.client() for server in servers}
    asked = clients[servers[0].uri]
    put_row_groups(asked)
    await_named(asked, "t.parquet", clients)

    def misses():
        return [metric(uri, "hangar_cache_misses_total", cache="columns") for uri in metrics]

    def read():
        """What it made each server decode."""
        before = misses()
        found = info(asked, command("t.parquet", partitions=ROW_GROUPS))
        table = pa.concat_tables(clients[uris[0]].do_get(endpoint.ticket).read_all()
                                 for endpoint, uris in zip(found.endpoints, locations(found)))
        assert table == numbers(ROWS)
        return [after - start for start, after in zip(before, misses())]
    firsts = collections.Counter(
        uris[0] for uris in locations(info(asked, command("t.parquet", partitions=ROW_GROUPS))))
    decoded = read()
    for server, own in zip(servers, decoded):
        assert own == pytest.approx(sum(decoded) * firsts[server.uri] / ROW_GROUPS, rel=0.1)
    # Of a file in a folder a server that did not write it trusts the version once it is some
    # seconds old.
    eventually(lambda: read() == [0, 0, 0], "all servers have their shares in their caches")


def test_a_whole_read_comes_from_the_server_that_was_asked(start_replicas, data):
    servers = start_replicas(2, data=data)
    put(servers[0].client(), "t.parquet", numbers(10))
    for server in servers:
        client = server.client()
        await_named(client, "t.parquet", [one.uri for one in servers])
        assert locations(info(client, "t.parquet")) == [[server.uri]]
        assert locations(info(client, command("t.parquet"))) == [[server.uri]]
        assert locations(next(iter(client.list_flights()))) == [[server.uri]]


def test_the_parts_of_a_file_are_spread_as_well(start_replicas, data):
    servers = start_replicas(2, data=data)
    client = servers[0].client()
    rows = 3 << 20
    put(client, "t.parquet", pa.table({"v": np.random.default_rng(0).integers(0, 1 << 63, rows)}))
    await_named(client, "t.parquet", [server.uri for server in servers])
    found = info(client, command("t.parquet", partitions=20, format="parquet"))
    assert len(found.endpoints) == 20
    assert {uris[0] for uris in locations(found)} == {server.uri for server in servers}


def test_who_dies_or_hangs_is_left_out_until_it_is_back(start_replicas, data):
    servers = start_replicas(data=data, flags=["--metrics", "127.0.0.1:0"])
    a, b, c = servers
    watched = a.next_uri()
    client = a.client()
    put(client, "t.parquet", numbers(10))
    await_named(client, "t.parquet", [a.uri, b.uri, c.uri])
    b.process.send_signal(signal.SIGSTOP)
    await_named(client, "t.parquet", [a.uri, c.uri])
    assert metric(watched, "hangar_peers", state="unreachable") == 1
    assert metric(watched, "hangar_peers", state="serving") == 2
    c.kill()
    await_named(client, "t.parquet", [a.uri])
    b.process.send_signal(signal.SIGCONT)
    await_named(client, "t.parquet", [a.uri, b.uri])
    assert get(b.client(), command("t.parquet", partitions=2)) == numbers(10)
    said = [line for line in a.log().splitlines() if "a peer" in line and b.uri in line]
    assert ["does not answer" in line for line in said if "listed" not in line][-2:] == [True, False]


def test_a_server_that_stops_says_so_before_it_refuses_calls(start_server, data):
    uris = free_addresses(2)
    a, b = [start_server(data=data, listen=uri, flags=as_peers(uri, uris)) for uri in uris]
    client, other = a.client(), b.client()
    put(client, "t.parquet", numbers(10))
    await_named(client, "t.parquet", uris)
    eventually(lambda: health(b) == "serving", "the server says that it serves")
    b.process.send_signal(signal.SIGTERM)
    eventually(lambda: health(b) == "not serving", "the server says that it stops")
    # It still takes calls, and sends those who ask for partitions to the others.
    assert named(other, "t.parquet") == {a.uri}
    await_named(client, "t.parquet", [a.uri])
    assert b.process.poll() is None, "peers have heard of it while it still serves"
    assert get(other, "t.parquet") == numbers(10)
    assert b.wait() == 0


def test_a_list_in_a_file_is_followed_and_a_wrong_one_is_not(start_replicas, data, tmp_path):
    uris = free_addresses(2)
    peers = tmp_path / "peers"

    def write(text):
        (tmp_path / "peers.new").write_text(text)
        (tmp_path / "peers.new").replace(peers)
    write(f"# The first is alone.\n{uris[0]}\n")
    servers = start_replicas(uris=uris, peers=[f"file:{peers}"], data=data)
    client = servers[0].client()
    put(client, "t.parquet", numbers(10))
    assert named(client, "t.parquet") == {uris[0]}
    # A server that the list lacks is itself one of its peers all the same.
    await_named(servers[1].client(), "t.parquet", uris)
    write("\n".join(uris))
    await_named(client, "t.parquet", uris)
    write(uris[0] + "\nnonsense\n")
    eventually(lambda: "line 2: 'nonsense' is not the address" in servers[0].log(),
               "the wrong list is said")
    assert named(client, "t.parquet") == set(uris)
    write(uris[0])
    await_named(client, "t.parquet", uris[:1])


@pytest.fixture
def hosts(tmp_path):
    """A command that lets what follows it see an /etc/hosts in which `hangar.test` is three
    addresses of this machine, each of which has a name of its own."""
    file = tmp_path / "hosts"
    file.write_text("".join(f"127.0.0.{last} hangar.test node{last}.test\n" for last in (2, 3, 4)))
    command = [sys.executable, SUPPORT / "private_mount.py", "bind", "/etc/hosts", file]
    if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        pytest.skip("mounts of its own cannot be made here")
    return list(map(str, command))


def test_a_name_stands_for_all_its_addresses(start_server, data, hosts):
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    uris = [f"grpc://127.0.0.{last}:{port}" for last in (2, 3, 4)]
    # Each is called by another name than the peers' one, and finds itself among its addresses.
    servers = [
        start_server(data=data, listen=uri, wrapper=hosts,
                     flags=["--grace", "0s", "--peers", f"dns:hangar.test:{port}",
                            "--advertise", f"grpc://node{last}.test:{port}"])
        for last, uri in zip((2, 3, 4), uris)]
    put_row_groups(servers[0].client())
    spread = []
    for server in servers:
        client = server.client()
        await_named(client, "t.parquet", uris)
        spread.append(locations(info(client, command("t.parquet", partitions=ROW_GROUPS))))
    assert spread[0] == spread[1] == spread[2]


@pytest.mark.parametrize("asks_for_certificates", [False, True])
def test_peers_know_each_other_over_tls(start_replicas, data, tmp_path, asks_for_certificates):
    authority = Authority(tmp_path, "ca")
    pair = authority.issue("server")
    flags = [*pair.flags(), "--peer-ca", str(authority.path)]
    options = {"tls_root_certs": authority.pem}
    if asks_for_certificates:
        flags += ["--client-ca", str(authority.path)]
        options |= {"cert_chain": pair.certificate_pem, "private_key": pair.key_pem}
    uris = [uri.replace("grpc:", "grpc+tls:") for uri in free_addresses(2)]
    servers = start_replicas(uris=uris, data=data, flags=flags, client_options=options)
    put(servers[0].client(), "t.parquet", numbers(10))
    for server in servers:
        await_named(server.client(), "t.parquet", uris)


def test_a_peer_with_somebody_elses_certificate_is_none(start_server, data, tmp_path):
    authority, other = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    uris = [uri.replace("grpc:", "grpc+tls:") for uri in free_addresses(2)]
    b, a = [start_server(
        data=data, listen=uri, client_options={"tls_root_certs": issuer.pem},
        flags=["--grace", "0s", *issuer.issue(name).flags(), "--peer-ca", str(authority.path),
               *as_peers(uri, uris)])
            for uri, issuer, name in zip(uris, (other, authority), ("stranger", "server"))]
    eventually(lambda: "certificate verify failed" in a.log(), "its certificate is looked at")
    put(a.client(), "t.parquet", numbers(10))
    assert named(a.client(), "t.parquet") == {a.uri}
    await_named(b.client(), "t.parquet", uris)


@pytest.mark.parametrize("flags, said", [
    (["--peers", "grpc://a:1"], "peers needs advertise"),
    (["--peers", "grpc://a:1", "--advertise", "grpc://b:1"], "not among the peers"),
    (["--peers", "dns:a", "--advertise", "grpc://b:1"], "it has no port"),
    (["--peers", "file:/no/such/file", "--advertise", "grpc://b:1"], "cannot be read"),
    (["--peer-ca", "ca.pem"], "peer_ca needs peers"),
])
def test_settings_that_cannot_work_are_refused(hangar_binary, data, flags, said):
    done = subprocess.run(
        [hangar_binary, "serve", "--data", data, "--listen", "grpc://127.0.0.1:0", *flags],
        capture_output=True, text=True, timeout=DEADLINE_SECONDS, env=clean_environment())
    assert done.returncode in (1, 2)
    assert said in done.stderr
