"""Several servers of the same datasets: over one bucket or one folder, on one machine or on several
that can be cut off (tests/support/network.py). HANGAR_BINARY names the program to test; for the
bucket see tests/s3/conftest.py."""

import pathlib
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import pytest  # noqa: E402

import network as networks  # noqa: E402
from hangar_fixtures import hangar_binary, start_server  # noqa: E402, F401
from s3_fixtures import bucket, ceph  # noqa: E402, F401

FLIGHT_PORT = 8815  # On machines of their own nobody else has it.


@pytest.fixture(params=["bucket", "folder"])
def shared_data(request, tmp_path):
    """What all servers of a test serve: the options that tell them, once for each kind of store."""
    if request.param == "folder":
        return {"data": tmp_path / "shared"}
    part = request.getfixturevalue("bucket")
    return {"data": part.uri(), "environment": part.server.environment(), "bucket": part}


def free_addresses(count):
    """Addresses on this machine that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"grpc://127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


def as_peers(uri, uris, peers=None):
    """The flags of a server at `uri` among those at `uris`, or as `peers` name them."""
    flags = ["--advertise", uri]
    for peer in peers or uris:
        flags += ["--peers", peer]
    return flags


@pytest.fixture
def start_replicas(start_server):
    """A function that starts servers on this machine that know each other: of `count` or at `uris`,
    with flags for all of them. They stop without giving notice, unless `flags` set a grace. Other
    options are those of `hangar_fixtures.Server`."""

    def start(count=3, *, uris=None, peers=None, flags=(), **options):
        uris = uris or free_addresses(count)
        return [start_server(listen=uri, flags=["--grace", "0s", *as_peers(uri, uris, peers), *flags],
                             **options)
                for uri in uris]
    return start


@pytest.fixture
def network():
    """A `Network`, where such can be made."""
    reason = networks.why_not()
    if reason:
        pytest.skip(reason)
    with networks.Network() as made:
        yield made


@pytest.fixture
def client_machine(network):
    """A machine of the network on which no server runs."""
    return network.machine()


class Node:
    """A server on a machine of its own: `uri` is where other machines reach it, `server.client()` a
    client of this process."""

    def __init__(self, machine, server):
        self.machine = machine
        self.server = server
        self.uri = machine.uri_of(FLIGHT_PORT)


@pytest.fixture
def start_node(network, start_server, ceph, bucket):
    """A function that starts a server on a machine, over the test's part of the bucket."""
    s3_address, s3_port = network.expose(*_host_and_port(ceph.endpoint))

    def start(machine, flags=()):
        server = start_server(
            data=bucket.uri(f"http://{s3_address}:{s3_port}"), listen=machine.uri_of(FLIGHT_PORT),
            environment={**ceph.environment(), "AWS_ENDPOINT_URL": f"http://{s3_address}:{s3_port}"},
            wrapper=machine.enter(), flags=list(flags))
        host, port = network.reach(machine.address, FLIGHT_PORT)
        server.uri = f"grpc://{host}:{port}"
        return Node(machine, server)
    return start


@pytest.fixture
def three_nodes(network, start_node):
    """Three servers that know each other, on three machines."""
    machines = [network.machine() for _ in range(3)]
    uris = [machine.uri_of(FLIGHT_PORT) for machine in machines]
    return [start_node(machine, ["--grace", "0s", *as_peers(uri, uris)])
            for machine, uri in zip(machines, uris)]


def _host_and_port(endpoint):
    host, _, port = endpoint.removeprefix("http://").rstrip("/").rpartition(":")
    return host, int(port)
