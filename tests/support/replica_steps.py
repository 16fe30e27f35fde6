"""What tests of several servers ask them."""

import urllib.request

import grpc

from flight_steps import command, info
from hangar_fixtures import eventually

# Of grpc.health.v1, in protobuf's encoding.
_HEALTH = "/grpc.health.v1.Health/Check"
_STATES = {b"\x08\x01": "serving", b"\x08\x02": "not serving"}


def locations(found):
    """For each endpoint of a FlightInfo the URIs that it names, in order."""
    return [[location.uri.decode() for location in endpoint.locations]
            for endpoint in found.endpoints]


def named(client, dataset, partitions=8):
    """The servers that the endpoints of a read in partitions name at all."""
    found = info(client, command(dataset, partitions=partitions))
    return {uri for uris in locations(found) for uri in uris}


def await_named(client, dataset, uris):
    """Waits until exactly these servers are named."""
    eventually(lambda: named(client, dataset) == set(uris),
               f"endpoints name {sorted(uris)}, not {sorted(named(client, dataset))}")


def health(server):
    """What a server says of itself: "serving" or "not serving"; else what gRPC says."""
    with grpc.insecure_channel(server.target) as channel:
        ask = channel.unary_unary(_HEALTH)
        try:
            return _STATES[ask(b"", timeout=30)]
        except grpc.RpcError as error:
            return f"{error.code()}: {error.details()}"


def metric(server_metrics_uri, name, **labels):
    """The value of a metric at the address that `Server.next_uri` gave for it."""
    with urllib.request.urlopen(server_metrics_uri, timeout=30) as answer:
        text = answer.read().decode()
    wanted = name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
                     if labels else "")
    for line in text.splitlines():
        if line.startswith(wanted + " "):
            return float(line.removeprefix(wanted + " "))
    raise AssertionError(f"there is no metric {wanted}; there are:\n{text}")
