"""The proxy that lets requests go wrong, between plain HTTP clients and servers."""

import http.client
import http.server
import socket
import threading

import pytest

from fault_proxy import FaultProxy, s3_operation
from faults import (
    Answer, CorruptedAnswer, CorruptedRequest, Delay, Hold, NoAnswer, ResetBeforeAnswer,
    ResetBeforeRequest, ResetInAnswer, ResetInRequest, StaleAnswer, TruncatedAnswer, s3_error)

DEADLINE_SECONDS = 30
BIG = bytes(range(256)) * 40_000


class Store:
    """An HTTP server with objects in memory, which takes down what reaches it."""

    def __init__(self):
        self.objects = {"/b/k": b"hello world", "/b/big": BIG}
        self.seen = []
        self.hosts = []
        self.chunked = False
        self.refuse_bodies = False
        self.leaves = False
        self.left = threading.Event()
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                store.took(self)
                # It may end the connection after its answer without saying so.
                self.close_connection |= store.leaves
                body = store.objects.get(self.path, b"")
                self.send_response(200 if self.path in store.objects else 404)
                if store.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    for piece in (body[:7], body[7:]):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.write(b"0\r\n\r\n")
                    return
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def do_PUT(self):
                size = int(self.headers["Content-Length"])
                body = self.rfile.read(size)
                store.took(self)
                if len(body) == size:
                    store.objects[self.path] = body
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def handle_expect_100(self):
                if not store.refuse_bodies:
                    return super().handle_expect_100()
                store.took(self)
                self.send_response(412)
                self.send_header("Content-Length", "0")
                self.end_headers()
                self.close_connection = True
                return False

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def shutdown_request(self, request):
                super().shutdown_request(request)
                store.left.set()

            def handle_error(self, request, client_address):
                pass  # Connections break here on purpose.

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def took(self, handler):
        self.seen.append(f"{handler.command} {handler.path}")
        self.hosts.append(handler.headers["Host"])

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def store():
    running = Store()
    yield running
    running.close()


@pytest.fixture
def proxy(store):
    with FaultProxy(store.uri) as standing:
        yield standing


class Client:
    """One connection; `connects` counts how often it was made."""

    def __init__(self, proxy):
        self._connection = http.client.HTTPConnection(
            proxy.uri.removeprefix("http://"), timeout=DEADLINE_SECONDS)
        self.connects = 0
        connect = self._connection.connect

        def counting():
            self.connects += 1
            connect()
        self._connection.connect = counting

    def ask(self, method, target, body=None, headers=None):
        """The status, headers and body of the answer."""
        self._connection.request(method, target, body, headers or {})
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def get(self, target="/b/k"):
        return self.ask("GET", target)[2]

    def close(self):
        self._connection.close()


@pytest.fixture
def client(proxy):
    asking = Client(proxy)
    yield asking
    asking.close()


def test_everything_passes_as_it_is(store, proxy, client):
    assert client.ask("PUT", "/b/new", BIG)[0] == 200
    assert store.objects["/b/new"] == BIG
    assert client.get("/b/new") == BIG
    assert client.ask("GET", "/b/none")[0] == 404
    assert client.ask("HEAD", "/b/k")[1]["Content-Length"] == "11"
    store.chunked = True
    assert client.get("/b/big") == BIG
    assert client.connects == 1
    assert proxy.operations() == ["PutObject", "GetObject", "GetObject", "HeadObject", "GetObject"]
    assert [request.status for request in proxy.requests] == [200, 200, 404, 200, 200]


def test_the_host_that_the_client_names_arrives(store, proxy, client):
    client.ask("GET", "/b/k", headers={"Host": "bucket.example.org"})
    client.get()
    assert store.hosts == ["bucket.example.org", proxy.uri.removeprefix("http://")]


def send_and_wait(proxy, body, first):
    """Sends a PUT that waits for leave to send its body, and gives the codes of the answers."""
    host, port = proxy.uri.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE_SECONDS) as connection:
        connection.sendall(b"PUT /b/new HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body))
        answers = connection.makefile("rb")
        codes = [int(answers.readline().split()[1])]
        assert codes == [first]
        if first == 100:
            assert answers.readline() == b"\r\n"
            connection.sendall(body)
            codes.append(int(answers.readline().split()[1]))
        else:
            rest = answers.read()  # The connection ends: nobody knows whether the body comes.
            assert b"HTTP/1.1" not in rest
    return codes


def test_leave_to_send_a_body_is_the_servers(store, proxy):
    assert send_and_wait(proxy, BIG, 100) == [100, 200]
    assert store.objects["/b/new"] == BIG
    store.refuse_bodies = True
    assert send_and_wait(proxy, BIG, 412) == [412]


def test_an_armed_answer_needs_no_body(store, proxy):
    proxy.arm(s3_error(503, "SlowDown"))
    assert send_and_wait(proxy, BIG, 503) == [503]
    assert store.seen == []


def test_a_connection_that_the_server_ended_is_made_anew(store, proxy, client):
    store.leaves = True
    assert client.get() == b"hello world"
    assert store.left.wait(DEADLINE_SECONDS)
    assert client.get() == b"hello world"
    assert client.connects == 1


def test_a_reset_before_the_request_never_reaches_the_server(store, proxy, client):
    harm = proxy.arm(ResetBeforeRequest())
    with pytest.raises(ConnectionResetError):
        client.ask("PUT", "/b/new", b"x")
    assert (harm.done, store.seen) == (1, [])
    client.close()
    assert client.get() == b"hello world"


def test_a_reset_before_the_answer_comes_after_the_deed(store, proxy, client):
    harm = proxy.arm(ResetBeforeAnswer())
    with pytest.raises(ConnectionResetError):
        client.ask("PUT", "/b/new", b"x")
    assert (harm.done, store.objects["/b/new"]) == (1, b"x")


def test_a_reset_in_the_request_stores_nothing(store, proxy, client):
    harm = proxy.arm(ResetInRequest(after_bytes=100_000))
    with pytest.raises(ConnectionError):
        client.ask("PUT", "/b/new", BIG)
    assert harm.done == 1
    assert "/b/new" not in store.objects


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_breaks_off_with_a_reset(store, proxy, client, chunked):
    store.chunked = chunked
    harm = proxy.arm(ResetInAnswer(after_bytes=5_000_000))
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        client.get("/b/big")
    assert harm.done == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_ends_early(store, proxy, client, chunked):
    store.chunked = chunked
    harm = proxy.arm(TruncatedAnswer(after_bytes=5))
    with pytest.raises(http.client.IncompleteRead) as error:
        client.get()
    if not chunked:
        assert error.value.partial == b"hello"
    assert harm.done == 1


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("at_byte", [0, 9, 100_000])
def test_one_byte_of_an_answer_is_corrupted(store, proxy, client, chunked, at_byte):
    store.chunked = chunked
    harm = proxy.arm(CorruptedAnswer(at_byte))
    got = client.get("/b/big")
    assert [place for place, byte in enumerate(got) if byte != BIG[place]] == [at_byte]
    assert harm.done == 1
    assert client.get("/b/big") == BIG
    assert client.connects == 1


def test_one_byte_of_a_request_is_corrupted(store, proxy, client):
    proxy.arm(CorruptedRequest(1))
    client.ask("PUT", "/b/new", b"abc")
    assert store.objects["/b/new"] == b"aBc"


def test_a_fault_that_finds_no_place_counts_as_not_done(proxy, client):
    harms = [proxy.arm(CorruptedAnswer(11)), proxy.arm(TruncatedAnswer(11))]
    assert client.get() == b"hello world"
    assert client.get() == b"hello world"
    assert [harm.done for harm in harms] == [0, 0]


def test_an_error_is_answered_in_the_servers_place(store, proxy, client):
    proxy.arm(s3_error(503, "SlowDown", {"Retry-After": "2"}))
    status, headers, body = client.ask("PUT", "/b/new", BIG)
    assert (status, headers["Retry-After"]) == (503, "2")
    assert b"<Code>SlowDown</Code>" in body
    assert store.seen == []
    assert client.get() == b"hello world"
    assert client.connects == 1


def test_an_error_is_answered_though_the_server_did_it(store, proxy, client):
    proxy.arm(Answer(500, forwarded=True))
    assert client.ask("PUT", "/b/new", b"x")[0] == 500
    assert store.objects["/b/new"] == b"x"
    assert client.get("/b/new") == b"x"


def test_an_answer_to_head_has_no_body(proxy, client):
    proxy.arm(s3_error(503, "SlowDown"))
    assert client.ask("HEAD", "/b/k")[0] == 503
    assert client.ask("HEAD", "/b/k")[0] == 200
    assert client.connects == 1


def test_a_stale_answer_is_what_the_same_request_got_before(store, proxy, client):
    proxy.remember_answers()
    assert client.get() == b"hello world"
    store.objects["/b/k"] = b"changed"
    assert client.get() == b"changed"
    harm = proxy.arm(StaleAnswer(), times=2)
    assert client.get() == b"hello world"
    assert client.get("/b/big") == BIG  # Not seen before.
    assert client.get() == b"changed"
    assert harm.done == 1


@pytest.mark.parametrize("forwarded", [False, True])
def test_no_answer_comes_and_the_connection_stays(store, proxy, forwarded):
    harm = proxy.arm(NoAnswer(forwarded))
    host, port = proxy.uri.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=0.2) as connection:
        connection.sendall(b"GET /b/k HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert harm.done == 1
    assert store.seen == (["GET /b/k"] if forwarded else [])


def test_a_delay_ends(proxy, client):
    harm = proxy.arm(Delay(0.05))
    assert client.get() == b"hello world"
    assert harm.done == 1


@pytest.mark.parametrize("answer", [False, True])
def test_a_request_is_held_until_it_is_released(store, proxy, client, answer):
    hold = Hold(answer=answer)
    proxy.arm(hold)
    got = []
    asking = threading.Thread(target=lambda: got.append(client.get()))
    asking.start()
    assert hold.reached.wait(DEADLINE_SECONDS)
    store.objects["/b/k"] = b"changed"
    assert got == []
    hold.release()
    asking.join()
    assert got == [b"hello world" if answer else b"changed"]


def test_a_fault_waits_for_its_operation_and_its_turn(proxy, client):
    harm = proxy.arm(Answer(500), operation="GetObject", nth=2, times=2)
    methods = ["HEAD", "GET", "HEAD", "GET", "GET", "GET"]
    codes = [client.ask(method, "/b/k")[0] for method in methods]
    assert codes == [200, 200, 200, 500, 500, 200]
    assert harm.done == 2


def test_a_fault_without_end_ends_when_it_is_disarmed(proxy, client):
    proxy.arm(Answer(429), times=None)
    assert [client.ask("GET", "/b/k")[0] for _ in range(3)] == [429] * 3
    proxy.disarm()
    assert client.get() == b"hello world"


def test_many_connections_pass_at_once(store, proxy):
    def work():
        own = Client(proxy)
        for _ in range(20):
            if own.get("/b/big") != BIG:
                failures.append("wrong bytes")
        own.close()

    failures = []
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(proxy.requests) == len(store.seen) == 160


def test_closing_ends_what_waits(store):
    with FaultProxy(store.uri) as proxy:
        proxy.arm(NoAnswer())
        host, port = proxy.uri.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), timeout=DEADLINE_SECONDS)
        connection.sendall(b"GET /b/k HTTP/1.1\r\nHost: x\r\n\r\n")
    with connection:
        with pytest.raises(ConnectionResetError):
            if connection.recv(1) == b"":
                raise ConnectionResetError


@pytest.mark.parametrize(("method", "target", "copies", "operation"), [
    ("GET", "/", False, "ListBuckets"),
    ("PUT", "/b", False, "PutBucket"),
    ("HEAD", "/b/", False, "HeadBucket"),
    ("GET", "/b?list-type=2&prefix=a%2Fb", False, "ListObjects"),
    ("GET", "/b/?uploads", False, "ListMultipartUploads"),
    ("GET", "/b?uploads=&prefix=p", False, "ListMultipartUploads"),
    ("GET", "/b?versioning=", False, "GetBucketVersioning"),
    ("PUT", "/b/a/k", False, "PutObject"),
    ("PUT", "/b/k", True, "CopyObject"),
    ("DELETE", "/b/k", False, "DeleteObject"),
    ("POST", "/b/k?uploads", False, "CreateMultipartUpload"),
    ("PUT", "/b/k?partNumber=1&uploadId=u", False, "UploadPart"),
    ("PUT", "/b/k?partNumber=1&uploadId=u", True, "UploadPartCopy"),
    ("GET", "/b/k?uploadId=u", False, "ListParts"),
    ("POST", "/b/k?uploadId=u", False, "CompleteMultipartUpload"),
    ("DELETE", "/b/k?uploadId=u", False, "AbortMultipartUpload"),
])
def test_an_operation_is_told_by_its_request(method, target, copies, operation):
    headers = {"x-amz-copy-source": "/b/from"} if copies else {}
    assert s3_operation(method, target, headers) == operation
