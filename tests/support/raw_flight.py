"""Flight as bytes: messages and calls that no well-behaved client library would send.

Messages are encoded by hand (a few lines of protobuf's wire format) and sent through gRPC's generic
stubs, which also show the status code itself, where pyarrow shows an exception of its own.
"""

import re

import grpc
import pyarrow as pa

from hangar_fixtures import DEADLINE_SECONDS

_SERVICE = "/arrow.flight.protocol.FlightService/"
PATH, CMD = 1, 2


def _varint(number):
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def number_field(tag, value):
    return _varint(tag << 3) + _varint(value)


def bytes_field(tag, value):
    value = value.encode() if isinstance(value, str) else bytes(value)
    return _varint(tag << 3 | 2) + _varint(len(value)) + value


def parse(message):
    """The fields of a message: {tag: [value, ...]}, values being int or bytes."""
    fields, position = {}, 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}[kind] if kind != 2 else varint()
            value = message[position:position + size]
            position += size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def path_descriptor(*parts):
    return number_field(1, PATH) + b"".join(bytes_field(3, part) for part in parts)


def command_descriptor(command):
    return number_field(1, CMD) + bytes_field(2, command)


def ticket_message(ticket):
    return bytes_field(1, ticket)


def action_message(kind, body=b""):
    return bytes_field(1, kind) + bytes_field(2, body)


def criteria_message(expression):
    return bytes_field(1, expression)


def flight_data(header=b"", body=b"", descriptor=None):
    message = b"" if descriptor is None else bytes_field(1, descriptor)
    if header:
        message += bytes_field(2, header)
    if body:
        message += bytes_field(1000, body)
    return message


def ipc_messages(batches, schema=None):
    """The (header, body) pairs of an IPC stream: the schema's first, then what the batches need."""
    batches = list(batches)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema or batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return [(message.metadata.to_pybytes(), message.body.to_pybytes() if message.body else b"")
            for message in pa.ipc.MessageReader.open_stream(sink.getvalue())]


class RawFlight:
    """A gRPC channel to a server. Failed calls raise grpc.RpcError with code() and details()."""

    def __init__(self, server):
        self._channel = grpc.insecure_channel(server.target)
        grpc.channel_ready_future(self._channel).result(timeout=DEADLINE_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._channel.close()

    def unary(self, method, request):
        return self._channel.unary_unary(_full(method))(request, timeout=DEADLINE_SECONDS)

    def stream(self, method, request):
        """The call, which yields the replies and can be cancelled."""
        return self._channel.unary_stream(_full(method))(request, timeout=DEADLINE_SECONDS)

    def exchange(self, method, requests):
        return self._channel.stream_stream(_full(method))(iter(requests), timeout=DEADLINE_SECONDS)

    def get_info(self, descriptor):
        return self.unary("GetFlightInfo", descriptor)

    def put(self, descriptor, messages):
        """Uploads (header, body) pairs, the descriptor with the first one."""
        requests = [flight_data(header, body, descriptor if number == 0 else None)
                    for number, (header, body) in enumerate(messages)]
        return list(self.exchange("DoPut", requests))


def _full(method):
    return method if method.startswith("/") else _SERVICE + method


def refusal(call, *arguments):
    """Makes a call that must fail and gives its (status code, sentence)."""
    try:
        reply = call(*arguments)
        if not isinstance(reply, bytes):
            reply = list(reply)
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError(f"the call was not refused; it gave {reply!r}")


def assert_refused(server, code, sentence, call, *arguments):
    """Makes a call that must fail with `code` and with a sentence that matches the regular
    expression `sentence` and holds nothing of the server's inside."""
    got_code, got_sentence = refusal(call, *arguments)
    assert got_code == code, f"{got_code}: {got_sentence}"
    assert re.search(sentence, got_sentence), got_sentence
    assert_fit_for_clients(server, got_sentence)


def assert_fit_for_clients(server, sentence):
    """Holds nothing of where the datasets are stored, no stack and no library's internals."""
    for place in server.places():
        assert place not in sentence, sentence
    assert "staging" not in sentence.replace("_hangar/staging", ""), sentence
    for internal in ("arrow::", "parquet::", "grpc::", "std::", ".cc:", "errno", "thrift",
                     "/src/", "Detail:", "Traceback"):
        assert internal.lower() not in sentence.lower(), sentence
