"""How the tests talk HTTP: without a library's own ideas of what is meant."""

import http.client
import io
import json
import socket
import ssl
import urllib.parse

import pyarrow as pa
import pyarrow.parquet as pq

TIMEOUT_SECONDS = 60
PARQUET = "application/vnd.apache.parquet"
ARROW_STREAM = "application/vnd.apache.arrow.stream"


class Answer:
    """A response that was read whole."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def problem(self):
        """The error that it is, checked to be one."""
        assert self.headers["Content-Type"] == "application/problem+json"
        problem = self.json()
        assert problem["status"] == self.status
        assert problem["detail"] and problem["title"] and problem["code"]
        return problem

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"


class Http:
    """One server's HTTP door."""

    def __init__(self, uri, context=None):
        self.uri = uri
        self.address = urllib.parse.urlsplit(uri)
        self._context = context

    def connect(self):
        if self.address.scheme == "https":
            context = self._context or ssl.create_default_context()
            return http.client.HTTPSConnection(self.address.hostname, self.address.port,
                                               timeout=TIMEOUT_SECONDS, context=context)
        return http.client.HTTPConnection(self.address.hostname, self.address.port,
                                          timeout=TIMEOUT_SECONDS)

    def __call__(self, method, target, body=None, headers=None):
        connection = self.connect()
        try:
            connection.request(method, target, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, target, **headers):
        return self("GET", target, headers=_spelled(headers))

    def head(self, target, **headers):
        return self("HEAD", target, headers=_spelled(headers))

    def put(self, target, body, **headers):
        return self("PUT", target, body=body, headers=_spelled(headers))

    def post(self, target, value=None, **headers):
        body = None if value is None else json.dumps(value)
        return self("POST", target, body=body,
                    headers={"Content-Type": "application/json", **_spelled(headers)})

    def delete(self, target, **headers):
        return self("DELETE", target, headers=_spelled(headers))

    def raw(self):
        """A plain TCP connection."""
        return socket.create_connection((self.address.hostname, self.address.port),
                                        timeout=TIMEOUT_SECONDS)

    def exchange(self, sent):
        """Sends bytes and reads all that comes until the server closes."""
        with self.raw() as connection:
            connection.sendall(sent)
            return read_all(connection)


def read_all(connection):
    received = b""
    while True:
        try:
            piece = connection.recv(1 << 16)
        except ConnectionResetError:
            return received
        if not piece:
            return received
        received += piece


def _spelled(headers):
    """`If_None_Match="*"` -> `If-None-Match: *`."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def numbers(rows):
    return pa.table({"n": pa.array(range(rows), pa.int64()),
                     "text": pa.array([f"row {i}" for i in range(rows)])})


def parquet_bytes(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def stream_bytes(table):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
