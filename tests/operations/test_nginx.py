"""packaging/nginx/hangar.conf, run by the real nginx: TLS outside, Hangar on this machine inside."""

import contextlib
import json
import pathlib
import re
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_steps import get, info, listed, numbers, path, put
from hangar_fixtures import DEADLINE_SECONDS, eventually

PROJECT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = PROJECT / "packaging/nginx/hangar.conf"

MAIN = """
daemon off;
user root;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/hangar.conf;
}}
"""


# Of HTTP/2, RFC 9113.
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, SETTINGS, CONTINUATION = 1, 4, 9


def http2_frame(kind, flags, stream, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
            + payload)


def resident_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) << 10


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Proxy:
    def __init__(self, folder, flight_port, http_port):
        self.server_http_port = http_port
        self.flight_port, self.http_port = free_ports(2)
        self._folder = folder
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-subj", "/CN=hangar", "-addext", "subjectAltName=DNS:localhost",
             "-days", "2", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
            check=True, capture_output=True)
        self.certificate = (folder / "cert.pem").read_bytes()
        text = CONFIGURATION.read_text()
        for old, new in (("server 127.0.0.1:8815;", f"server 127.0.0.1:{flight_port};"),
                         ("server 127.0.0.1:8816;", f"server 127.0.0.1:{http_port};"),
                         ("listen 8443 ssl;", f"listen 127.0.0.1:{self.flight_port} ssl;"),
                         ("listen 443 ssl;", f"listen 127.0.0.1:{self.http_port} ssl;"),
                         ("/etc/hangar/tls/", f"{folder}/")):
            assert old in text, f"the configuration has no {old!r} any more"
            text = text.replace(old, new)
        (folder / "hangar.conf").write_text(text)
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
        command = ["nginx", "-e", folder / "error.log", "-c", folder / "nginx.conf"]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command])
        eventually(lambda: answers(self.flight_port), "nginx listens")

    def client(self):
        return flight.connect(f"grpc+tls://localhost:{self.flight_port}",
                              tls_root_certs=self.certificate)

    def open(self, target, **options):
        context = ssl.create_default_context(cadata=self.certificate.decode())
        request = urllib.request.Request(f"https://localhost:{self.http_port}{target}", **options)
        return urllib.request.urlopen(request, context=context, timeout=DEADLINE_SECONDS)

    def log(self):
        return (self._folder / "error.log").read_text()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=DEADLINE_SECONDS) == 0


@pytest.fixture
def proxied(start_server, tmp_path):
    """A server and nginx before it."""
    (http_port,) = free_ports(1)
    server = start_server(flags=["--http", f"127.0.0.1:{http_port}", "--max-streams-per-caller",
                                 "1024"])
    (tmp_path / "nginx").mkdir()
    proxy = Proxy(tmp_path / "nginx", server.uri.rsplit(":", 1)[1], http_port)
    yield server, proxy
    proxy.stop()


def test_tables_go_in_and_out_through_nginx(proxied):
    _, proxy = proxied
    with proxy.client() as client:
        table = pa.table({"x": np.random.default_rng(0).integers(0, 2**63, 4 << 20)})
        put(client, "big.parquet", table, chunk_rows=1 << 16)
        assert get(client, "big.parquet") == table
        assert listed(client) == ["big.parquet"]
        list(client.do_action(("drop_dataset", b"big.parquet")))
        assert listed(client) == []


def test_errors_keep_their_kind_through_nginx(proxied):
    _, proxy = proxied
    with proxy.client() as client:
        with pytest.raises(KeyError, match="missing.parquet"):
            info(client, "missing.parquet")
        with pytest.raises(pa.ArrowInvalid):
            info(client, "wrong//name")


def test_an_upload_that_is_broken_off_before_nginx_leaves_nothing(proxied):
    server, proxy = proxied
    client = proxy.client()
    table = numbers(1_000_000)
    writer, _ = client.do_put(path("t.parquet"), table.schema)
    writer.write_table(table)
    eventually(server.staged, "the upload has begun")
    # An abrupt end, as when the program is killed.
    writer.write_metadata(b'{"abort": true}')
    with pytest.raises(pa.ArrowException):
        writer.close()
    client.close()
    eventually(lambda: not server.staged(), "the upload's file is gone")
    assert listed(server.client()) == []


def test_plain_text_and_old_tls_are_refused(proxied):
    _, proxy = proxied
    with pytest.raises(flight.FlightUnavailableError):
        list(flight.connect(f"grpc://127.0.0.1:{proxy.flight_port}").list_flights())
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.flight_port}", "-tls1_1",
         "-cipher", "DEFAULT@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode != 0


def test_many_streams_share_the_proxy(proxied):
    server, proxy = proxied
    table = numbers(200_000)
    put(server.client(), "t.parquet", table)
    with proxy.client() as client:
        readers = [client.do_get(info(client, "t.parquet").endpoints[0].ticket) for _ in range(50)]
        assert all(reader.read_all() == table for reader in readers)


def test_http_goes_through_nginx_with_ranges_and_large_bodies(proxied, tmp_path):
    server, proxy = proxied
    table = pa.table({"x": np.random.default_rng(1).integers(0, 2**63, 1 << 20)})
    put(server.client(), "t.parquet", table)
    stored = (server.data / "t.parquet").read_bytes()
    with proxy.open("/v1/datasets/t.parquet") as answer:
        assert answer.read() == stored
    with proxy.open("/v1/datasets/t.parquet", headers={"Range": "bytes=-8"}) as answer:
        assert (answer.status, answer.read()) == (206, stored[-8:])
    with proxy.open("/v1/datasets/copy.parquet", data=stored, method="PUT",
                    headers={"Content-Type": "application/vnd.apache.parquet"}) as answer:
        assert json.loads(answer.read())["rows"] == table.num_rows
    assert (server.data / "copy.parquet").read_bytes() == stored
    with pytest.raises(urllib.error.HTTPError) as refused:
        proxy.open("/metrics")
    assert refused.value.code == 403
    assert not re.search(r"(?m) a client request body is buffered| is buffered to a temporary",
                         proxy.log())


def test_headers_without_end_get_no_further_than_nginx(proxied):
    """What docs/security.md advises against gRPC's way with such headers."""
    server, proxy = proxied
    before = resident_bytes(server)
    context = ssl.create_default_context(cadata=proxy.certificate.decode())
    context.set_alpn_protocols(["h2"])
    with (socket.create_connection(("127.0.0.1", proxy.flight_port)) as plain,
          context.wrap_socket(plain, server_hostname="localhost") as connection):
        connection.settimeout(DEADLINE_SECONDS)
        connection.sendall(HTTP2_PREFACE + http2_frame(SETTINGS, 0, 0)
                           + http2_frame(HEADERS, 0, 1, b"\0\1a\1b"))
        # It may throw away for a while what still comes.
        with contextlib.suppress(OSError):
            for _ in range(4000):
                connection.sendall(http2_frame(CONTINUATION, 0, 1, b"\0\1a\1b" * 3000))
    eventually(lambda: "client sent too large header" in proxy.log(), "nginx ends it")
    assert resident_bytes(server) < before + (32 << 20)
    with proxy.client() as client:
        assert listed(client) == []
