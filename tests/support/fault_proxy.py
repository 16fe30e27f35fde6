"""Stands between a client and an HTTP/1.1 server, and lets chosen requests go wrong.

    with FaultProxy("http://127.0.0.1:7480") as proxy:
        harm = proxy.arm(ResetBeforeAnswer(), operation="CompleteMultipartUpload")
        ...                              # whoever speaks to proxy.uri
        assert harm.done == 1
        assert proxy.operations().count("UploadPart") == 5

What may be armed stands in faults.py. Everything else passes as it is, the Host header (which S3
signs) too, piece by piece over connections that are kept, so that any number of bytes goes through.
Real sockets on both sides. Every method may be called from any thread. A proxy ends with all its
connections.
"""

import collections
import contextlib
import re
import select
import socket
import struct
import threading
import urllib.parse

from faults import PIECE_BYTES, Answered, Fault, Over

_HEAD_BYTES_MAX = 1 << 16


class Request:
    """What a client asked for. `operation` is the name that S3's documentation has for it, and
    `status` the code of the answer, None as long as there is none."""

    def __init__(self, line, headers):
        self.method, self.target, _ = line.split(" ", 2)
        self.headers = headers
        self.operation = s3_operation(self.method, self.target, headers)
        self.status = None

    def __repr__(self):
        return f"{self.operation} {self.method} {self.target} -> {self.status}"


def s3_operation(method, target, headers):
    """The operation of S3 that a request with a path-style address asks for."""
    path, _, query = target.partition("?")
    asked = {part.partition("=")[0] for part in query.split("&")}
    key = path.strip("/").partition("/")[2]
    copies = "x-amz-copy-source" in headers
    if not key:
        if method == "GET":
            for parameter, name in (("uploads", "ListMultipartUploads"),
                                    ("versions", "ListVersions"),
                                    ("versioning", "GetBucketVersioning")):
                if parameter in asked:
                    return name
            return "ListObjects" if path.strip("/") else "ListBuckets"
        return f"{method.title()}Bucket"
    if "uploadId" in asked:
        return {"PUT": "UploadPartCopy" if copies else "UploadPart", "GET": "ListParts",
                "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}[method]
    if method == "POST" and "uploads" in asked:
        return "CreateMultipartUpload"
    if method == "PUT" and copies:
        return "CopyObject"
    return f"{method.title()}Object"


class Armed:
    """A fault that waits for its requests. `done` counts those that it did harm to."""

    def __init__(self, fault, operation, nth, times):
        self.fault = fault
        self.operation = operation
        self.done = 0
        self._before = nth - 1
        self._left = times

    def takes(self, request):
        """Whether this request, the next one that came, is the fault's. Callers hold a lock."""
        if self.operation not in (None, request.operation) or self._left == 0:
            return False
        if self._before > 0:
            self._before -= 1
            return False
        if self._left is not None:
            self._left -= 1
        return True


class FaultProxy:
    """See the module. `store` is the server's http:// address."""

    def __init__(self, store, address="127.0.0.1"):
        parts = urllib.parse.urlsplit(store)
        assert parts.scheme == "http", store
        self.store = (parts.hostname, parts.port or 80)
        self.closing = threading.Event()
        self.requests = []
        self.problems = []
        self._armed = []
        self._answers = None
        self._lock = threading.Lock()
        self._connections = set()
        self._threads = []
        self._listener = socket.create_server((address, 0))
        self.uri = "http://%s:%d" % self._listener.getsockname()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends every connection. Fails when the proxy itself did something that it should not."""
        self.closing.set()
        # Shutting down, not closing, is what wakes the threads that wait in these sockets.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        assert not self.problems, self.problems

    def arm(self, fault, *, operation=None, nth=1, times=1):
        """From now on the `nth` request of this `operation` (None: of any), and those after it,
        `times` in all (None: without end), go wrong. The first armed fault that takes a request is
        the only one that sees it."""
        armed = Armed(fault, operation, nth, times)
        with self._lock:
            self._armed.append(armed)
        return armed

    def disarm(self):
        """Lets everything pass again."""
        with self._lock:
            self._armed.clear()

    def operations(self):
        """The operations so far, in the order in which the requests came."""
        with self._lock:
            return [request.operation for request in self.requests]

    def forget(self):
        """Begins the list of requests anew."""
        with self._lock:
            self.requests.clear()

    def remember_answers(self):
        """From now on keeps the first answer of each GET and HEAD, for `StaleAnswer`."""
        with self._lock:
            self._answers = {}

    @staticmethod
    def _same(request):
        return request.method, request.target, request.headers.get("range")

    def remembered(self, request):
        """The bytes of the answer that is kept for such a request, or None."""
        with self._lock:
            return (self._answers or {}).get(self._same(request))

    def remember(self, request, answer):
        with self._lock:
            self._answers.setdefault(self._same(request), answer)

    def remembers(self, request):
        """Whether the answer to this request is to be kept."""
        with self._lock:
            return self._answers is not None and request.method in ("GET", "HEAD")

    def note(self, request):
        """Takes down a request that came, and gives the fault that is meant for it, or None."""
        with self._lock:
            self.requests.append(request)
            # Each one counts, so that "the third" is the third for every fault.
            takers = [armed for armed in self._armed if armed.takes(request)]
            return takers[0] if takers else None

    def count_harm(self, armed):
        with self._lock:
            armed.done += 1

    def connected(self, connection):
        with self._lock:
            self._connections.add(connection)

    def disconnected(self, connection):
        with self._lock:
            self._connections.discard(connection)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client):
        connection = _Connection(self, client)
        try:
            while not self.closing.is_set() and connection.serve_one():
                pass
        except Over as over:
            connection.end(over)
        except OSError:
            connection.end(Over())
        except Exception as error:  # noqa: BLE001 - the test's thread has to hear of it
            self.problems.append(error)
            connection.end(Over())
        finally:
            connection.close()


class _Connection:
    """One connection of a client, with the one to the server that belongs to it."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.from_client = client.makefile("rb")
        self.store = None
        self.from_store = None
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        proxy.connected(client)

    def serve_one(self):
        """Whether the client may ask once more."""
        read = _read_head(self.from_client)
        if read is None:
            return False
        head, line, headers = read
        request = Request(line, headers)
        exchange = _Exchange(self, request, head, self.proxy.note(request))
        try:
            return exchange.run()
        except Answered as answered:
            return answered.keep

    def connect(self):
        """A connection to the server on which nothing is under way."""
        if self.store is not None and select.select([self.store], [], [], 0)[0]:
            self._leave_store()  # The server ended it in the meantime.
        if self.store is None:
            self.store = socket.create_connection(self.proxy.store)
            self.store.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.from_store = self.store.makefile("rb")
            self.proxy.connected(self.store)

    def end(self, over):
        with contextlib.suppress(OSError):
            if over.last:
                self.client.sendall(over.last)
            if over.reset:
                # Closing a socket that lingers for no time sends a reset.
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self):
        self.from_client.close()
        self.client.close()
        self.proxy.disconnected(self.client)
        self._leave_store()

    def _leave_store(self):
        if self.store is not None:
            self.from_store.close()
            self.store.close()
            self.proxy.disconnected(self.store)
            self.store = None


class _Exchange:
    """One request and its answer."""

    def __init__(self, connection, request, head, armed):
        self.proxy = connection.proxy
        self.client = connection.client
        self.from_client = connection.from_client
        self.request = request
        self._connection = connection
        self._head = head
        self._armed = armed
        self._fault = armed.fault if armed else Fault()
        self._answer_body = None

    def harmed(self):
        """Says that the fault did what it is for."""
        self.proxy.count_harm(self._armed)

    def drain_request(self):
        collections.deque(self._request_body(), maxlen=0)

    def drain_answer(self):
        collections.deque(self._answer_body, maxlen=0)

    def run(self):
        """Whether the connection can take another request."""
        self._fault.on_request(self)
        self._connection.connect()
        store = self._connection.store
        store.sendall(self._fault.request_head(self, self._head))
        status, head, headers = 100, b"", {}
        if self.request.headers.get("expect", "").lower() == "100-continue":
            status, head, headers = self._read_answer_head()
            if status == 100:
                self.client.sendall(head)
        whole = status == 100 and self._send_body(store)
        while status == 100:
            status, head, headers = self._read_answer_head()
        return self._give_answer(status, head, headers) and whole

    def _send_body(self, store):
        """Whether the server took all of it. One that refuses may answer before the end."""
        for piece in self._harmed_body(self._request_body(), self._fault.request_bytes):
            try:
                store.sendall(piece)
            except OSError:
                return False
        return True

    def _read_answer_head(self):
        read = _read_head(self._connection.from_store)
        if read is None:
            raise Over
        head, line, headers = read
        return int(line.split(" ", 2)[1]), head, headers

    def _give_answer(self, status, head, headers):
        empty = self.request.method == "HEAD" or status in (204, 304)
        until_close = not empty and not {"content-length", "transfer-encoding"} & headers.keys()
        self._answer_body = iter(()) if empty else _read_body(
            self._connection.from_store, headers, until_close)
        self._fault.on_answer(self)
        self.request.status = status
        kept = [head] if self.proxy.remembers(self.request) else None
        self.client.sendall(head)
        for piece in self._harmed_body(self._answer_body, self._fault.answer_bytes):
            if kept is not None:
                kept.append(piece)
            self.client.sendall(piece)
        if kept is not None:
            self.proxy.remember(self.request, b"".join(kept))
        closes = any("close" in found.get("connection", "").lower()
                     for found in (headers, self.request.headers))
        return not until_close and not closes

    def _request_body(self):
        return _read_body(self.from_client, self.request.headers, until_close=False)

    def _harmed_body(self, body, hook):
        """The bytes of `body`, with what the fault makes of those that are no framing."""
        offset = 0
        for payload, piece in body:
            if payload:
                size = len(piece)
                piece = hook(self, offset, piece)
                offset += size
            yield piece


def _read_head(stream):
    """The bytes of a request's or answer's head, its first line and its headers by lower-case name;
    None at the end of the connection."""
    lines = []
    while not lines or lines[-1] not in (b"\r\n", b"\n"):
        line = stream.readline(_HEAD_BYTES_MAX)
        if not line.endswith(b"\n"):
            return None
        lines.append(line)
    first, *fields = [line.decode("latin-1").rstrip("\r\n") for line in lines[:-1]]
    headers = {}
    for field in fields:
        name, _, value = field.partition(":")
        headers[name.strip().lower()] = value.strip()
    return b"".join(lines), first, headers


def _read_body(stream, headers, until_close):
    """Yields (whether it is payload, bytes) as it comes; framing goes along as it is."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        yield from _read_chunks(stream)
    elif until_close:
        while piece := stream.read1(PIECE_BYTES):
            yield True, piece
    else:
        yield from _read_exactly(stream, int(headers.get("content-length", "0")))


def _read_exactly(stream, count):
    while count > 0:
        piece = stream.read1(min(count, PIECE_BYTES))
        if not piece:
            raise Over(reset=False)
        count -= len(piece)
        yield True, piece


def _read_chunks(stream):
    while True:
        line = stream.readline(_HEAD_BYTES_MAX)
        if not re.match(rb"[0-9a-fA-F]+", line):
            raise Over(reset=False)
        yield False, line
        size = int(line.split(b";")[0], 16)
        if size == 0:
            break
        yield from _read_exactly(stream, size)
        yield False, stream.readline(_HEAD_BYTES_MAX)
    # Trailers, up to the empty line.
    while True:
        line = stream.readline(_HEAD_BYTES_MAX)
        yield False, line
        if line in (b"\r\n", b"\n", b""):
            return
