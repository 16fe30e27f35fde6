"""packaging/haproxy/hangar.cfg, run by the real HAProxy before three servers that speak TLS."""

import pathlib
import shutil
import subprocess
import threading

import pyarrow.flight as flight
import pytest

from conftest import as_peers, free_addresses
from flight_steps import command, get, info, listed, numbers, put
from hangar_fixtures import DEADLINE_SECONDS, eventually
from tls_certificates import Authority

PROJECT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = PROJECT / "packaging/haproxy/hangar.cfg"

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")


class Proxy:
    """HAProxy, before servers whose (flight, http, metrics) ports are given."""

    def __init__(self, folder, authority, ports):
        self._folder = folder
        self.certificate = authority.pem
        pair = authority.issue("proxy")
        (folder / "hangar.pem").write_bytes(pair.certificate_pem + pair.key_pem)
        (folder / "ca.pem").write_bytes(authority.pem)
        self.flight_port, self.http_port = [int(uri.rsplit(":", 1)[1]) for uri in free_addresses(2)]
        text = CONFIGURATION.read_text()
        changes = [("bind :8815 ", f"bind 127.0.0.1:{self.flight_port} "),
                   ("bind :443 ", f"bind 127.0.0.1:{self.http_port} "),
                   ("/etc/haproxy/hangar.pem", str(folder / "hangar.pem")),
                   ("/etc/hangar/tls/ca.pem", str(folder / "ca.pem"))]
        for number, (flight_port, http_port, metrics_port) in enumerate(ports, 1):
            name = f"data{number}.example.org"
            changes += [(f"{name}:8815 ", f"127.0.0.1:{flight_port} port {metrics_port} "),
                        (f"{name}:8816 ", f"127.0.0.1:{http_port} port {metrics_port} "),
                        (f"verifyhost {name}", "verifyhost localhost")]
        for old, new in changes:
            assert old in text, f"the configuration has no {old!r} any more"
            text = text.replace(old, new)
        (folder / "hangar.cfg").write_text(text)
        program = ["haproxy", "-f", folder / "hangar.cfg"]
        checked = subprocess.run([*program, "-c"], capture_output=True, text=True)
        assert checked.returncode == 0 and "WARNING" not in checked.stderr, checked.stderr
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *program, "-db"],
                                            stdout=log, stderr=log)

    def log(self):
        return (self._folder / "log").read_text()

    def client(self):
        return flight.connect(f"grpc+tls://localhost:{self.flight_port}",
                              tls_root_certs=self.certificate)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=DEADLINE_SECONDS)


class Proxied:
    """Three servers and HAProxy before them."""

    def __init__(self, start_server, folder):
        self._start_server = start_server
        self._folder = folder
        self.authority = Authority(folder, "ca")
        self._pair = self.authority.issue("server")
        uris = [uri.replace("grpc://", "grpc+tls://") for uri in free_addresses(3)]
        others = [uri.removeprefix("grpc://") for uri in free_addresses(6)]
        self._places = list(zip(uris, others[:3], others[3:]))
        self._uris = uris
        self.servers = [self.start(number) for number in range(3)]
        ports = [[one.rsplit(":", 1)[1] for one in place] for place in self._places]
        (folder / "haproxy").mkdir()
        self.proxy = Proxy(folder / "haproxy", self.authority, ports)

    def start(self, number):
        uri, http, metrics = self._places[number]
        return self._start_server(
            data=self._folder / "shared", listen=uri,
            client_options={"tls_root_certs": self.authority.pem},
            flags=[*self._pair.flags(), "--peer-ca", str(self.authority.path),
                   "--http", http, "--metrics", metrics, "--max-streams-per-caller", "1024",
                   *as_peers(uri, self._uris)])


@pytest.fixture
def proxied(start_server, tmp_path):
    made = Proxied(start_server, tmp_path)
    eventually(lambda: made.proxy.process.poll() is not None or _serves(made.proxy),
               "HAProxy has found a server")
    assert made.proxy.process.poll() is None, made.proxy.log()
    yield made
    made.proxy.stop()


def _serves(proxy):
    # A connection that was refused is tried again later and later.
    with proxy.client() as client:
        try:
            return list(client.list_actions())
        except flight.FlightError:
            return False


def test_tables_go_in_and_out_through_haproxy(proxied):
    with proxied.proxy.client() as client:
        table = numbers(4 << 20)
        put(client, "t.parquet", table, chunk_rows=1 << 16)
        assert get(client, "t.parquet") == table
        assert listed(client) == ["t.parquet"]
        with pytest.raises(KeyError, match="missing.parquet"):
            info(client, "missing.parquet")


def test_calls_over_one_connection_go_to_several_servers(proxied):
    with proxied.proxy.client() as client:
        put(client, "t.parquet", numbers(10))
        seen = {info(client, "t.parquet").endpoints[0].locations[0].uri for _ in range(30)}
    assert len(seen) > 1


def test_a_rolling_restart_fails_no_call_of_an_unmodified_client(proxied):
    with proxied.proxy.client() as client:
        put(client, "t.parquet", numbers(100_000))
    stop = threading.Event()
    calls, failures = [], []

    def work(number):
        with proxied.proxy.client() as client:
            while not stop.is_set():
                try:
                    table = numbers(1000, start=number)
                    put(client, f"{number}.parquet", table)
                    assert get(client, f"{number}.parquet") == table
                    assert get(client, "t.parquet").num_rows == 100_000
                    calls.append(number)
                except Exception as error:  # pylint: disable=broad-except
                    failures.append(error)
    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for number, server in enumerate(proxied.servers):
        before = len(calls)
        assert server.stop() == 0
        again = proxied.start(number)
        client = again.client()
        eventually(lambda: _knows_all(client), "the server is back among its peers")
        eventually(lambda: len(calls) > before + 20 or failures, "calls go on")
    stop.set()
    for worker in workers:
        worker.join()
    assert failures == []


def _knows_all(client):
    found = info(client, command("t.parquet", partitions=2))
    return all(len(endpoint.locations) == 3 for endpoint in found.endpoints)
