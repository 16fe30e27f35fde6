"""The little of HTTP/2 that it takes to be a client that no library would let one be: one that reads
when it likes, or never.

    with Http2(server, window=1 << 20) as connection:
        connection.call("DoGet", ticket_message(ticket))
        connection.receive(100)
"""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
END_STREAM, END_HEADERS, ACKNOWLEDGE = 1, 4, 1
INITIAL_WINDOW_SIZE = 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(window=None):
    values = b"" if window is None else struct.pack(">HI", INITIAL_WINDOW_SIZE, window)
    return frame(SETTINGS, 0, 0, values)


def _literal(name, value):
    # HPACK: a literal header without indexing, both parts plain and shorter than 127 bytes.
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _headers(method):
    return (_literal(":method", "POST") + _literal(":scheme", "http") + _literal(":path", method)
            + _literal(":authority", "localhost") + _literal("content-type", "application/grpc")
            + _literal("te", "trailers"))


def grpc_message(message):
    return b"\0" + struct.pack(">I", len(message)) + message


class Http2:
    """A connection that said hello. Nothing is read unless it is asked to."""

    def __init__(self, server, window=None, receive_buffer=None):
        """`window`: bytes of each stream that the server may send unasked. `receive_buffer`: of the
        socket."""
        host, _, port = server.target.rpartition(":")
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, int(port)))
        self.socket.sendall(PREFACE + settings(window))
        self._next_stream = 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def open(self, method):
        """Begins a call of Flight's service and gives its stream."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        path = f"/arrow.flight.protocol.FlightService/{method}"
        self.socket.sendall(frame(HEADERS, END_HEADERS, stream, _headers(path)))
        return stream

    def call(self, method, message):
        """Makes a call with one request."""
        stream = self.open(method)
        self.socket.sendall(frame(DATA, END_STREAM, stream, grpc_message(message)))
        return stream

    def widen(self, stream, bytes_more):
        """Lets the server send so much more, on the stream and the connection."""
        more = struct.pack(">I", bytes_more)
        self.socket.sendall(frame(WINDOW_UPDATE, 0, 0, more)
                            + frame(WINDOW_UPDATE, 0, stream, more))

    def receive(self, size_max):
        """Takes what is there, blocking for the first byte. Empty: the server closed it."""
        try:
            return self.socket.recv(size_max)
        except ConnectionError:
            return b""

    def is_closed(self):
        """Whether the server closed it, as far as can be seen without reading a stream's bytes."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(1 << 16):
                pass
            return True
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
        finally:
            self.socket.setblocking(True)
