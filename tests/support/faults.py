"""What a FaultProxy can let go wrong with a request. See fault_proxy.py."""

import hashlib
import hmac
import threading

# What is read and passed on at a time.
PIECE_BYTES = 1 << 16


class Over(Exception):
    """The connection ends after `last`: in order, or with a reset."""

    def __init__(self, last=b"", reset=True):
        super().__init__()
        self.last = last
        self.reset = reset


class Answered(Exception):
    """The proxy answered by itself; `keep` says whether the connection can take another request."""

    def __init__(self, keep):
        super().__init__()
        self.keep = keep


class Fault:
    """What may go wrong with a request. Hooks in the order in which they are called; each does its
    harm by what it returns or raises, and calls `exchange.harmed()` when it does."""

    def on_request(self, exchange):
        """The head of the request is there, nothing was forwarded."""

    def request_head(self, exchange, head):
        """What goes to the server in place of the bytes of the request's head."""
        return head

    def request_bytes(self, exchange, offset, piece):
        """What goes to the server in place of `piece` of the request's body."""
        return piece

    def on_answer(self, exchange):
        """The head of the answer is there, nothing was given to the client."""

    def answer_bytes(self, exchange, offset, piece):
        """What goes to the client in place of `piece` of the answer's body."""
        return piece


class Delay(Fault):
    """The request waits for `seconds` before it goes on."""

    def __init__(self, seconds):
        self.seconds = seconds

    def on_request(self, exchange):
        exchange.harmed()
        exchange.proxy.closing.wait(self.seconds)


class ForgetConditions(Fault):
    """The server does not hear of the conditions of writes: it is one that does not know them.
    Requests are signed anew for that, with the keys of `server`, an S3Server."""

    _CONDITIONS = ("if-match", "if-none-match")

    def __init__(self, server):
        self._server = server

    def request_head(self, exchange, head):
        request = exchange.request
        if request.method == "GET" or not set(self._CONDITIONS) & request.headers.keys():
            return head
        exchange.harmed()
        line, *fields = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        dropped = (*self._CONDITIONS, "authorization")
        kept = [field for field in fields if field.partition(":")[0].lower() not in dropped]
        kept.append("Authorization: " + self._signature(line, request.headers))
        return ("\r\n".join([line, *kept]) + "\r\n\r\n").encode("latin-1")

    def _signature(self, line, headers):
        """Signature Version 4 of the headers that were signed, but for the conditions. The target
        stands in the line as it is signed."""
        method, target, _ = line.split(" ", 2)
        path, _, query = target.partition("?")
        before = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
        names = sorted(set(before.split(";")) - set(self._CONDITIONS))
        asked = sorted(part if "=" in part else part + "=" for part in query.split("&") if part)
        canonical = "\n".join([method, path, "&".join(asked),
                               *(f"{name}:{headers[name]}" for name in names), "",
                               ";".join(names), headers["x-amz-content-sha256"]])
        time = headers["x-amz-date"]
        scope = f"{time[:8]}/{self._server.region}/s3/aws4_request"
        said = "\n".join(["AWS4-HMAC-SHA256", time, scope,
                          hashlib.sha256(canonical.encode("latin-1")).hexdigest()])
        key = b"AWS4" + self._server.secret_key.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return (f"AWS4-HMAC-SHA256 Credential={self._server.access_key}/{scope}, SignedHeaders="
                f"{';'.join(names)}, Signature={hmac.digest(key, said.encode(), 'sha256').hex()}")


class Hold(Fault):
    """The request, or with `answer` its answer, waits until the test says `release()`; `reached` is
    an event that says that it is waiting."""

    def __init__(self, answer=False):
        self.answer = answer
        self.reached = threading.Event()
        self._released = threading.Event()

    def release(self):
        self._released.set()

    def _wait(self, exchange):
        exchange.harmed()
        self.reached.set()
        while not self._released.wait(0.02) and not exchange.proxy.closing.is_set():
            pass

    def on_request(self, exchange):
        if not self.answer:
            self._wait(exchange)

    def on_answer(self, exchange):
        if self.answer:
            self._wait(exchange)


class ResetBeforeRequest(Fault):
    """The connection is reset; the server never sees the request."""

    def on_request(self, exchange):
        exchange.harmed()
        raise Over


class ResetInRequest(Fault):
    """The connection is reset after so many bytes of the request's body; the server sees it end."""

    def __init__(self, after_bytes=0):
        self.after_bytes = after_bytes

    def request_bytes(self, exchange, offset, piece):
        if offset + len(piece) > self.after_bytes:
            exchange.harmed()
            raise Over
        return piece


class ResetBeforeAnswer(Fault):
    """The server does what it is asked to and answers; the client gets a reset connection."""

    def on_answer(self, exchange):
        exchange.drain_answer()
        exchange.harmed()
        raise Over


class ResetInAnswer(Fault):
    """The connection is reset after so many bytes of the answer's body."""

    reset = True

    def __init__(self, after_bytes=0):
        self.after_bytes = after_bytes

    def answer_bytes(self, exchange, offset, piece):
        if offset + len(piece) > self.after_bytes:
            exchange.harmed()
            raise Over(piece[:self.after_bytes - offset], self.reset)
        return piece


class TruncatedAnswer(ResetInAnswer):
    """The connection ends in order after so many bytes of an answer's body that promised more."""

    reset = False


class _Corrupted(Fault):
    def __init__(self, at_byte=0):
        self.at_byte = at_byte

    def _flip(self, exchange, offset, piece):
        place = self.at_byte - offset
        if not 0 <= place < len(piece):
            return piece
        exchange.harmed()
        return piece[:place] + bytes([piece[place] ^ 0x20]) + piece[place + 1:]


class CorruptedAnswer(_Corrupted):
    """One byte of the answer's body is another one."""

    def answer_bytes(self, exchange, offset, piece):
        return self._flip(exchange, offset, piece)


class CorruptedRequest(_Corrupted):
    """One byte of the request's body is another one."""

    def request_bytes(self, exchange, offset, piece):
        return self._flip(exchange, offset, piece)


class Answer(Fault):
    """The client gets this answer. The server does not see the request, or, when it is `forwarded`,
    did what it asks for."""

    def __init__(self, status, body=b"", headers=None, forwarded=False):
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.forwarded = forwarded

    def on_request(self, exchange):
        if not self.forwarded:
            # A client that waits for leave to send its body is told the end of it instead.
            waiting = exchange.request.headers.get("expect", "").lower() == "100-continue"
            if not waiting:
                exchange.drain_request()
            self._answer(exchange, keep=not waiting)

    def on_answer(self, exchange):
        exchange.drain_answer()
        self._answer(exchange, keep=True)

    def _answer(self, exchange, keep):
        exchange.harmed()
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        if not keep:
            headers["Connection"] = "close"
        head = f"HTTP/1.1 {self.status} Fault\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body = b"" if exchange.request.method == "HEAD" else self.body
        exchange.request.status = self.status
        exchange.client.sendall(head.encode() + b"\r\n" + body)
        raise Answered(keep)


def s3_error(status, code, headers=None, forwarded=False):
    """An answer as S3 writes its errors: `s3_error(503, "SlowDown")`."""
    body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
            "<Message></Message><RequestId>0</RequestId></Error>")
    return Answer(status, body.encode(), {"Content-Type": "application/xml", **(headers or {})},
                  forwarded)


class StaleAnswer(Fault):
    """The client gets the answer that the same request had first since `remember_answers()`. A
    request that was not seen before passes unharmed."""

    def on_request(self, exchange):
        remembered = exchange.proxy.remembered(exchange.request)
        if remembered is not None:
            exchange.drain_request()
            exchange.harmed()
            exchange.client.sendall(remembered)
            raise Answered(True)


class NoAnswer(Fault):
    """The connection stays, and nothing comes. `forwarded` as for `Answer`."""

    def __init__(self, forwarded=False):
        self.forwarded = forwarded

    def on_request(self, exchange):
        if not self.forwarded:
            self._wait(exchange)

    def on_answer(self, exchange):
        exchange.drain_answer()
        self._wait(exchange)

    @staticmethod
    def _wait(exchange):
        exchange.harmed()
        # Until the client has had enough; closing the proxy ends the read as well.
        while exchange.from_client.read1(PIECE_BYTES):
            pass
        raise Over
