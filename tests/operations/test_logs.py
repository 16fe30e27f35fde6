"""What the log says: one line a call, whatever a client sends, and traces that go on."""

import json
import re
import signal
import socket

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_steps import get, path, put
from hangar_fixtures import eventually

TABLE = pa.table({"number": pa.array(range(1000), pa.int64())})
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class JsonLog:
    def __init__(self, server):
        self._server = server

    def events(self):
        # Not splitlines: what it takes for the end of a line must not stand in one, either.
        return [json.loads(line) for line in self._server.log().split("\n")[:-1]]

    def calls(self, method, count):
        """The lines of so many calls of a method; they come a moment after the answers."""
        def ended():
            calls = [event for event in self.events()
                     if event["message"] == "call" and event["method"] == method]
            return calls if len(calls) >= count else None
        calls = eventually(ended, f"{count} lines of {method}")
        assert len(calls) == count
        return calls


@pytest.fixture
def logged(start_server):
    server = start_server(flags=["--log-format", "json"])
    return server, JsonLog(server)


class TraceMiddleware(flight.ClientMiddleware):
    def __init__(self, factory):
        super().__init__()
        self._factory = factory

    def sending_headers(self):
        return {"traceparent": self._factory.sent} if self._factory.sent is not None else {}

    def received_headers(self, headers):
        self._factory.received.extend(headers.get("traceparent", []))


class Tracer(flight.ClientMiddlewareFactory):
    """Sends a traceparent with each call and keeps those that come back."""

    def __init__(self, sent):
        super().__init__()
        self.sent = sent
        self.received = []

    def start_call(self, info):
        del info
        return TraceMiddleware(self)


def traced(server, sent):
    tracer = Tracer(sent)
    client = server.client(middleware=[tracer])
    tracer.received.clear()
    return client, tracer


def test_a_call_is_a_line_with_what_it_did(logged):
    server, log = logged
    client = server.client()
    put(client, "a.parquet", TABLE)
    get(client, "a.parquet")
    upload, = log.calls("DoPut", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", upload.pop("time"))
    assert re.fullmatch(r"[0-9a-f]{32}", upload.pop("trace_id"))
    assert re.fullmatch(r"127\.0\.0\.1:\d+", upload.pop("peer"))
    assert upload.pop("milliseconds") > 0
    assert upload == {"level": "info", "message": "call", "door": "flight", "method": "DoPut",
                      "identity": "anonymous", "dataset": "a.parquet", "rows_in": 1000,
                      "bytes_in": 8000, "code": "OK"}
    read, = log.calls("DoGet", 1)
    assert (read["dataset"], read["rows_out"], read["bytes_out"], read["code"]) == (
        "a.parquet", 1000, 8000, "OK")


def test_a_call_that_fails_says_why(logged):
    server, log = logged
    client = server.client()
    with pytest.raises(pa.ArrowKeyError):
        client.get_flight_info(path("missing"))
    failed, = log.calls("GetFlightInfo", 1)
    assert failed["code"] == "NOT_FOUND"
    assert failed["reason"] == "there is no dataset 'missing'"
    assert failed["dataset"] == "missing"


def test_a_listing_that_fails_half_way_keeps_its_code(logged):
    server, log = logged
    client = server.client()
    with pytest.raises(pa.ArrowInvalid):
        list(client.list_flights(b'{"limit": -1}'))
    failed = log.calls("ListFlights", 1)[0]
    assert failed["code"] == "INVALID_ARGUMENT"
    assert "Detail" not in failed["reason"]


HOSTILE_NAMES = [
    'x\n{"message": "call", "forged": true}',
    "x\r\n2026-01-31T00:00:00.000000Z info    forged",
    "x\x00y", "x\x1b[2Jy", "x\x7fy",
    "x\u0085forged", "x\u009b2Jy", "x\u2028forged", "x\u2029forged", "x\u202egnp.exe",
    'x" code=OK forged="', "x\\", "x=y z",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_cannot_forge_a_line_of_json(logged, name):
    server, log = logged
    client = server.client()
    with pytest.raises(pa.ArrowException):
        client.get_flight_info(path(name))
    event, = log.calls("GetFlightInfo", 1)
    assert "forged" not in event
    assert server.log().isascii()
    assert all(character.isprintable() for character in server.log() if character != "\n")


def test_names_cannot_forge_lines_of_text(server):
    client = server.client()
    for name in HOSTILE_NAMES:
        with pytest.raises(pa.ArrowException):
            client.get_flight_info(path(name))
    eventually(lambda: server.log().count("method=GetFlightInfo") == len(HOSTILE_NAMES),
               "each call has a line")
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (debug|info|warning|error) +"
    for line in server.log().split("\n")[:-1]:
        assert re.match(stamp, line), line
        assert all(character.isprintable() for character in line), line
        assert len(re.findall(r"(?<!\S)code=", re.sub(r'"(?:[^"\\]|\\.)*"', '""', line))) <= 1


def test_every_line_is_json_whatever_libraries_say(start_server):
    server = start_server(flags=["--log-format", "json", "--log-level", "debug"],
                          environment={"GRPC_VERBOSITY": "debug", "GRPC_TRACE": "http,api"})
    log = JsonLog(server)
    host, port = server.target.rsplit(":", 1)
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x00\xff" * 100,
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00\x00\x00\x00\x00"):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(garbage)
            while connection.recv(4096):
                pass
    put(server.client(), "a.parquet", TABLE)
    log.calls("DoPut", 1)
    said = [event for event in log.events() if event["message"] == "gRPC says"]
    assert said
    assert {event["level"] for event in said} <= {"debug", "info", "warning"}


def test_a_trace_goes_on_through_the_server(logged):
    server, log = logged
    client, tracer = traced(server, f"00-{TRACE}-{SPAN}-01")
    put(client, "a.parquet", TABLE)
    client.get_flight_info(path("a.parquet"))
    for answered in tracer.received:
        trace, span = TRACEPARENT.fullmatch(answered).groups()
        assert trace == TRACE
        assert span != SPAN
        assert answered.endswith("-01")
    # One for each call, and each a step of its own.
    assert len(tracer.received) == len(set(tracer.received)) == 2
    assert log.calls("DoPut", 1)[0]["trace_id"] == TRACE
    assert log.calls("GetFlightInfo", 1)[0]["trace_id"] == TRACE


@pytest.mark.parametrize("header", [
    "", "nonsense", f"00-{TRACE.upper()}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-more",
    f"00-{TRACE}-{SPAN}-01" + "x" * 1000, '00-"; DROP TABLE calls; --',
    f" 00-{TRACE}-{SPAN}-0g",
])
def test_a_malformed_trace_is_replaced(logged, header):
    server, log = logged
    client, tracer = traced(server, header)
    put(client, "a.parquet", TABLE)
    answered, = tracer.received
    trace, _ = TRACEPARENT.fullmatch(answered).groups()
    assert trace != TRACE
    assert log.calls("DoPut", 1)[0]["trace_id"] == trace


def test_a_call_without_a_trace_begins_one(logged):
    server, log = logged
    client, tracer = traced(server, None)
    put(client, "a.parquet", TABLE)
    put(client, "a.parquet", TABLE)
    first, second = (TRACEPARENT.fullmatch(answered)[1] for answered in tracer.received)
    assert first != second
    assert [call["trace_id"] for call in log.calls("DoPut", 2)] == [first, second]


def test_two_traces_in_one_call_are_none(logged):
    server, log = logged
    client = server.client()
    header = (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())
    options = flight.FlightCallOptions(headers=[header, header])
    with pytest.raises(pa.ArrowKeyError):
        client.get_flight_info(path("missing"), options=options)
    assert log.calls("GetFlightInfo", 1)[0]["trace_id"] != TRACE


def test_the_level_decides_what_is_said(start_server):
    server = start_server(flags=["--log-format", "json", "--log-level", "warning"])
    put(server.client(), "a.parquet", TABLE)
    server.close_clients()
    assert server.stop() == 0
    assert JsonLog(server).events() == []


def test_the_level_can_be_changed_while_the_server_runs(start_server, tmp_path):
    settings = tmp_path / "hangar.toml"
    settings.write_text('log_level = "warning"\nlog_format = "json"\n')
    server = start_server(flags=["--config", str(settings)])
    log = JsonLog(server)
    client = server.client()
    put(client, "a.parquet", TABLE)
    settings.write_text('log_level = "info"\nlog_format = "json"\n')
    server.process.send_signal(signal.SIGHUP)
    eventually(log.events, "the new level is said")
    put(client, "b.parquet", TABLE)
    assert log.calls("DoPut", 1)[0]["dataset"] == "b.parquet"


def test_a_log_that_cannot_be_written_stops_nothing(start_server):
    server = start_server(wrapper=["bash", "-c", 'exec "$@" 2>/dev/full', "bash"])
    client = server.client()
    put(client, "a.parquet", TABLE)
    assert get(client, "a.parquet").equals(TABLE)
