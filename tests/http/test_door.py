"""What HTTP is beside its bodies: lists, actions, errors, CORS, and clients that mean no good."""

import concurrent.futures
import json
import re
import signal
import subprocess
import threading

import pytest

from hangar_fixtures import eventually
from http_steps import ARROW_STREAM, numbers, parquet_bytes, read_all
import pyarrow as pa

FILE = parquet_bytes(numbers(10))


def fill(http, *names):
    for name in names:
        assert http.put("/v1/datasets/" + name, FILE).status == 201


def test_datasets_are_listed_in_pages(http):
    fill(http, "b", "a/x", "a/y", "c%20d")
    listed = http.get("/v1/datasets").json()
    assert [one["dataset"] for one in listed["datasets"]] == ["a/x", "a/y", "b", "c d"]
    assert "next" not in listed
    assert listed["datasets"][0]["rows"] == 10 and listed["datasets"][0]["bytes"] == len(FILE)
    names, after = [], ""
    while True:
        page = http.get(f"/v1/datasets?limit=3&after={after}").json()
        names += [one["dataset"] for one in page["datasets"]]
        if "next" not in page:
            break
        after = page["next"].replace(" ", "%20")
    assert names == ["a/x", "a/y", "b", "c d"]
    assert len(http.get("/v1/datasets?prefix=a/").json()["datasets"]) == 2
    assert len(http.get("/v1/datasets?glob=*").json()["datasets"]) == 2
    for wrong in ("limit=0", "limit=10001", "limit=-1", "offset=1"):
        assert http.get("/v1/datasets?" + wrong).status == 400


def test_a_schema_comes_as_json_and_as_arrow(http):
    table = pa.table({"n": pa.array([[1]], pa.list_(pa.int32()))},
                     metadata={"made": "here"})
    http.put("/v1/datasets/a", parquet_bytes(table))
    schema = http.get("/v1/datasets/a/schema").json()
    assert schema["dataset"] == "a" and schema["rows"] == 1
    assert schema["fields"][0]["name"] == "n"
    assert schema["fields"][0]["type"].startswith("list<")
    assert schema["fields"][0]["children"][0]["type"] == "int32"
    assert schema["metadata"]["made"] == "here"
    arrow = http.get("/v1/datasets/a/schema", Accept=ARROW_STREAM)
    assert pa.ipc.read_schema(pa.py_buffer(arrow.body)).names == ["n"]
    assert http.get("/v1/datasets/b/schema").status == 404


def test_a_dataset_whose_name_ends_like_a_part_is_reached_by_an_encoded_slash(http):
    fill(http, "x%2Fschema", "x%2Fversions", "schema", "y:rename")
    assert http.get("/v1/datasets/x%2Fschema").body == FILE
    assert http.get("/v1/datasets/x%2Fschema/schema").json()["dataset"] == "x/schema"
    assert http.get("/v1/datasets/schema").body == FILE
    assert http.get("/v1/datasets/y:rename").body == FILE
    answer = http.put("/v1/datasets/x/schema", FILE)
    assert answer.status == 405 and "PUT" not in answer.headers["Allow"]
    renamed = http.post("/v1/datasets/schema:rename", {"to": "z/schema"})
    assert http.get(renamed.headers["Location"]).body == FILE


def test_a_dataset_is_renamed_dropped_and_brought_back(http):
    fill(http, "a/b", "c")
    renamed = http.post("/v1/datasets/a/b:rename", {"to": "d"})
    assert renamed.status == 200 and renamed.json()["dataset"] == "d"
    assert http.post("/v1/datasets/d:rename", {"to": "c"}).status == 409
    assert http.post("/v1/datasets/d:rename", {"to": "c", "overwrite": True}).status == 200
    assert http.post("/v1/datasets/c:rename", {"to": "e"}, If_Match='"other"').status == 412
    assert http.post("/v1/datasets/nosuch:rename", {"to": "e"}).status == 404
    for wrong in ({}, {"to": 5}, {"to": "x", "more": 1}, [], {"to": ".."}):
        assert http.post("/v1/datasets/c:rename", wrong).status == 400
    assert http.delete("/v1/datasets/c").status == 204
    assert http.get("/v1/datasets/c").status == 404
    assert http.post("/v1/datasets/c:undrop").status == 200
    assert http.post("/v1/datasets/c:undrop", {}).status == 409
    assert http.get("/v1/datasets/c").body == FILE


def test_a_past_version_is_listed_and_restored(http):
    fill(http, "a")
    first = http.head("/v1/datasets/a").headers["ETag"].strip('"')
    http.put("/v1/datasets/a", parquet_bytes(numbers(3)))
    versions = http.get("/v1/datasets/a/versions").json()["versions"]
    assert [version["current"] for version in versions] == [True, False]
    assert versions[1]["version"] == first and versions[1]["by"] == "replaced"
    restored = http.post("/v1/datasets/a:restore", {"version": first})
    assert restored.json() == {"dataset": "a", "version": first}
    assert http.get("/v1/datasets/a").body == FILE
    assert http.delete("/v1/datasets/a?purge=true").status == 204
    assert http.get("/v1/datasets/a/versions").status == 404
    assert http.delete("/v1/datasets/a?purge=maybe").status == 400


@pytest.mark.parametrize("method, target, status, code", [
    ("GET", "/v1/datasets/nosuch", 404, "NOT_FOUND"),
    ("GET", "/v1/datasets/a//b", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/../etc/passwd", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/%2e%2e/%2e%2e/etc/passwd", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/..%2f..%2fetc%2fpasswd", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/a%00b", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/_hangar/staging/x", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/a%0d%0aX-Evil:%201", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/%ff", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/%zz", 400, "INVALID_ARGUMENT"),
    ("GET", "/v1/datasets/" + "a" * 2000, 400, "INVALID_ARGUMENT"),
    ("GET", "/nosuch", 404, "NOT_FOUND"),
    ("GET", "/v1/datasets/", 404, "NOT_FOUND"),
    ("PATCH", "/v1/datasets/a", 405, "UNIMPLEMENTED"),
    ("POST", "/v1/datasets/a", 405, "UNIMPLEMENTED"),
    ("DELETE", "/v1/datasets", 405, "UNIMPLEMENTED"),
    ("TRACE", "/v1/datasets/a", 405, "UNIMPLEMENTED"),
    ("FOO", "/v1/datasets/a", 405, "UNIMPLEMENTED"),
], ids=range(18))
def test_errors_are_problems(shared_http, method, target, status, code):
    answer = shared_http(method, target)
    assert answer.status == status, answer
    assert answer.problem()["code"] == code
    assert answer.headers["X-Evil"] is None
    if status == 405:
        assert "GET" in answer.headers["Allow"]


@pytest.fixture
def shared_http(module_http_server):
    return module_http_server.http


def test_a_hostile_text_in_an_error_stays_text(shared_http):
    answer = shared_http.get("/v1/datasets/x?%0d%0a%22%3Cscript%3E%FF=1".replace("%FF", ""))
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "\n" not in answer.problem()["detail"]


def test_the_interface_is_described_by_what_is_dispatched(shared_http, tmp_path):
    answer = shared_http.get("/v1/openapi.json")
    description = answer.json()
    (tmp_path / "openapi.json").write_bytes(answer.body)
    subprocess.run(["python3", "-m", "openapi_spec_validator", tmp_path / "openapi.json"],
                   check=True)
    for path, operations in description["paths"].items():
        target = path.replace("{name}", "described")
        allow = {method.strip() for method in
                 shared_http("OPTIONS", target).headers["Allow"].split(",")}
        # Every method that is dispatched is described, and the reverse. What ends like an action
        # is a dataset's name to the other methods.
        others = description["paths"]["/v1/datasets/{name}"] if "}:" in path else {}
        assert allow == {method.upper() for method in [*operations, *others]} | {"OPTIONS"}, path
        for method, operation in operations.items():
            reply = shared_http(method.upper(), target)
            described = {int(status) for status in operation["responses"]}
            assert reply.status in described, (method, path, reply)
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    reply = shared_http(method.upper(), f"{target}?{parameter['name']}=1")
                    if reply.body and reply.status == 400:
                        assert "is not known here" not in reply.problem()["detail"]
            assert shared_http(method.upper(), target + "?nosuch=1").status in (400, 415), path


def test_health_and_metrics_answer(shared_http):
    assert shared_http.get("/healthz").body == b"alive\n"
    assert shared_http.get("/readyz").body == b"ready\n"
    assert b"/v1/datasets" in shared_http.get("/").body
    metrics = shared_http.get("/metrics")
    assert metrics.status == 200 and metrics.headers["Content-Type"].startswith("text/plain")
    assert b"hangar_cache_bytes" in metrics.body


def test_a_listener_for_operations_has_nothing_else(start_server):
    from conftest import read_announcement
    from http_steps import Http
    server = start_server(flags=["--metrics", "127.0.0.1:0"])
    http = Http(read_announcement(server).removesuffix("/metrics"))
    assert http.get("/healthz").status == 200 and http.get("/readyz").status == 200
    assert b"hangar_" in http.get("/metrics").body
    for target in ("/", "/v1/datasets", "/v1/openapi.json"):
        assert http.get(target).status == 404


def test_cors_is_off_unless_it_was_configured(shared_http):
    answer = shared_http.get("/v1/datasets", Origin="https://app.example")
    assert answer.headers["Access-Control-Allow-Origin"] is None
    preflight = shared_http("OPTIONS", "/v1/datasets/a", headers={
        "Origin": "https://app.example", "Access-Control-Request-Method": "GET"})
    assert preflight.headers["Access-Control-Allow-Origin"] is None


def test_cors_lets_the_configured_origins_read(start_http):
    http = start_http(flags=["--http-cors-origin", "https://app.example"]).http
    answer = http.get("/v1/datasets", Origin="https://app.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Access-Control-Allow-Credentials"] is None
    other = http.get("/v1/datasets", Origin="https://evil.example")
    assert other.headers["Access-Control-Allow-Origin"] is None
    assert "Origin" in other.headers.get_all("Vary")
    preflight = http("OPTIONS", "/v1/datasets/a", headers={
        "Origin": "https://app.example", "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,if-match"})
    assert preflight.status == 204
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    # Errors are to be read, too.
    problem = http.get("/v1/datasets/nosuch", Origin="https://app.example")
    assert problem.headers["Access-Control-Allow-Origin"] == "https://app.example"


def test_traces_are_taken_over(shared_http):
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = shared_http.get("/healthz", traceparent=f"00-{trace}-b7ad6b7169203331-01")
    assert answer.headers["traceparent"].startswith(f"00-{trace}-")
    assert "b7ad6b7169203331" not in answer.headers["traceparent"]
    other = shared_http.get("/healthz", traceparent="nonsense").headers["traceparent"]
    assert len(other) == 55 and trace not in other


HOST = b"Host: x\r\n"


@pytest.mark.parametrize("request_", [
    # What can be read in two ways is how requests are smuggled past a proxy.
    b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"PUT /v1/datasets/a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"PUT /v1/datasets/a HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    b"PUT /v1/datasets/a HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n",
    b"PUT /v1/datasets/a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"PUT /v1/datasets/a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X : y\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b" folded: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nNo-Host: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 300_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X%d: y\r\n" % i for i in range(50_000)) + b"\r\n",
    b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
], ids=range(18))
def test_a_malformed_request_is_refused(shared_http, request_):
    with shared_http.raw() as connection:
        try:
            connection.sendall(request_)
        except (ConnectionResetError, BrokenPipeError):
            pass
        try:
            connection.shutdown(1)
        except OSError:
            pass
        answer = read_all(connection)
    if answer:
        assert int(answer.split()[1]) >= 400, answer[:100]
        assert len(re.findall(rb"HTTP/1.1 \d\d\d ", answer)) == 1
    assert shared_http.get("/healthz").status == 200


def test_requests_on_one_connection_are_answered_in_order(shared_http):
    sent = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target
                    for target in (b"/healthz", b"/nosuch", b"/readyz"))
    with shared_http.raw() as connection:
        connection.sendall(sent + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = read_all(connection)
    statuses = re.findall(rb"HTTP/1.1 (\d\d\d) ", answer)
    assert statuses == [b"200", b"404", b"200", b"200"]


@pytest.mark.parametrize("method, target, headers, status", [
    ("HEAD", "a", {}, 200),
    ("HEAD", "a?format=csv", {}, 200),
    ("HEAD", "a/schema", {}, 200),
    ("HEAD", "a", {"If-None-Match": "*"}, 304),
    ("HEAD", "nosuch", {}, 404),
    ("GET", "a", {}, 200),
    ("GET", "a", {"Range": "bytes=0-3,500-503"}, 206),
    ("GET", "a?format=csv", {}, 200),
    ("GET", "a", {"If-Match": '"x"'}, 412),
    ("GET", "a", {"Accept": "image/png"}, 406),
    ("OPTIONS", "a", {}, 204),
    ("PATCH", "a", {}, 405),
    ("POST", "nosuch:undrop", {}, 404),
    ("DELETE", "nosuch", {}, 404),
], ids=range(14))
def test_a_connection_is_kept_for_the_next_request(shared_http, method, target, headers, status):
    shared_http.put("/v1/datasets/a", FILE)
    connection = shared_http.connect()
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request(method, "/v1/datasets/" + target, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status and answer.headers["Connection"] is None
        assert connection.sock is first
    connection.close()


@pytest.mark.parametrize("line, status", [
    (b"GET http://elsewhere:1/healthz HTTP/1.1", b"200"),
    (b"OPTIONS * HTTP/1.1", b"204"),
    (b"GET ftp://x/healthz HTTP/1.1", b"400"),
    (b"CONNECT x:80 HTTP/1.1", b"400"),
    (b"GET healthz HTTP/1.1", b"400"),
], ids=range(5))
def test_forms_of_targets(shared_http, line, status):
    answer = shared_http.exchange(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] == status, answer


def test_many_clients_at_once_are_answered(http):
    fill(http, "a")
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: http.get("/v1/datasets/a"), range(1000)))
    assert all(answer.status == 200 and answer.body == FILE for answer in answers)


def test_one_address_cannot_take_all_connections(start_http):
    server = start_http(flags=["--http-connections", "8"])
    held = [server.http.raw() for _ in range(6)]
    for connection in held:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    with server.http.raw() as refused:
        assert read_all(refused) == b""
    for connection in held:
        connection.close()
    eventually(lambda: _answers(server.http), "there is room again")


def _answers(http):
    try:
        return http.get("/healthz").status == 200
    except OSError:
        return False


@pytest.mark.parametrize("sent", [
    b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX: y",
    b"PUT /v1/datasets/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nPAR1",
], ids=range(4))
def test_a_client_that_stalls_is_let_go(start_http, sent):
    server = start_http(flags=["--stall-timeout", "1s"])
    with server.http.raw() as connection:
        connection.sendall(sent)
        read_all(connection)
    eventually(lambda: not server.staged(), "nothing of it stays")


def test_headers_that_trickle_in_forever_are_not_waited_for(start_http):
    server = start_http(flags=["--stall-timeout", "1s"])
    over = threading.Event()
    with server.http.raw() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")

        def trickle():
            while not over.wait(0.05):
                try:
                    connection.sendall(b"X: y\r\n")
                except OSError:
                    return
        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            assert b" 200 " not in read_all(connection)
        finally:
            over.set()
            thread.join()


def test_a_stop_lets_running_calls_end_and_turns_new_ones_away(start_http):
    server = start_http(flags=["--grace", "30s"])
    http = server.http
    big = pa.table({"n": pa.array(range(3_000_000), pa.int64())})
    http.put("/v1/datasets/a", parquet_bytes(big, row_group_size=100_000))
    running = http.connect()
    running.request("GET", "/v1/datasets/a?format=arrow")
    response = running.getresponse()
    first = response.read(1000)
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: http.get("/readyz").status == 503, "it says that it is not ready")
    eventually(lambda: http.get("/v1/datasets").status == 503, "it turns new calls away")
    assert http.get("/v1/datasets").headers["Retry-After"] == "1"
    assert http.get("/healthz").status == 200
    rest = response.read()
    assert pa.ipc.open_stream(first + rest).read_all().num_rows == 3_000_000
    running.close()
    assert server.wait() == 0


def test_a_stop_cuts_off_who_takes_too_long(start_http):
    server = start_http(flags=["--grace", "100ms"])
    table = pa.table({"n": pa.array(range(3_000_000), pa.int64())})
    server.http.put("/v1/datasets/a", parquet_bytes(table))
    slow = [server.http.raw() for _ in range(2)]
    slow[0].sendall(b"GET /v1/datasets/a?format=csv HTTP/1.1\r\nHost: x\r\n\r\n")
    slow[1].sendall(b"PUT /v1/datasets/b HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
                    b"Content-Length: 1000\r\n\r\na,b\n")
    assert slow[0].recv(100).startswith(b"HTTP/1.1 200 ")
    assert server.stop() == 0
    for connection in slow:
        connection.close()


def test_limits_on_streams_are_said_with_a_time_to_retry(start_http):
    server = start_http(flags=["--max-uploads", "1"])
    with server.http.raw() as running:
        running.sendall(b"PUT /v1/datasets/b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
                        b"PAR1")
        eventually(server.staged, "the upload has begun")
        answer = server.http.put("/v1/datasets/a", FILE)
        assert answer.status == 429 and answer.headers["Retry-After"] == "1"
        assert answer.problem()["code"] == "RESOURCE_EXHAUSTED"
    eventually(lambda: server.http.put("/v1/datasets/a", FILE).status == 201, "there is room again")


def _logged_calls(server, count):
    lines = [json.loads(line) for line in server.log().splitlines()]
    calls = [line for line in lines if line.get("door") == "http"]
    calls.sort(key=lambda call: call["http_status"] if call["method"] == "GetDataset" else 0)
    return calls if len(calls) == count else None


def test_calls_are_logged_and_measured(start_http):
    server = start_http(flags=["--log-format", "json"])
    fill(server.http, "a")
    server.http.get("/v1/datasets/a")
    server.http.get("/v1/datasets/nosuch")
    # A call is logged when its answer was sent, which the client may know before.
    calls = eventually(lambda: _logged_calls(server, 3), "all calls are logged")
    assert [(call["method"], call["http_status"]) for call in calls] == [
        ("PutDataset", 201), ("GetDataset", 200), ("GetDataset", 404)]
    assert calls[0]["bytes_in"] == len(FILE) and calls[0]["dataset"] == "a"
    assert calls[1]["bytes_out"] == len(FILE)
    assert calls[2]["code"] == "NOT_FOUND"
    assert b'door="http"' in server.http.get("/metrics").body
