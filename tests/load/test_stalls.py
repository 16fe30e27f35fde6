"""Clients that stop in the middle of a call are cut by --stall-timeout, and cost nothing then."""

import time

import grpc
import pyarrow as pa
import pytest

from hangar_fixtures import eventually
from http2 import DATA, Http2, frame, grpc_message
from load import LONG, get, numbers, open_files, put
from raw_flight import (
    RawFlight, flight_data, ipc_messages, path_descriptor, refusal, ticket_message)

CUT = "ended a call whose client stalled"


@pytest.fixture
def impatient(start_server):
    server = start_server(flags=["--stall-timeout", "1s", "--cache-memory", "0"])
    put(server.client(), "t", numbers(32))
    return server


def cuts(server):
    return server.log().count(CUT)


def first_message(table):
    header, _ = ipc_messages(table.to_batches())[0]
    return flight_data(header, descriptor=path_descriptor("u"))


def test_a_reader_that_takes_nothing_is_cut_and_told_why(impatient):
    with RawFlight(impatient) as raw:
        call = raw.stream("DoGet", ticket_message("t"))
        next(call)
        eventually(lambda: open_files(impatient, "t"), "the read has its file open")
        eventually(lambda: cuts(impatient) == 1, "the reader is cut")
        eventually(lambda: not open_files(impatient, "t"), "the read's file is closed")
        code, sentence = refusal(lambda: call)
        assert code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "took nothing" in sentence and "stall_timeout" in sentence
    assert get(impatient.client(), "t").num_rows == numbers(32).num_rows


@pytest.mark.skipif(not LONG, reason="takes as long as gRPC waits for a socket to drain: 20 s")
def test_a_reader_whose_socket_is_full_is_cut(impatient):
    with Http2(impatient, window=(1 << 31) - 1, receive_buffer=4096) as connection:
        stream = connection.call("DoGet", ticket_message("t"))
        connection.widen(stream, 1 << 30)
        eventually(lambda: cuts(impatient) == 1, "the reader is cut")
        eventually(lambda: not open_files(impatient, "t"), "the read's file is closed")


def test_an_uploader_that_sends_no_more_is_cut_and_told_why(impatient):
    table = numbers(1)
    header, body = ipc_messages(table.to_batches())[1]

    def two_messages_and_then_none():
        yield first_message(table)
        yield flight_data(header, body)
        eventually(lambda: cuts(impatient) == 1, "the uploader is cut")

    with RawFlight(impatient) as raw:
        code, sentence = refusal(raw.exchange, "DoPut", two_messages_and_then_none())
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "sent nothing" in sentence and "stall_timeout" in sentence
    eventually(lambda: not impatient.staged(), "what was staged is gone")


def test_an_uploader_that_sends_not_even_its_first_message_is_cut(impatient):
    with Http2(impatient) as connection:
        connection.open("DoPut")
        eventually(lambda: cuts(impatient) == 1, "the uploader is cut")


@pytest.mark.skipif(not LONG, reason="takes at least 16 times the timeout")
def test_a_call_on_a_connection_that_others_keep_busy_is_cut_as_well(impatient):
    with RawFlight(impatient) as raw:
        stalled = raw.stream("DoGet", ticket_message("t"))
        next(stalled)

        def others_read():
            list(raw.stream("DoGet", ticket_message("t")))
            return cuts(impatient)

        eventually(others_read, "the reader is cut")


def test_a_message_that_comes_slowly_but_steadily_is_waited_for(impatient):
    table = numbers(1)
    header, body = ipc_messages(table.combine_chunks().to_batches())[1]
    messages = grpc_message(first_message(table)) + grpc_message(flight_data(header, body))
    with Http2(impatient) as connection:
        stream = connection.open("DoPut")
        # As a slow network would, it takes three times the timeout for one message.
        pieces = [messages[i:i + 8192] for i in range(0, len(messages), 8192)]
        for piece in pieces:
            connection.socket.sendall(frame(DATA, 0, stream, piece))
            time.sleep(3 / len(pieces))
        connection.socket.sendall(frame(DATA, 1, stream))
        client = impatient.client()
        eventually(lambda: any(info.descriptor.path == [b"u"] for info in client.list_flights()),
                   "the upload is visible")
    assert get(client, "u").equals(pa.Table.from_batches(table.combine_chunks().to_batches()))
    assert cuts(impatient) == 0


def test_a_reader_that_takes_a_message_slowly_but_steadily_is_waited_for(impatient):
    with Http2(impatient, receive_buffer=65536) as connection:
        stream = connection.call("DoGet", ticket_message("t"))
        taken = 0
        for _ in range(60):
            connection.widen(stream, 4096)
            taken += len(connection.receive(1 << 16))
            time.sleep(0.05)
        assert taken > 65536
        assert cuts(impatient) == 0
