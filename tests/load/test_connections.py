"""Many connections that do nothing, and those whose other end is gone."""

import contextlib
import resource
import socket
import subprocess
import sys
import threading

from hangar_fixtures import eventually
from http2 import Http2
from load import amount, get, numbers, open_files, put, resident_bytes
from raw_flight import ticket_message

SPARE_DESCRIPTORS = 500


def descriptors_allowed():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - SPARE_DESCRIPTORS


def test_new_clients_are_served_beside_thousands_of_idle_connections(server):
    count = min(amount(1_000, 10_000), descriptors_allowed())
    put(server.client(), "t", numbers(1))
    server.close_clients()
    before = resident_bytes(server), server.thread_count()
    idle = [Http2(server) for _ in range(count)]
    try:
        eventually(lambda: server.descriptor_count() >= count, "all are accepted")
        held = resident_bytes(server) - before[0]
        print(f"\nload: {count} idle connections: {held >> 20} MiB, {held // count} bytes each, "
              f"{server.thread_count() - before[1]} threads more")
        for _ in range(10):
            assert get(server.client(), "t") == numbers(1)
    finally:
        for connection in idle:
            connection.close()
    eventually(lambda: server.descriptor_count() < count // 2, "the closed ones are let go")
    assert server.thread_count() <= before[1] + 50


class VanishingProxy:
    """Passes bytes between a client and the server until it is told to do so no more. Its sockets
    stay open and their kernel still acknowledges: as a peer behind a gateway that lost it."""

    def __init__(self, server):
        host, _, port = server.target.rpartition(":")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._upstream = (host, int(port))
        self._sockets = []
        self._vanished = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def vanish(self):
        self._vanished.set()

    def close(self):
        self.vanish()
        for each in [self._listener, *self._sockets]:
            each.close()

    def _accept(self):
        while not self._vanished.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(self._upstream)
            self._sockets += [client, upstream]
            for one, other in ((client, upstream), (upstream, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one, other):
        try:
            while data := one.recv(1 << 16):
                if self._vanished.is_set():
                    return
                other.sendall(data)
        except OSError:
            pass


def sockets_of(server):
    """The connections that the server holds."""
    port = server.target.rpartition(":")[2]
    with open(f"/proc/{server.process.pid}/net/tcp") as v4, \
            open(f"/proc/{server.process.pid}/net/tcp6") as v6:
        lines = v4.readlines()[1:] + v6.readlines()[1:]
    at_the_port = [line.split() for line in lines
                   if line.split()[1].endswith(":%04X" % int(port))]
    established = "01"
    return sum(fields[3] == established for fields in at_the_port)


STOPPED_CLIENT = """
import os, signal, sys
import pyarrow.flight as flight
client = flight.connect(sys.argv[1])
reader = client.do_get(flight.Ticket("t"))
reader.read_chunk()
print("reading", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


@contextlib.contextmanager
def stopped_client(server):
    """A process in the middle of a read that is stopped: only its kernel still answers."""
    client = subprocess.Popen([sys.executable, "-c", STOPPED_CLIENT, server.uri],
                              stdout=subprocess.PIPE)
    try:
        assert client.stdout.readline() == b"reading\n"
        yield client
    finally:
        client.kill()
        client.wait()
        client.stdout.close()


def test_peers_that_are_gone_are_let_go_and_idle_ones_are_not(start_server):
    server = start_server(flags=["--keepalive", "1s", "--cache-memory", "0"])
    client = server.client()
    put(client, "t", numbers(64))
    alive = eventually(lambda: sockets_of(server), "the client is connected")
    count = amount(20, 500)
    with contextlib.closing(VanishingProxy(server)) as proxy, stopped_client(server):
        gone = [Http2(proxy) for _ in range(2 * count)]
        for reader in gone[:amount(10, 200)]:
            reader.call("DoGet", ticket_message("t"))
        eventually(lambda: sockets_of(server) == alive + 1 + 2 * count, "all are connected")
        proxy.vanish()
        eventually(lambda: sockets_of(server) == alive, "what does not answer is closed")
        eventually(lambda: not open_files(server, "t"), "the reads of the gone are over")
        for each in gone:
            each.close()
    assert list(client.list_actions())
    assert sockets_of(server) == alive, "the idle client had to connect again"
