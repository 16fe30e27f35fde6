"""What clients may ask for is bounded by settings, and the refusals name them."""

import contextlib
import queue

import grpc
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from hangar_fixtures import eventually
from http2 import Http2
from load import LONG, get, numbers, put
from raw_flight import (
    RawFlight, assert_refused, command_descriptor, criteria_message, flight_data, ipc_messages,
    path_descriptor, refusal, ticket_message)

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
INVALID = grpc.StatusCode.INVALID_ARGUMENT


class OpenUpload:
    """An upload that goes on until it is told to end."""

    def __init__(self, raw, name):
        self._messages = queue.Queue()
        header, _ = ipc_messages(numbers(1).to_batches())[0]
        self._messages.put(flight_data(header, descriptor=path_descriptor(name)))
        self.replies = raw.exchange("DoPut", iter(self._messages.get, None))

    def end(self):
        self._messages.put(None)
        return list(self.replies)


HEALTH = "/grpc.health.v1.Health/Check"


def is_healthy(raw):
    try:
        return raw.unary(HEALTH, b"") == b"\x08\x01"
    except grpc.RpcError:
        return False


def sentence_of(call, *arguments):
    """What a call is refused with; empty when it is not."""
    try:
        call(*arguments)
        return ""
    except grpc.RpcError as error:
        return error.details()


def open_reads(raw, name, count):
    """That many reads which take their first message and no more."""
    reads = [raw.stream("DoGet", ticket_message(name)) for _ in range(count)]
    for read in reads:
        next(read)
    return reads


@pytest.mark.parametrize("flags, setting", [
    (["--max-streams", "3"], "max_streams"),
    (["--max-streams-per-caller", "3"], "max_streams_per_caller"),
])
def test_a_stream_too_many_is_refused_until_another_ends(start_server, flags, setting):
    server = start_server(flags=flags)
    put(server.client(), "t", numbers(16))
    with RawFlight(server) as raw:
        reads = open_reads(raw, "t", 3)
        for method, request in (("DoGet", ticket_message("t")),
                                ("ListFlights", criteria_message(b""))):
            assert_refused(server, EXHAUSTED, rf"\b3\b.*setting {setting}\).*try again",
                           raw.stream, method, request)
        # A server that is full can still be looked at.
        assert is_healthy(raw)
        assert list(raw.stream("ListActions", b""))
        assert raw.get_info(path_descriptor("t"))
        reads[0].cancel()
        eventually(lambda: isinstance(try_list(raw), list), "the place of a cancelled read is free")
        for read in reads[1:]:
            assert len(list(read)) > 1
        assert len(list(raw.stream("DoGet", ticket_message("t")))) > 1


def try_list(raw):
    try:
        return list(raw.stream("ListFlights", criteria_message(b"")))
    except grpc.RpcError as error:
        assert error.code() == EXHAUSTED
        return None


def test_a_refusal_says_to_machines_when_to_try_again(start_server):
    server = start_server(flags=["--max-streams", "1"])
    put(server.client(), "t", numbers(16))
    with RawFlight(server) as raw:
        read, = open_reads(raw, "t", 1)
        refused = raw.stream("DoGet", ticket_message("t"))
        with pytest.raises(grpc.RpcError):
            next(refused)
        assert ("grpc-retry-pushback-ms", "1000") in refused.trailing_metadata()
        read.cancel()


def test_an_upload_too_many_is_refused_while_reads_go_on(start_server):
    server = start_server(flags=["--max-uploads", "2"])
    put(server.client(), "t", numbers(1))
    with RawFlight(server) as raw:
        uploads = [OpenUpload(raw, f"u{i}") for i in range(2)]
        eventually(lambda: len(server.staged()) == 2, "both uploads are under way")
        assert_refused(server, EXHAUSTED, r"\b2 uploads.*setting max_uploads\).*try again",
                       raw.put, path_descriptor("v"), ipc_messages(numbers(1).to_batches()))
        assert get(server.client(), "t") == numbers(1)
        assert len(uploads[0].end()) == 1
        assert raw.put(path_descriptor("v"), ipc_messages(numbers(1).to_batches()))
        assert len(uploads[1].end()) == 1


def test_an_upload_of_too_many_bytes_is_refused_and_leaves_nothing(start_server):
    server = start_server(flags=["--max-upload-bytes", "4MiB"])
    put(server.client(), "small", numbers(3))
    with RawFlight(server) as raw:
        messages = ipc_messages(numbers(6).to_batches(max_chunksize=1 << 14))
        assert_refused(server, EXHAUSTED, r"4194304 bytes.*setting max_upload_bytes",
                       raw.put, path_descriptor("large"), messages)
    assert [info.descriptor.path for info in server.client().list_flights()] == [[b"small"]]


def test_an_upload_whose_file_would_be_far_larger_than_what_was_sent_is_refused(start_server):
    # Four kilobytes, once in a dictionary, and a short index to them in each row.
    server = start_server(flags=["--max-upload-bytes", "4MiB"])
    values = pa.array([bytes(4096)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * (1 << 14), pa.int8()), values)
    command = b'{"dataset": "bomb", "codec": "none", "encodings": {"x": "plain"}}'
    with RawFlight(server) as raw:
        batches = pa.table({"x": column}).to_batches()
        assert_refused(server, EXHAUSTED, "setting max_upload_bytes",
                       raw.put, command_descriptor(command), ipc_messages(batches))


def test_a_schema_that_is_too_large_is_refused(start_server):
    server = start_server(flags=["--max-columns", "10", "--max-metadata-bytes", "1KiB"])

    def schema_of(fields, metadata=None):
        return ipc_messages([], pa.schema(fields, metadata))

    with RawFlight(server) as raw:
        target = path_descriptor("t")
        assert_refused(server, INVALID, r"11 columns.*10 \(its setting max_columns", raw.put, target,
                       schema_of([(f"c{i}", pa.int8()) for i in range(11)]))
        too_much = r"1024 \(its setting max_metadata_bytes"
        assert_refused(server, INVALID, too_much, raw.put, target,
                       schema_of([("x", pa.int8())], {"note": "n" * 2000}))
        inner = pa.struct([pa.field("y", pa.int8(), metadata={"note": "n" * 2000})])
        assert_refused(server, INVALID, too_much, raw.put, target, schema_of([("x", inner)]))
        assert_refused(server, INVALID, too_much, raw.put, target,
                       schema_of([("x" * 2000, pa.int8())]))
        assert raw.put(target, schema_of([(f"c{i}", pa.int8()) for i in range(10)]))


def test_a_message_that_is_too_large_is_refused(start_server):
    server = start_server(flags=["--max-message-bytes", "1MiB"])
    with RawFlight(server) as raw:
        messages = ipc_messages(numbers(2).combine_chunks().to_batches())
        code, sentence = refusal(raw.put, path_descriptor("t"), messages)
        assert code == EXHAUSTED, sentence
        assert "larger than max" in sentence
        code, sentence = refusal(raw.stream, "DoGet", ticket_message(b"t" * (2 << 20)))
        assert code == EXHAUSTED, sentence
        small = ipc_messages(numbers(2).to_batches(max_chunksize=1 << 14))
        assert raw.put(path_descriptor("t"), small)


def test_headers_of_a_token_are_taken_and_endless_ones_are_not(server):
    client = server.client()
    large = flight.FlightCallOptions(headers=[(b"authorization", b"x" * 20_000)])
    assert list(client.list_actions(large))
    endless = flight.FlightCallOptions(headers=[(b"authorization", b"x" * 200_000)])
    with contextlib.suppress(flight.FlightError, pa.ArrowException):
        list(client.list_actions(endless))
        raise AssertionError("headers of 200 kB were taken")
    assert list(server.client().list_actions())


@pytest.mark.skipif(not LONG, reason="takes as long as the clients may stall")
def test_threads_are_bounded_whatever_clients_call(start_server):
    server = start_server(flags=["--max-streams", "1", "--stall-timeout", "20s"])
    put(server.client(), "t", numbers(1))
    # Each of these calls has its answer and cannot send it.
    stubborn = [Http2(server, window=0) for _ in range(3)]
    for connection in stubborn:
        for _ in range(500):
            connection.call("GetFlightInfo", path_descriptor("t"))
    with RawFlight(server) as raw:
        full = "as many calls under way as it can"
        eventually(lambda: full in sentence_of(raw.unary, HEALTH, b""), "no thread is left")
        assert_refused(server, EXHAUSTED, full, raw.put, path_descriptor("u"),
                       ipc_messages(numbers(1).to_batches()))
        assert server.thread_count() < 1_100
        eventually(lambda: is_healthy(raw), "the stalled ones are cut")
    for connection in stubborn:
        connection.close()
