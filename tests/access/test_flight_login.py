"""Showing who one is at the Flight door, with unmodified clients and with hostile ones."""

import re
import subprocess

import grpc
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_steps import put
from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually
from raw_flight import RawFlight, bytes_field, command_descriptor, path_descriptor, ticket_message

TABLE = pa.table({"id": pa.array(range(100))})
PASSWORD = "correct horse battery"


def run(binary, *arguments, text=""):
    result = subprocess.run([binary, *map(str, arguments)], input=text, capture_output=True,
                            text=True, timeout=DEADLINE_SECONDS, env=clean_environment())
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.fixture
def token_file(tmp_path):
    return tmp_path / "tokens.toml"


@pytest.fixture
def make_token(hangar_binary, token_file):
    return lambda name, *flags: run(hangar_binary, "token", "create", "--name", name,
                                    "--token-file", token_file, *flags)


@pytest.fixture
def user_file(hangar_binary, tmp_path):
    """Of the user ann."""
    users = tmp_path / "users.toml"
    run(hangar_binary, "user", "add", "ann", "--user-file", users, text=PASSWORD + "\n")
    return users


@pytest.fixture
def guarded(start_server, make_token, token_file, user_file):
    """A server that knows ann and a token, which is `guarded.token`, and holds a dataset."""
    token = make_token("nightly")
    server = start_server(flags=["--token-file", str(token_file), "--user-file", str(user_file)],
                          authorization=f"Bearer {token}")
    server.token = token
    writer, replies = server.client().do_put(flight.FlightDescriptor.for_path("a.parquet"),
                                             TABLE.schema, options=bearer(token))
    writer.write_table(TABLE)
    writer.done_writing()
    assert replies.read() is not None
    writer.close()
    return server


def bearer(token):
    return flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())],
                                    timeout=DEADLINE_SECONDS)


def names(client, options):
    return [info.descriptor.path[0].decode() for info in client.list_flights(options=options)]


def test_a_token_lets_in(guarded):
    assert names(guarded.client(), bearer(guarded.token)) == ["a.parquet"]


def test_a_login_gives_a_token_for_what_follows(guarded):
    client = guarded.client()
    header = client.authenticate_basic_token("ann", PASSWORD)
    assert header[0] == b"authorization" and header[1].startswith(b"Bearer ")
    assert names(client, flight.FlightCallOptions(headers=[header])) == ["a.parquet"]


def test_many_logins_all_come_to_an_end(guarded):
    client = guarded.client()
    for _ in range(50):
        assert client.authenticate_basic_token("ann", PASSWORD)[1].startswith(b"Bearer ")


def test_a_password_with_each_call_works_too(guarded):
    import base64
    basic = b"Basic " + base64.b64encode(f"ann:{PASSWORD}".encode())
    options = flight.FlightCallOptions(headers=[(b"authorization", basic)])
    assert names(guarded.client(), options) == ["a.parquet"]


@pytest.mark.parametrize("user, password", [("ann", "wrong"), ("bob", PASSWORD), ("", ""),
                                            ("ann:", PASSWORD), ("ann", "x" * 10_000)])
def test_a_wrong_password_is_refused(guarded, user, password):
    with pytest.raises(flight.FlightUnauthenticatedError):
        guarded.client().authenticate_basic_token(user, password)


def test_wrong_tokens_are_refused_and_told_nothing(guarded):
    client = guarded.client()
    sentences = set()
    for wrong in (guarded.token[:-1], guarded.token + "x", "", "a.b.c", "hangar_"):
        with pytest.raises(flight.FlightUnauthenticatedError) as refused:
            names(client, bearer(wrong))
        sentences.add(str(refused.value))
        assert guarded.token[8:] not in str(refused.value)
    assert len(sentences) == 1, sentences
    assert guarded.token not in guarded.log()
    assert PASSWORD not in guarded.log()


def every_call():
    """Each method, as somebody would try it who wants to know what is there."""
    descriptor, command = path_descriptor("a.parquet"), command_descriptor(b'{"dataset":"a.parquet"}')
    yield "GetFlightInfo", descriptor
    yield "GetFlightInfo", command
    yield "PollFlightInfo", descriptor
    yield "GetSchema", descriptor
    yield "DoGet", ticket_message(b"a.parquet")
    for action in (b"drop_dataset", b"rename_dataset", b"list_versions", b"CancelFlightInfo",
                   b"RenewFlightEndpoint"):
        yield "DoAction", bytes_field(1, action) + bytes_field(2, b"a.parquet")
        yield "DoAction", (bytes_field(1, action)
                           + bytes_field(2, b'{"dataset":"a.parquet","from":"a.parquet","to":"b"}'))


def test_nobody_learns_anything(guarded):
    with RawFlight(guarded) as raw:
        for method, request in [("ListFlights", b""), *every_call()]:
            with pytest.raises(grpc.RpcError) as refused:
                list(raw.stream(method, request))
            assert refused.value.code() in (
                grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT,
                grpc.StatusCode.UNIMPLEMENTED), (method, request, refused.value)
            assert "row" not in refused.value.details()
        for method in ("DoPut", "DoExchange"):
            with pytest.raises(grpc.RpcError) as refused:
                list(raw.exchange(method, [bytes_field(1, path_descriptor("a.parquet"))]))
    assert names(guarded.client(), bearer(guarded.token)) == ["a.parquet"]


def test_a_dataset_that_is_there_and_one_that_is_not_look_the_same_to_nobody(guarded):
    with RawFlight(guarded) as raw:
        answers = set()
        for name in ("a.parquet", "b.parquet"):
            with pytest.raises(grpc.RpcError) as refused:
                raw.get_info(path_descriptor(name))
            answers.add((refused.value.code(), refused.value.details().replace(name, "")))
    assert len(answers) == 1, answers


def test_health_is_told_to_everybody(guarded):
    with RawFlight(guarded) as raw:
        assert raw.unary("/grpc.health.v1.Health/Check", b"") == b"\x08\x01"


def test_who_is_refused_is_told_how_to_show_who_they_are(guarded):
    with RawFlight(guarded) as raw:
        call = raw._channel.unary_stream("/arrow.flight.protocol.FlightService/ListFlights")(
            b"", metadata=[("authorization", "Bearer wrong")], timeout=DEADLINE_SECONDS)
        with pytest.raises(grpc.RpcError) as refused:
            list(call)
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        trailers = dict(refused.value.trailing_metadata())
        assert "Bearer" in trailers["www-authenticate"], trailers


class OldHandler(flight.ClientAuthHandler):
    """Flight's older convention."""

    def __init__(self, token):
        super().__init__()
        self.token = token

    def authenticate(self, outgoing, incoming):
        outgoing.write(self.token)
        incoming.read()

    def get_token(self):
        return self.token


def test_the_older_convention_lets_nobody_in(guarded):
    client = flight.connect(guarded.uri)
    with pytest.raises((flight.FlightUnauthenticatedError, OSError)):
        client.authenticate(OldHandler(guarded.token.encode()))
    with pytest.raises(flight.FlightUnauthenticatedError):
        client.get_flight_info(flight.FlightDescriptor.for_path("a.parquet"))
    client.close()


def handshake(raw, requests, *headers):
    method = "/arrow.flight.protocol.FlightService/Handshake"
    return raw._channel.stream_stream(method)(iter(requests), metadata=headers,
                                              timeout=DEADLINE_SECONDS)


def test_a_handshake_answers_one_message_whatever_is_sent(guarded):
    # Clients in other languages wait for just one, with or without sending one.
    header = ("authorization", f"Bearer {guarded.token}")
    with RawFlight(guarded) as raw:
        for requests in ([], [b""], [bytes_field(2, b"x")] * 3, [bytes_field(2, b"x" * 100_000)]):
            assert list(handshake(raw, requests, header)) == [b""]


def test_a_handshake_that_never_ends_is_ended(start_server, make_token, token_file):
    token = make_token("nightly")
    server = start_server(flags=["--token-file", str(token_file), "--stall-timeout", "1s"],
                          authorization=f"Bearer {token}")

    def endless():
        while True:
            yield bytes_field(2, b"x" * 1000)

    with RawFlight(server) as raw:
        header = ("authorization", f"Bearer {token}")
        assert list(handshake(raw, endless(), header)) == [b""]
        silent = raw._channel.stream_stream("/arrow.flight.protocol.FlightService/Handshake")(
            _never(), metadata=[header], timeout=DEADLINE_SECONDS)
        with pytest.raises(grpc.RpcError) as ended:
            list(silent)
        assert ended.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "stall_timeout" in ended.value.details()


class _never:
    """Requests that do not come, and do not end either."""

    def __init__(self):
        import threading
        self._event = threading.Event()

    def __iter__(self):
        return self

    def __next__(self):
        self._event.wait(DEADLINE_SECONDS)
        raise StopIteration


def test_a_flood_of_headers_is_refused_and_the_server_goes_on(guarded):
    floods = [[("authorization", "Bearer " + "x" * size)] for size in (10_000, 60_000, 500_000)]
    floods += [[(f"x-header-{number}", "y" * 100) for number in range(count)]
               for count in (100, 1_000, 10_000)]
    floods += [[("authorization", "Bearer x")] * 500]
    for headers in floods:
        # gRPC may close a connection over whose limit a call went.
        with RawFlight(guarded) as raw:
            call = raw._channel.unary_unary("/arrow.flight.protocol.FlightService/GetFlightInfo")
            with pytest.raises(grpc.RpcError) as refused:
                call(path_descriptor("a.parquet"), metadata=headers, timeout=DEADLINE_SECONDS)
            assert refused.value.code() in (grpc.StatusCode.UNAUTHENTICATED,
                                            grpc.StatusCode.RESOURCE_EXHAUSTED), refused.value
    assert names(guarded.client(), bearer(guarded.token)) == ["a.parquet"]


def test_two_authorizations_are_not_one(guarded):
    headers = [(b"authorization", f"Bearer {guarded.token}".encode()),
               (b"authorization", b"Bearer wrong")]
    client = guarded.client()
    for order in (headers, headers[::-1]):
        with pytest.raises(flight.FlightUnauthenticatedError):
            names(client, flight.FlightCallOptions(headers=order))


def test_each_caller_has_their_own_streams(start_server, make_token, token_file):
    first, second = make_token("first"), make_token("second")
    server = start_server(flags=["--token-file", str(token_file), "--max-uploads-per-caller", "1"],
                          authorization=f"Bearer {first}")
    client = server.client()
    writer, _ = client.do_put(flight.FlightDescriptor.for_path("a.parquet"), TABLE.schema,
                              options=bearer(first))
    writer.write_table(TABLE)
    eventually(server.staged, "the upload has begun")
    with pytest.raises(pa.ArrowException, match="max_uploads_per_caller"):
        finish(client.do_put(flight.FlightDescriptor.for_path("b.parquet"), TABLE.schema,
                             options=bearer(first)))
    # From the same address, but somebody else.
    finish(client.do_put(flight.FlightDescriptor.for_path("c.parquet"), TABLE.schema,
                         options=bearer(second)))
    writer.close()
    assert set(names(client, bearer(first))) == {"a.parquet", "c.parquet"}


def finish(upload):
    writer, replies = upload
    writer.write_table(TABLE)
    writer.done_writing()
    replies.read()
    writer.close()


def test_secrets_are_not_taken_in_plain_text_where_others_listen(
        hangar_binary, start_server, make_token, token_file, tmp_path):
    token = make_token("nightly")
    flags = ["--token-file", str(token_file)]
    result = subprocess.run([hangar_binary, "serve", "--data", tmp_path / "none", "--listen",
                             "grpc://0.0.0.0:0", *flags], capture_output=True, text=True,
                            timeout=DEADLINE_SECONDS, env=clean_environment())
    assert result.returncode != 0 and "listening on" not in result.stdout
    assert re.search(r"--tls-cert.*127\.0\.0\.1.*--insecure", result.stderr), result.stderr
    for listen, more in (("grpc://0.0.0.0:0", ["--insecure"]), ("grpc://127.0.0.1:0", []),
                         (f"grpc+unix://{tmp_path}/s", [])):
        server = start_server(flags=flags + more, listen=listen, authorization=f"Bearer {token}")
        server.uri = server.uri.replace("0.0.0.0", "127.0.0.1")


def test_without_authentication_all_is_as_it_was(server):
    put(server.client(), "a.parquet", TABLE)
    client = server.client()
    assert [info.total_records for info in client.list_flights(options=bearer("whatever"))] == [100]
    with pytest.raises(NotImplementedError):
        client.authenticate_basic_token("ann", PASSWORD)
