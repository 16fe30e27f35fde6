"""Bad input gets the right code and a sentence that helps, and nothing is lost."""

import json
import random
import socket

import grpc
import pyarrow as pa
import pytest

from flight_steps import (
    act, command, folder_contents, get, info, listed, numbers, put, version)
from hangar_fixtures import ON_S3, of_folders
from raw_flight import (
    RawFlight, action_message, assert_fit_for_clients, assert_refused, bytes_field,
    command_descriptor, flight_data, ipc_messages, number_field, path_descriptor, refusal,
    ticket_message)

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
EXISTS = grpc.StatusCode.ALREADY_EXISTS
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
UNIMPLEMENTED = grpc.StatusCode.UNIMPLEMENTED


class Store:
    """A server with one dataset in it and one file outside of its folder that must stay as is."""

    def __init__(self, server, raw):
        self.server, self.raw = server, raw
        put(server.client(), command("kept.parquet", row_group_rows=10), numbers(100))
        if not ON_S3:
            outside = server.data.parent / "outside.parquet"
            outside.write_bytes(server.stored("kept.parquet"))
        self.contents = self._contents()

    def _contents(self):
        """Of the data folder and what is beside it, but for the log."""
        if ON_S3:
            return self.server.contents()
        contents = folder_contents(self.server.data.parent)
        return {name: digest for name, digest in contents.items() if not name.startswith("log-")}

    def refuses(self, code, sentence, call, *arguments):
        assert_refused(self.server, code, sentence, call, *arguments)

    def put(self, descriptor, table=None):
        return self.raw.put(descriptor, ipc_messages((table or numbers(3)).to_batches()))

    def read(self, ticket):
        return list(self.raw.stream("DoGet", ticket_message(ticket)))

    def act(self, kind, body):
        return list(self.raw.stream("DoAction", action_message(kind, body)))

    def assert_unchanged(self):
        assert self.server.staged() == []
        assert self._contents() == self.contents
        assert get(self.server.client(), "kept.parquet") == numbers(100)


@pytest.fixture(scope="module")
def module_store(module_server):
    with RawFlight(module_server) as raw:
        yield Store(module_server, raw)


@pytest.fixture
def store(module_store):
    yield module_store
    module_store.assert_unchanged()
    module_store.server.close_clients()


BAD_NAMES = {
    "parent": (b"../outside.parquet", r"'\.\.'"),
    "parent in the middle": (b"a/../../outside.parquet", r"'\.\.'"),
    "parent that comes back": (b"a/../kept.parquet", r"'\.\.'"),
    "parent at the end": (b"a/..", r"'\.\.'"),
    "only parent": (b"..", r"'\.\.'"),
    "here": (b"./kept.parquet", r"'\.'"),
    "only here": (b".", r"'\.'"),
    "absolute": (b"/etc/passwd", "empty segment"),
    "double slash": (b"a//b.parquet", "empty segment"),
    "network path": (b"//host/share.parquet", "empty segment"),
    "trailing slash": (b"kept.parquet/", "empty segment"),
    "only a slash": (b"/", "empty segment"),
    "backslash": (b"..\\outside.parquet", r"'\.\.\\outside.parquet' is not a dataset name"),
    "backslash in the middle": (b"a\\b.parquet", r"'\\'"),
    "drive": (b"C:\\kept.parquet", r"'\\'"),
    "newline": (b"a\nb.parquet", "control character"),
    "escape": (b"\x1b[31m.parquet", "control character"),
    "delete": (b"a\x7f.parquet", "control character"),
    "control beyond ascii": ("a\u0085b".encode(), "control character"),
    "nul": (b"kept.parquet\x00.txt", "control character"),
    "nul alone": (b"\x00", "control character"),
    "hidden": (b".hidden.parquet", r"begins with '\.'"),
    "hidden folder": (b"a/.b/c.parquet", r"begins with '\.'"),
    "own folder": (b"_hangar/lock", "reserved"),
    "staging": (b"_hangar/staging/x.parquet", "reserved"),
    "own prefix": (b"_hangar2/x.parquet", "reserved"),
    "own prefix below": (b"a/_hangar/x.parquet", "reserved"),
    "long segment": (b"x" * 256, "255 bytes"),
    "long": (b"/".join([b"x" * 250] * 5), "1,024 bytes"),
    "very long": (b"x" * 1_000_000, "1,024 bytes"),
    "deep": (b"/".join([b"a"] * 17), "16 segments"),
    "broken utf-8": (b"caf\xe9.parquet", "UTF-8"),
    "surrogate": (b"\xed\xa0\x80.parquet", "UTF-8"),
    "overlong utf-8": (b"\xc0\xae\xc0\xae/outside.parquet", "UTF-8"),
    "empty": (b"", "empty"),
}

# Protobuf's own parser refuses strings that are not UTF-8 before Hangar sees them, and gRPC and
# Flight choose the code.
NOT_UTF8 = ("broken utf-8", "surrogate", "overlong utf-8")
REFUSED_BY_PROTOBUF = (INVALID, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


@pytest.mark.parametrize("case", BAD_NAMES)
class TestABadName:
    def test_is_refused_as_a_path(self, store, case):
        name, sentence = BAD_NAMES[case]
        descriptor = path_descriptor(name)
        if case in NOT_UTF8:
            for method in ("GetFlightInfo", "GetSchema", "PollFlightInfo"):
                code, said = refusal(store.raw.unary, method, descriptor)
                assert code in REFUSED_BY_PROTOBUF
                assert_fit_for_clients(store.server, said)
            return
        for method in ("GetFlightInfo", "GetSchema", "PollFlightInfo"):
            store.refuses(INVALID, sentence, store.raw.unary, method, descriptor)
        store.refuses(INVALID, sentence, store.put, descriptor)

    def test_is_refused_as_path_parts(self, store, case):
        name, sentence = BAD_NAMES[case]
        parts = name.split(b"/")
        if case in NOT_UTF8:
            code, said = refusal(store.put, path_descriptor(*parts))
            assert code in REFUSED_BY_PROTOBUF
            assert_fit_for_clients(store.server, said)
            return
        store.refuses(INVALID, sentence, store.raw.get_info, path_descriptor(*parts))
        store.refuses(INVALID, sentence, store.put, path_descriptor(*parts))

    def test_is_refused_in_a_command(self, store, case):
        name, sentence = BAD_NAMES[case]
        try:
            text = json.dumps({"dataset": name.decode()}).encode()
        except UnicodeDecodeError:
            text, sentence = b'{"dataset": "' + name + b'"}', "not valid JSON"
        descriptor = command_descriptor(text)
        store.refuses(INVALID, sentence, store.raw.get_info, descriptor)
        store.refuses(INVALID, sentence, store.put, descriptor)

    def test_is_refused_as_a_ticket(self, store, case):
        name, sentence = BAD_NAMES[case]
        if case == "empty":
            sentence = "not a ticket"
        store.refuses(INVALID, sentence, store.read, name)

    def test_is_refused_by_the_actions(self, store, case):
        name, sentence = BAD_NAMES[case]
        store.refuses(INVALID, sentence, store.act, "drop_dataset", name)
        try:
            text = name.decode()
        except UnicodeDecodeError:
            return
        for body in ({"from": text, "to": "to.parquet"}, {"from": "kept.parquet", "to": text}):
            store.refuses(INVALID, sentence, store.act, "rename_dataset",
                          json.dumps(body).encode())


@pytest.mark.parametrize("descriptor", [
    b"", number_field(1, 1), number_field(1, 2), number_field(1, 0), number_field(1, 99),
    number_field(1, 2) + bytes_field(3, "kept.parquet"),
    number_field(1, 0) + bytes_field(3, "kept.parquet"),
], ids=["nothing", "no path", "no command", "unknown", "number 99", "command as path", "no type"])
def test_an_empty_descriptor_is_refused(store, descriptor):
    store.refuses(INVALID, "descriptor", store.raw.get_info, descriptor)
    store.refuses(INVALID, "descriptor", store.put, descriptor)


def test_an_upload_without_any_descriptor_is_refused(store):
    messages = [flight_data(*message) for message in ipc_messages(numbers(3).to_batches())]
    store.refuses(INVALID, "descriptor", store.raw.exchange, "DoPut", messages)


K = '"dataset": "kept.parquet"'
BAD_READS = {
    "not json": ("{", "command"),
    "plain text": ("kept.parquet", r"begins with '\{', but it is 'kept.parquet'"),
    "array": ('["kept.parquet"]', r"begins with '\{'"),
    "space first": (" {%s}" % K, r"begins with '\{'"),
    "sql": ("SELECT * FROM kept", r"SELECT \* FROM kept"),
    "trailing text": ("{%s} x" % K, "JSON"),
    "trailing comma": ("{%s,}" % K, "JSON"),
    "comment": ("{%s /* c */}" % K, "JSON"),
    "single quotes": ("{'dataset': 'kept.parquet'}", "JSON"),
    "no dataset": ("{}", "lacks the key 'dataset'"),
    "null dataset": ('{"dataset": null}', "'dataset'.*string"),
    "number dataset": ('{"dataset": 3}', "'dataset'.*string"),
    "array dataset": ('{"dataset": ["kept.parquet"]}', "'dataset'.*string"),
    "unknown key": ('{%s, "colums": ["v"]}' % K, "'colums'.*columns"),
    "key of another call": ('{%s, "mode": "create"}' % K, "'mode'"),
    "key in capitals": ('{%s, "Limit": 1}' % K, "'Limit'"),
    "key twice": ('{%s, "limit": 1, "limit": 2}' % K, "'limit' twice"),
    "dataset twice": ('{%s, %s}' % (K, K), "'dataset' twice"),
    "version number": ('{%s, "version": 1}' % K, "'version'.*string"),
    "columns string": ('{%s, "columns": "v"}' % K, "'columns'.*array"),
    "columns numbers": ('{%s, "columns": [0]}' % K, "'columns'.*array"),
    "columns object": ('{%s, "columns": {}}' % K, "'columns'.*array"),
    "unknown column": ('{%s, "columns": ["v", "w"]}' % K, "'w'"),
    "empty column": ('{%s, "columns": [""]}' % K, "''"),
    "column twice": ('{%s, "columns": ["v", "v"]}' % K, "'v'"),
    "offset text": ('{%s, "offset": "0"}' % K, "'offset'.*integer"),
    "offset fraction": ('{%s, "offset": 0.5}' % K, "'offset'.*integer"),
    "offset float": ('{%s, "offset": 1.0}' % K, "'offset'.*integer"),
    "offset bool": ('{%s, "offset": true}' % K, "'offset'.*integer"),
    "offset null": ('{%s, "offset": null}' % K, "'offset'.*integer"),
    "offset negative": ('{%s, "offset": -1}' % K, "offset.*-1|-1.*offset"),
    "offset least": ('{%s, "offset": -9223372036854775808}' % K, "offset"),
    "offset huge": ('{%s, "offset": 18446744073709551616}' % K, "'offset'.*integer"),
    "offset unsigned": ('{%s, "offset": 9223372036854775808}' % K, "'offset'.*integer"),
    "limit text": ('{%s, "limit": "ten"}' % K, "'limit'.*integer"),
    "limit negative": ('{%s, "limit": -5}' % K, "limit.*-5|-5.*limit"),
    "limit exponent": ('{%s, "limit": 1e3}' % K, "'limit'.*integer"),
    "limit infinite": ('{%s, "limit": 1e999}' % K, "limit|JSON"),
    "limit nan": ('{%s, "limit": NaN}' % K, "JSON"),
    "partitions zero": ('{%s, "partitions": 0}' % K, "partitions is 0"),
    "partitions negative": ('{%s, "partitions": -1}' % K, "partitions is -1"),
    "partitions many": ('{%s, "partitions": 10001}' % K, "partitions is 10001.*10000"),
    "partitions text": ('{%s, "partitions": "4"}' % K, "'partitions'.*integer"),
    "compression unknown": ('{%s, "compression": "rar"}' % K, "'rar'.*lz4"),
    "compression number": ('{%s, "compression": 1}' % K, "'compression'.*string"),
    "compression capital": ('{%s, "compression": "ZSTD"}' % K, "'ZSTD'"),
    "deep": ('{%s, "x": %s}' % (K, "[" * 50_000 + "]" * 50_000), "'x'|JSON|deep"),
    "deep objects": ('{"a":' * 50_000 + "1" + "}" * 50_000, "'a'|JSON|deep|lacks"),
    "deep and open": ('{"a":' * 100_000, "JSON|deep"),
    "two mebibytes": ('{%s, "x": "%s"}' % (K, "x" * (2 << 20)), "1 MiB"),
    "many keys": ("{%s}" % ", ".join('"k%d": 0' % i for i in range(50_000)), "dataset"),
    "invalid utf-8": (b'{"dataset": "\xff"}', "JSON"),
    "nul": (b'{"dataset": "kept.parquet"}\x00', "JSON"),
    "utf-16": (('{%s}' % K).encode("utf-16-le"), "JSON"),
    "lone surrogate": ('{"dataset": "\\ud800"}', "JSON|UTF-8"),
}


@pytest.mark.parametrize("case", BAD_READS)
def test_a_command_to_read_that_is_wrong_is_refused(store, case):
    text, sentence = BAD_READS[case]
    descriptor = command_descriptor(text)
    for method in ("GetFlightInfo", "GetSchema", "PollFlightInfo"):
        store.refuses(INVALID, sentence, store.raw.unary, method, descriptor)


@pytest.mark.parametrize("keys,want", [
    ({"offset": 2**63 - 1}, 0), ({"limit": 2**63 - 1}, 100), ({"limit": 0}, 0),
    ({"offset": 2**63 - 1, "limit": 2**63 - 1, "partitions": 10_000}, 0),
    ({"offset": 99, "limit": 2**63 - 1}, 1), ({"offset": 100}, 0),
], ids=str)
def test_huge_numbers_are_no_trouble_where_they_mean_something(store, keys, want):
    client = store.server.client()
    assert info(client, command("kept.parquet", **keys)).total_records == want
    assert get(client, command("kept.parquet", **keys)).num_rows == want


N = '"dataset": "new.parquet"'
BAD_UPLOADS = {
    "plain text": ("new.parquet", INVALID, r"begins with '\{'"),
    "no dataset": ('{"mode": "create"}', INVALID, "'dataset'"),
    "key of another call": ('{%s, "columns": ["v"]}' % N, INVALID, "'columns'"),
    "mode unknown": ('{%s, "mode": "append"}' % N, INVALID, "'append'.*'overwrite' or 'create'"),
    "mode number": ('{%s, "mode": 1}' % N, INVALID, "'mode'.*string"),
    "if_version number": ('{%s, "if_version": 1}' % N, INVALID, "'if_version'.*string"),
    "if_version of what is not there": ('{%s, "if_version": "x"}' % N, PRECONDITION, "'x'"),
    "if_version of another version": ('{%s, "if_version": "x"}' % K, PRECONDITION,
                                      "'kept.parquet'.*'x'"),
    "create and if_version": ('{%s, "mode": "create", "if_version": "x"}' % N, INVALID,
                              "if_version"),
    "create what exists": ('{%s, "mode": "create"}' % K, EXISTS, "'kept.parquet' exists"),
    "codec unknown": ('{%s, "codec": "lzo"}' % N, INVALID, "'lzo'.*zstd"),
    "codec number": ('{%s, "codec": 1}' % N, INVALID, "'codec'.*string"),
    "level too high": ('{%s, "level": 23}' % N, INVALID, "level 23.*zstd.*22"),
    "level huge": ('{%s, "level": 4294967297}' % N, INVALID, "level 4294967297"),
    "level of snappy": ('{%s, "codec": "snappy", "level": 1}' % N, INVALID, "snappy.*no levels"),
    "level text": ('{%s, "level": "1"}' % N, INVALID, "'level'.*integer"),
    "row_group_rows zero": ('{%s, "row_group_rows": 0}' % N, INVALID, "row_group_rows is 0"),
    "row_group_rows negative": ('{%s, "row_group_rows": -1}' % N, INVALID, "row_group_rows is -1"),
    "row_group_rows huge": ('{%s, "row_group_rows": 2147483648}' % N, INVALID,
                            "row_group_rows is 2147483648"),
    "row_group_rows text": ('{%s, "row_group_rows": "1"}' % N, INVALID,
                            "'row_group_rows'.*integer"),
}
if not ON_S3:
    BAD_UPLOADS["beneath a dataset"] = (
        '{"dataset": "kept.parquet/x"}', PRECONDITION, "kept.parquet")


@pytest.mark.parametrize("case", BAD_UPLOADS)
def test_a_command_to_store_that_is_wrong_is_refused(store, case):
    text, code, sentence = BAD_UPLOADS[case]
    store.refuses(code, sentence, store.put, command_descriptor(text))


@of_folders
def test_a_dataset_cannot_take_the_place_of_a_folder_of_datasets(server):
    client = server.client()
    put(client, "a/b.parquet", numbers(2))
    with RawFlight(server) as raw:
        assert_refused(server, PRECONDITION, "'a'", raw.put, path_descriptor("a"),
                       ipc_messages(numbers(1).to_batches()))
    assert get(client, "a/b.parquet") == numbers(2)


def test_what_is_not_there_is_not_found_by_name(store):
    for name in (b"missing.parquet", b"kept.parquet/x", b"a/b/c", "\U0001f40d".encode()):
        shown = name.decode()
        for method in ("GetFlightInfo", "GetSchema", "PollFlightInfo"):
            store.refuses(NOT_FOUND, shown, store.raw.unary, method, path_descriptor(name))
        store.refuses(NOT_FOUND, shown, store.read, name)
        store.refuses(NOT_FOUND, shown, store.act, "drop_dataset", name)
        store.refuses(NOT_FOUND, shown, store.act, "rename_dataset",
                      json.dumps({"from": shown, "to": "to.parquet"}).encode())


def test_a_folder_is_not_a_dataset(server):
    put(server.client(), "folder/x.parquet", numbers(1))
    with RawFlight(server) as raw:
        for call in (lambda: raw.get_info(path_descriptor("folder")),
                     lambda: raw.stream("DoGet", ticket_message("folder")),
                     lambda: raw.stream("DoAction", action_message("drop_dataset", "folder"))):
            assert_refused(server, NOT_FOUND, "'folder'", call)
    assert listed(server.client()) == ["folder/x.parquet"]


REFUSED_ACTIONS = {
    "unknown": ("make_coffee", b"", UNIMPLEMENTED, "'make_coffee'"),
    "no name": ("", b"", UNIMPLEMENTED, "''"),
    "name of another case": ("DROP_DATASET", b"kept.parquet", UNIMPLEMENTED, "'DROP_DATASET'"),
    "long name": ("x" * 100_000, b"", UNIMPLEMENTED, "xxx"),
    "drop without a body": ("drop_dataset", b"", INVALID, "empty"),
    "rename without a body": ("rename_dataset", b"", INVALID, "rename_dataset"),
    "rename of text": ("rename_dataset", b"kept.parquet", INVALID, "rename_dataset"),
    "rename of an array": ("rename_dataset", b'["a", "b"]', INVALID, "rename_dataset"),
    "rename without to": ("rename_dataset", b'{"from": "kept.parquet"}', INVALID, "'to'"),
    "rename without from": ("rename_dataset", b'{"to": "x"}', INVALID, "'from'"),
    "rename with more": ("rename_dataset", b'{"from": "kept.parquet", "to": "x", "force": true}',
                         INVALID, "'force'"),
    "rename from a number": ("rename_dataset", b'{"from": 1, "to": "x"}', INVALID, "'from'"),
    "rename overwrite text": ("rename_dataset",
                              b'{"from": "kept.parquet", "to": "x", "overwrite": "yes"}',
                              INVALID, "'overwrite'"),
    "rename of another version": ("rename_dataset",
                                  b'{"from": "kept.parquet", "to": "x", "if_version": "v"}',
                                  PRECONDITION, "'kept.parquet'.*'v'"),
    "rename of a mebibyte": ("rename_dataset", b'{"from": "' + b"x" * (2 << 20) + b'"}',
                             INVALID, "1 MiB"),
}
if not ON_S3:
    REFUSED_ACTIONS["rename to itself below"] = (
        "rename_dataset", b'{"from": "kept.parquet", "to": "kept.parquet/x"}', PRECONDITION,
        "kept.parquet")


@pytest.mark.parametrize("case", REFUSED_ACTIONS)
def test_an_action_that_is_wrong_is_refused(store, case):
    kind, body, code, sentence = REFUSED_ACTIONS[case]
    store.refuses(code, sentence, store.act, kind, body)


def test_a_rename_onto_what_is_there_is_refused_unless_asked_for(server):
    client = server.client()
    put(client, "a.parquet", numbers(1))
    put(client, "b.parquet", numbers(2))
    with RawFlight(server) as raw:
        body = json.dumps({"from": "a.parquet", "to": "b.parquet"}).encode()
        assert_refused(server, EXISTS, "'b.parquet'", raw.stream, "DoAction",
                       action_message("rename_dataset", body))
    assert get(client, "a.parquet") == numbers(1)
    assert get(client, "b.parquet") == numbers(2)
    act(client, "rename_dataset", {"from": "a.parquet", "to": "b.parquet", "overwrite": True})
    assert listed(client) == ["b.parquet"]
    assert get(client, "b.parquet") == numbers(1)


def test_tickets_of_random_bytes_are_refused(store):
    rng = random.Random(500)
    for _ in range(500):
        ticket = rng.randbytes(rng.randrange(1, 200))
        if rng.random() < 0.3:
            ticket = b"\x01" + ticket
        code, sentence = refusal(store.read, ticket)
        assert code in (INVALID, NOT_FOUND), sentence
        assert_fit_for_clients(store.server, sentence)


def test_tickets_that_were_cut_or_changed_are_refused(store):
    found = info(store.server.client(), command("kept.parquet", columns=["v"], offset=10, limit=20))
    ticket = found.endpoints[0].ticket.ticket
    rows = pa.concat_tables([store.server.client().do_get(e.ticket).read_all()
                             for e in found.endpoints])
    assert rows == numbers(20, start=10)
    broken = [ticket[:length] for length in range(len(ticket))]
    broken += [ticket + b"\x00", ticket + b" ", ticket * 2]
    rng = random.Random(8)
    for position in range(len(ticket)):
        changed = bytearray(ticket)
        changed[position] ^= 1 << rng.randrange(8)
        broken.append(bytes(changed))
    for one in broken:
        code, sentence = refusal(store.read, one)
        assert code in (INVALID, NOT_FOUND), sentence
        assert_fit_for_clients(store.server, sentence)


def test_a_ticket_of_a_mebibyte_is_refused(store):
    for ticket in (b"x" * (2 << 20), b"\x01" + b"x" * (2 << 20)):
        code, sentence = refusal(store.read, ticket)
        assert code == INVALID
        assert len(sentence) < 1000


def test_a_sentence_about_a_long_input_stays_short(store):
    for call, argument in ((store.raw.get_info, path_descriptor("x" * 500_000)),
                           (store.raw.get_info, command_descriptor("x" * 500_000)),
                           (store.raw.get_info, command_descriptor(
                               '{"dataset": "kept.parquet", "columns": ["%s"]}' % ("c" * 500_000))),
                           (store.raw.get_info, command_descriptor(
                               '{"dataset": "kept.parquet", "version": "%s"}' % ("v" * 500_000)))):
        _, sentence = refusal(call, argument)
        assert len(sentence) < 1000


def test_do_exchange_is_not_offered_and_says_what_is(store):
    requests = [flight_data(*message, path_descriptor("kept.parquet") if not number else None)
                for number, message in enumerate(ipc_messages(numbers(3).to_batches()))]
    store.refuses(UNIMPLEMENTED, "DoExchange.*DoPut", store.raw.exchange, "DoExchange", requests)


def test_bytes_that_are_no_protobuf_harm_nobody(store):
    rng = random.Random(9)
    for _ in range(100):
        garbage = rng.randbytes(rng.randrange(1, 100))
        for method in ("GetFlightInfo", "GetSchema", "PollFlightInfo"):
            refusal(store.raw.unary, method, garbage)
        code, _ = refusal(store.raw.exchange, "DoPut", [garbage])
        assert code != grpc.StatusCode.UNAVAILABLE
    code, _ = refusal(store.raw.unary, "NoSuchMethod", b"")
    assert code == UNIMPLEMENTED


@pytest.mark.parametrize("make,exception", [
    (lambda client: info(client, "missing.parquet"), KeyError),
    (lambda client: info(client, "../x"), pa.ArrowInvalid),
    (lambda client: put(client, command("kept.parquet", mode="create"), numbers(1)),
     pa.ArrowInvalid),
    (lambda client: put(client, command("kept.parquet", if_version="x"), numbers(1)),
     pa.ArrowInvalid),
    (lambda client: act(client, "make_coffee", b""), NotImplementedError),
], ids=["not found", "bad name", "exists", "another version", "unknown action"])
def test_pyarrow_shows_the_exception_that_fits(store, make, exception):
    with pytest.raises(exception):
        make(store.server.client())


def test_a_version_that_was_never_there_is_not_found(store):
    current = version(store.server.client(), "kept.parquet")
    for asked in ("", "x", current.upper() + "0", current[:-1], "\n"):
        text = json.dumps({"dataset": "kept.parquet", "version": asked})
        store.refuses(NOT_FOUND, "'kept.parquet'", store.raw.get_info, command_descriptor(text))
    text = json.dumps({"dataset": "kept.parquet", "version": current})
    store.raw.get_info(command_descriptor(text))


def test_a_client_that_speaks_something_else_on_the_port_harms_nobody(store):
    host, port = store.server.target.rsplit(":", 1)
    for greeting in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01" + b"\x00" * 200,
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500, b"\x00" * 10_000):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            # The server may hang up at any moment of this, but it must not keep the connection.
            try:
                connection.sendall(greeting)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            except TimeoutError:
                raise
            except OSError:
                pass
    assert listed(store.server.client()) == ["kept.parquet"]
