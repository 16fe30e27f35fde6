"""The process: how it starts, says what is wrong, is configured, and ends."""

import json
import os
import re
import signal
import socket
import subprocess

import grpc
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_steps import get, info, listed, numbers, path, put
from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually
from raw_flight import (
    RawFlight, assert_refused, command_descriptor, parse, path_descriptor)


def run(binary, *arguments, environment=None, cwd=None):
    """Runs a server that must end by itself."""
    return subprocess.run([binary, "serve", *arguments], capture_output=True, text=True, cwd=cwd,
                          timeout=DEADLINE_SECONDS, env=clean_environment(environment))


# ---- starts

def test_the_first_line_says_where_the_server_listens(start_server):
    server = start_server()
    assert re.fullmatch(r"listening on grpc://127\.0\.0\.1:[1-9][0-9]*", server.first_line)
    assert listed(server.client()) == []
    assert server.data.is_dir()


def test_each_server_on_port_0_gets_a_port_of_its_own(start_server):
    first, second = start_server(), start_server()
    assert first.uri != second.uri
    put(first.client(), "t.parquet", numbers(1))
    assert listed(second.client()) == []


def test_a_unix_socket_works_and_is_gone_at_the_end(start_server, tmp_path):
    place = tmp_path / "s.sock"
    server = start_server(listen=f"grpc+unix://{place}")
    assert server.first_line == f"listening on grpc+unix://{place}"
    put(server.client(), "t.parquet", numbers(1000))
    assert get(server.client(), "t.parquet") == numbers(1000)
    server.close_clients()
    assert server.stop() == 0
    assert not place.exists()


def test_a_socket_that_a_killed_server_left_is_taken_over(start_server, tmp_path):
    place = tmp_path / "s.sock"
    server = start_server(listen=f"grpc+unix://{place}")
    server.kill()
    again = start_server(data=server.data, listen=f"grpc+unix://{place}")
    assert listed(again.client()) == []


def test_a_server_over_ipv6_says_its_address_in_brackets(start_server):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    server = start_server(listen="grpc://[::1]:0")
    assert re.fullmatch(r"listening on grpc://\[::1\]:[1-9][0-9]*", server.first_line)
    assert listed(server.client()) == []


def test_what_a_killed_server_staged_is_swept_at_the_next_start(start_server):
    server = start_server()
    put(server.client(), "t.parquet", numbers(5))
    writer, _ = server.client().do_put(path("new.parquet"), numbers(1).schema)
    writer.write_table(numbers(10_000))
    eventually(lambda: (server.data / "_hangar" / "staging").is_dir() and server.staged(),
               "the upload has begun")
    server.kill()
    with pytest.raises(pa.ArrowException):
        writer.close()
    again = start_server(data=server.data)
    assert again.staged() == []
    assert listed(again.client()) == ["t.parquet"]
    assert get(again.client(), "t.parquet") == numbers(5)


def test_datasets_and_their_versions_are_the_same_after_a_restart(start_server):
    server = start_server()
    put(server.client(), "a/t.parquet", numbers(5))
    before = info(server.client(), "a/t.parquet")
    server.check_and_stop()
    again = start_server(data=server.data)
    after = info(again.client(), "a/t.parquet")
    assert after.app_metadata == before.app_metadata
    assert again.client().do_get(before.endpoints[0].ticket).read_all() == numbers(5)


def test_two_servers_over_one_folder_see_each_others_datasets(start_server):
    one = start_server()
    two = start_server(data=one.data)
    put(one.client(), "t.parquet", numbers(5))
    assert get(two.client(), "t.parquet") == numbers(5)
    put(two.client(), "t.parquet", numbers(6))
    assert get(one.client(), "t.parquet") == numbers(6)


# ---- does not start

def assert_one_sentence(completed, code, words):
    assert completed.returncode == code, completed.stderr
    assert completed.stdout == ""
    assert re.search(words, completed.stderr), completed.stderr
    for internal in ("arrow::", "grpc::", ".cc:", "terminate", "what()"):
        assert internal not in completed.stderr


def test_a_port_in_use_is_a_sentence_and_exit_code_1(server, hangar_binary, tmp_path):
    completed = run(hangar_binary, "--data", tmp_path / "other", "--listen", server.uri)
    assert_one_sentence(completed, 1, f"cannot listen on {server.uri}.*in use")
    assert listed(server.client()) == []


def test_a_unix_socket_in_use_is_a_sentence_and_exit_code_1(start_server, hangar_binary, tmp_path):
    server = start_server(listen=f"grpc+unix://{tmp_path}/s.sock")
    completed = run(hangar_binary, "--data", tmp_path / "other", "--listen", server.uri)
    assert_one_sentence(completed, 1, "cannot listen on .*in use")
    assert listed(server.client()) == []


def test_a_unix_socket_in_place_of_a_file_is_refused_and_the_file_stays(hangar_binary, tmp_path):
    (tmp_path / "precious").write_text("precious")
    completed = run(hangar_binary, "--data", tmp_path / "d", "--listen",
                    f"grpc+unix://{tmp_path}/precious")
    assert_one_sentence(completed, 1, "cannot listen on")
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.parametrize("listen", [
    "127.0.0.1:0", "http://127.0.0.1:0", "grpc://127.0.0.1", "grpc://127.0.0.1:70000",
    "grpc://127.0.0.1:-1", "grpc://127.0.0.1:x", "grpc://:0", "grpc://", "grpc+unix://relative",
    "", "grpc://no.such.host.invalid:0", "grpc://192.0.2.1:0"])
def test_an_address_that_cannot_be_is_a_sentence(hangar_binary, tmp_path, listen):
    completed = run(hangar_binary, "--data", tmp_path / "d", "--listen", listen)
    assert completed.returncode in (1, 2)
    assert_one_sentence(completed, completed.returncode, "listen")


@pytest.mark.parametrize("arguments,words", [
    (["--no-such-flag"], "no-such-flag"),
    (["--lisen", "grpc://127.0.0.1:0"], "lisen"),
    (["surplus"], "surplus"),
    (["--data"], "--data"),
    (["--data", ""], "--data"),
    (["--log-level", "loud"], "'loud'.*debug, info"),
    (["--log-format", "xml"], "'xml'.*json"),
    (["--grace", "soon"], "'soon'.*30s"),
    (["--grace", "-1s"], "'-1s'"),
    (["--grace", "10"], "'10'.*30s"),
    (["--advertise", "here"], "'here'.*URI"),
    (["--config", "/does/not/exist.toml"], "/does/not/exist.toml"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_wrong_flag_is_a_sentence_and_exit_code_2(hangar_binary, tmp_path, arguments, words):
    completed = run(hangar_binary, *arguments, cwd=tmp_path)
    assert_one_sentence(completed, 2, words)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text,words", [
    ('lisen = "grpc://127.0.0.1:0"', "unknown key 'lisen'.*'listen'"),
    ('[server]\ndata = "x"', "unknown key 'server'"),
    ("data = 3", "'data'.*string"),
    ('data = ["a", "b"]', "'data'.*string"),
    ('grace = "soon"', "'grace'.*'soon'"),
    ("advertise = [1]", "'advertise'.*array of strings"),
    ('data = "x', "line 1"),
    ("data", "line 1"),
    ('data = "a"\ndata = "b"', "line 2|redefine"),
    ("\x00\x01", "cannot be read"),
], ids=lambda value: repr(value)[:25])
def test_a_wrong_config_file_is_a_sentence_and_exit_code_2(hangar_binary, tmp_path, text, words):
    config = tmp_path / "hangar.toml"
    config.write_text(text)
    completed = run(hangar_binary, "--config", config, cwd=tmp_path)
    assert_one_sentence(completed, 2, words)
    assert os.listdir(tmp_path) == ["hangar.toml"]


def test_a_wrong_setting_in_the_environment_is_a_sentence_and_exit_code_2(hangar_binary, tmp_path):
    completed = run(hangar_binary, environment={"HANGAR_GRACE": "soon"}, cwd=tmp_path)
    assert_one_sentence(completed, 2, "HANGAR_GRACE.*'soon'")


def test_a_data_folder_that_is_a_file_is_a_sentence_and_exit_code_1(hangar_binary, tmp_path):
    (tmp_path / "file").write_text("precious")
    completed = run(hangar_binary, "--data", tmp_path / "file", "--listen", "grpc://127.0.0.1:0")
    assert_one_sentence(completed, 1, "folder")
    assert (tmp_path / "file").read_text() == "precious"


# ---- settings

def test_flags_go_over_the_environment_and_that_over_the_file(start_server, tmp_path):
    config = tmp_path / "hangar.toml"
    config.write_text('log_format = "json"\nlog_level = "error"\ngrace = "7s"\n'
                      'advertise = ["grpc://file.example.org:1"]\n')

    def locations(server):
        put(server.client(), "t.parquet", numbers(1))
        return [place.uri for place in info(server.client(), "t.parquet").endpoints[0].locations]

    from_file = start_server(flags=["--config", str(config)])
    assert locations(from_file) == [b"grpc://file.example.org:1"]
    from_environment = start_server(flags=["--config", str(config)], environment={
        "HANGAR_ADVERTISE": "grpc://a.example.org:1,grpc://b.example.org:2"})
    assert locations(from_environment) == [b"grpc://a.example.org:1", b"grpc://b.example.org:2"]
    from_flags = start_server(
        flags=["--config", str(config), "--advertise", "grpc://c.example.org:3",
               "--advertise", "grpc://d.example.org:4", "--log-level", "info"],
        environment={"HANGAR_ADVERTISE": "grpc://a.example.org:1", "HANGAR_LOG_LEVEL": "debug"})
    assert locations(from_flags) == [b"grpc://c.example.org:3", b"grpc://d.example.org:4"]
    # The file's log_format holds in all of them, its log_level only where nothing goes over it.
    assert from_file.log() == ""
    first = json.loads(from_flags.log().splitlines()[0])
    assert first["level"] == "info"


def test_the_data_folder_of_the_file_and_of_the_environment_is_used(hangar_binary, tmp_path):
    (tmp_path / "file").write_text("")
    config = tmp_path / "hangar.toml"
    config.write_text(f'data = "{tmp_path}/file"\n')
    # Both runs end at once because the folder is a file, which shows which one was looked at.
    completed = run(hangar_binary, "--config", config)
    assert completed.returncode == 1
    config.write_text('data = "/nowhere"\n')
    completed = run(hangar_binary, "--config", config,
                    environment={"HANGAR_DATA": str(tmp_path / "file")})
    assert_one_sentence(completed, 1, "folder")


# ---- logs

def test_logs_as_json_are_an_object_a_line(start_server):
    server = start_server(flags=["--log-format", "json", "--log-level", "debug"])
    (server.data / 'quote " and \\ back.parquet').write_bytes(b"not parquet")
    client = server.client()
    put(client, "grüße.parquet", numbers(1))
    listed(client)
    with pytest.raises(pa.ArrowInvalid):
        info(client, 'line\nbreak "quoted"')
    server.close_clients()
    assert server.stop() == 0
    events = [json.loads(line) for line in server.log().splitlines()]
    assert len(events) > 5
    for event in events:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["time"])
        assert event["level"] in ("debug", "info", "warning", "error")
        assert event["message"]


def test_calls_are_logged_with_their_codes(start_server):
    server = start_server(flags=["--log-format", "json", "--log-level", "debug"])
    listed(server.client())
    with pytest.raises(KeyError):
        info(server.client(), "missing.parquet")
    server.close_clients()
    assert server.stop() == 0
    events = [json.loads(line) for line in server.log().splitlines()]
    codes = {event["method"]: event["code"] for event in events if "method" in event}
    assert (codes["ListFlights"], codes["GetFlightInfo"]) == ("OK", "NOT_FOUND")


def test_a_name_cannot_forge_a_line_of_the_log(start_server):
    server = start_server()
    with pytest.raises(pa.ArrowInvalid):
        info(server.client(), "x\n2026-01-01T00:00:00.000Z error forged")
    with pytest.raises(KeyError):
        info(server.client(), "x error forged")
    assert not [line for line in server.log().splitlines() if re.match(r"\S+ +error", line)]
    assert "\x1b" not in server.log()


def test_standard_output_holds_nothing_but_the_first_line(start_server):
    server = start_server(flags=["--log-level", "debug"])
    put(server.client(), "t.parquet", numbers(1))
    server.close_clients()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.stdout.read() == b""
    assert server.wait() == 0


# ---- calls of the protocol that pyarrow does not make

def test_the_health_service_says_serving(server):
    with RawFlight(server) as raw:
        assert raw.unary("/grpc.health.v1.Health/Check", b"") == b"\x08\x01"
        assert raw.unary("/grpc.health.v1.Health/Check", b"\x0a\x00") == b"\x08\x01"


def test_the_health_of_a_service_of_another_name_is_not_known(server):
    with RawFlight(server) as raw:
        assert_refused(server, grpc.StatusCode.NOT_FOUND, "whole server",
                       raw.unary, "/grpc.health.v1.Health/Check", b"\x0a\x01x")


def test_health_checks_of_any_bytes_harm_nobody(server):
    check = "/grpc.health.v1.Health/Check"
    with RawFlight(server) as raw:
        for request in (b"\xff", b"\x0a\x01", b"\x00\x00", bytes(8 << 20)):
            assert_refused(server, grpc.StatusCode.NOT_FOUND, "whole server",
                           raw.unary, check, request)
        with pytest.raises(grpc.RpcError):
            list(raw.exchange(check, []))  # a call without a request
        assert_refused(server, grpc.StatusCode.UNIMPLEMENTED, "",
                       raw.stream, "/grpc.health.v1.Health/Watch", b"")
        assert raw.unary(check, b"") == b"\x08\x01"


def without_expiry(info):
    """A FlightInfo's fields, its endpoints' without their expiration_time, which is that of the
    call."""
    fields = parse(info)
    fields[3] = [{tag: value for tag, value in parse(endpoint).items() if tag != 3}
                 for endpoint in fields[3]]
    return fields


def test_poll_flight_info_answers_complete_at_once(server):
    put(server.client(), "t.parquet", numbers(5))
    with RawFlight(server) as raw:
        for descriptor in (path_descriptor("t.parquet"),
                           command_descriptor('{"dataset": "t.parquet", "limit": 2}')):
            polled = parse(raw.unary("PollFlightInfo", descriptor))
            assert without_expiry(polled[1][0]) == without_expiry(raw.get_info(descriptor))
            assert 2 not in polled  # no descriptor to poll again
            assert polled[3] == [b"\x00\x00\x00\x00\x00\x00\xf0\x3f"]  # progress 1.0


def test_get_flight_info_gives_the_descriptor_back_as_it_came(server):
    put(server.client(), "a/t.parquet", numbers(5))
    with RawFlight(server) as raw:
        for descriptor in (path_descriptor("a", "t.parquet"), path_descriptor("a/t.parquet"),
                           command_descriptor('{"dataset": "a/t.parquet"}')):
            assert parse(raw.get_info(descriptor))[2] == [descriptor]


def test_get_schema_gives_the_schema_of_what_would_be_read(server):
    client = server.client()
    table = pa.table({"a": [1], "b": ["x"]}).replace_schema_metadata({"k": "v"})
    put(client, "t.parquet", table)
    assert client.get_schema(path("t.parquet")).schema.equals(table.schema, check_metadata=True)
    narrow = flight.FlightDescriptor.for_command(b'{"dataset": "t.parquet", "columns": ["b"]}')
    assert client.get_schema(narrow).schema.equals(
        table.select(["b"]).schema, check_metadata=True)


def test_flight_info_says_it_is_ordered_and_describes_the_dataset(server):
    put(server.client(), "t.parquet", numbers(5))
    found = info(server.client(), "t.parquet")
    described = json.loads(found.app_metadata)
    assert set(described) == {"dataset", "version", "modified", "row_groups"}
    assert described["dataset"] == "t.parquet" and described["row_groups"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", described["modified"])
    endpoint = json.loads(found.endpoints[0].app_metadata)
    assert (endpoint["offset"], endpoint["rows"], endpoint["row_groups"]) == (0, 5, 1)


# ---- ends

BIG = 3_000_000


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_an_idle_server_with_exit_code_0(start_server, how):
    server = start_server()
    put(server.client(), "t.parquet", numbers(5))
    # Connections that are open and idle do not hold it up.
    assert server.stop(how) == 0
    assert os.listdir(server.data / "_hangar" / "staging") == []


def _begin_read(server, rows=BIG):
    """A read that is under way and cannot end before it is read on."""
    client = server.client()
    put(client, "big.parquet", numbers(rows))
    reader = client.do_get(flight.Ticket(b"big.parquet"))
    first = reader.read_chunk().data
    return reader, first.num_rows


def _begin_upload(server):
    client = server.client()
    writer, replies = client.do_put(path("new.parquet"), numbers(1).schema)
    writer.write_table(numbers(1000))
    eventually(server.staged, "the upload has begun")
    return writer, replies


def _refuses_new_calls(server):
    with flight.connect(server.uri) as client:
        try:
            list(client.list_actions(options=flight.FlightCallOptions(timeout=DEADLINE_SECONDS)))
            return False
        except flight.FlightUnavailableError:
            return True


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_reads_and_uploads_that_run_may_end_within_the_grace_period(start_server, how):
    server = start_server(flags=["--grace", "60s"])
    reader, rows = _begin_read(server)
    writer, replies = _begin_upload(server)
    server.process.send_signal(how)
    eventually(lambda: _refuses_new_calls(server), "new calls are refused at once")
    with RawFlight(server) as raw:
        assert raw.unary("/grpc.health.v1.Health/Check", b"") == b"\x08\x02"  # NOT_SERVING
        assert_refused(server, grpc.StatusCode.UNAVAILABLE, "stopping",
                       raw.stream, "ListFlights", b"")
    rows += sum(chunk.data.num_rows for chunk in reader)
    assert rows == BIG
    writer.write_table(numbers(1000, start=1000))
    writer.done_writing()
    assert json.loads(replies.read().to_pybytes())["rows"] == 2000
    writer.close()
    assert server.wait() == 0
    assert sorted(file.name for file in server.data.glob("*.parquet")) == [
        "big.parquet", "new.parquet"]


def test_calls_that_outlast_the_grace_period_are_cancelled_and_leave_nothing(start_server):
    server = start_server(flags=["--grace", "1s"])
    reader, _ = _begin_read(server)
    writer, _ = _begin_upload(server)
    assert server.stop() == 0  # within the deadline of the wait, whatever the clients do
    with pytest.raises(pa.ArrowException):
        for _ in reader:
            pass
    with pytest.raises(pa.ArrowException):
        while True:
            writer.write_table(numbers(1000))
    with pytest.raises(pa.ArrowException):
        writer.close()
    assert os.listdir(server.data / "_hangar" / "staging") == []
    assert [file.name for file in server.data.glob("*.parquet")] == ["big.parquet"]


def test_no_grace_at_all_ends_at_once(start_server):
    server = start_server(flags=["--grace", "0s"])
    _begin_read(server)
    assert server.stop() == 0
    assert os.listdir(server.data / "_hangar" / "staging") == []
