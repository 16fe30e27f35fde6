"""Rows over HTTP: Arrow streams, JSON lines and CSV, both ways."""

import csv
import datetime
import decimal
import gzip
import io
import json
import urllib.request

import pyarrow as pa
import pytest

from hangar_fixtures import eventually
from http_steps import ARROW_STREAM, PARQUET, numbers, parquet_bytes, stream_bytes

TABLE = numbers(100_000)


@pytest.fixture(scope="module")
def stored(module_http_server):
    http = module_http_server.http
    assert http.put("/v1/datasets/t", parquet_bytes(TABLE, row_group_size=30_000)).status == 201
    return http


def stream_of(answer):
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == ARROW_STREAM
    return pa.ipc.open_stream(answer.body).read_all()


def test_an_arrow_stream_holds_the_rows(stored):
    answer = stored.get("/v1/datasets/t", Accept=ARROW_STREAM)
    assert stream_of(answer).equals(TABLE)
    assert answer.headers["Transfer-Encoding"] == "chunked"


def test_a_stream_is_read_as_it_comes(stored):
    request = urllib.request.Request(stored.uri + "/v1/datasets/t?format=arrow")
    with urllib.request.urlopen(request) as response, pa.ipc.open_stream(response) as reader:
        assert reader.read_all().equals(TABLE)


@pytest.mark.parametrize("query, expected", [
    ("limit=5", TABLE.slice(0, 5)),
    ("offset=29995&limit=10", TABLE.slice(29_995, 10)),
    ("offset=99999", TABLE.slice(99_999)),
    ("offset=100000", TABLE.slice(0, 0)),
    ("limit=0", TABLE.slice(0, 0)),
    ("columns=text&limit=3", TABLE.select(["text"]).slice(0, 3)),
    ("columns=text,n&limit=3", TABLE.select(["text", "n"]).slice(0, 3)),
    ("columns=text&columns=n&limit=3", TABLE.select(["text", "n"]).slice(0, 3)),
])
def test_what_the_query_leaves_comes_as_a_stream_by_itself(stored, query, expected):
    assert stream_of(stored.get("/v1/datasets/t?" + query)).equals(expected)


@pytest.mark.parametrize("query", [
    "columns=nosuch", "limit=-1", "limit=x", "offset=1.5", "colums=n", "limit=1&limit=2",
    "format=xml", "format=parquet&limit=1", "version=a&as_of=2026-01-01", "columns=n%5C",
    "columns=%FF", "limit=",
])
def test_a_query_that_is_wrong_is_said_so(stored, query):
    answer = stored.get("/v1/datasets/t?" + query)
    assert answer.status in (400, 404)
    assert len(answer.problem()["detail"]) > 20


@pytest.mark.parametrize("accept, content_type", [
    (None, PARQUET),
    ("*/*", PARQUET),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", PARQUET),
    ("application/octet-stream", PARQUET),
    (PARQUET, PARQUET),
    (ARROW_STREAM, ARROW_STREAM),
    ("text/csv;q=0.5, application/jsonl", "application/jsonl"),
    ("application/x-ndjson", "application/x-ndjson"),
    ("text/csv", "text/csv; charset=utf-8"),
    ("text/*", "text/csv; charset=utf-8"),
    (f"{PARQUET};q=0, */*", ARROW_STREAM),
])
def test_the_accept_header_chooses(stored, accept, content_type):
    answer = stored.head("/v1/datasets/t", **({"Accept": accept} if accept else {}))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == content_type
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("target, accept", [
    ("t", "image/png"), ("t", "application/json"), ("t?limit=1", PARQUET)])
def test_what_cannot_be_given_is_406(stored, target, accept):
    answer = stored.get("/v1/datasets/" + target, Accept=accept)
    assert answer.status == 406
    assert ARROW_STREAM in answer.problem()["detail"]


def test_rows_have_a_weak_tag_of_their_version_and_format(stored):
    parquet = stored.head("/v1/datasets/t").headers["ETag"]
    arrow = stored.head("/v1/datasets/t?format=arrow").headers["ETag"]
    csv_tag = stored.head("/v1/datasets/t?format=csv").headers["ETag"]
    assert len({parquet, arrow, csv_tag}) == 3
    assert arrow.startswith("W/") and parquet.strip('"') in arrow
    assert stored.get("/v1/datasets/t?format=arrow", If_None_Match=arrow).status == 304
    assert stored.get("/v1/datasets/t?format=arrow", If_None_Match=parquet).status == 200


HARD = pa.table({
    "i": pa.array([2**63 - 1, None], pa.int64()),
    "u": pa.array([2**64 - 1, 0], pa.uint64()),
    "f": pa.array([float("nan"), 1e300]),
    "t": pa.array([datetime.datetime(2026, 1, 31, 23, 59, 59, 1), None], pa.timestamp("us", "UTC")),
    "d": pa.array([decimal.Decimal("1.10"), None], pa.decimal128(20, 2)),
    "b": pa.array([b"\x00\xff", b""]),
    "s": pa.array(['say "hi",\nthere', ""]),
    "l": pa.array([[1, None], []], pa.list_(pa.int32())),
    "r": pa.array([{"x": 1}, None], pa.struct([("x", pa.int8())])),
})


def test_text_keeps_what_numbers_and_times_are(http):
    http.put("/v1/datasets/h", stream_bytes(HARD), Content_Type=ARROW_STREAM)
    lines = http.get("/v1/datasets/h", Accept="application/jsonl").body.decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"i": 2**63 - 1, "u": 2**64 - 1, "f": None, "t": "2026-01-31T23:59:59.000001Z",
         "d": "1.10", "b": "AP8=", "s": 'say "hi",\nthere', "l": [1, None], "r": {"x": 1}},
        {"i": None, "u": 0, "f": 1e300, "t": None, "d": None, "b": "", "s": "", "l": [],
         "r": None}]
    rows = list(csv.reader(io.StringIO(http.get("/v1/datasets/h?format=csv").body.decode())))
    assert rows[0] == HARD.column_names
    assert rows[1] == [str(2**63 - 1), str(2**64 - 1), "NaN", "2026-01-31T23:59:59.000001Z", "1.10",
                       "AP8=", 'say "hi",\nthere', "[1,null]", '{"x":1}']
    assert rows[2][0] == "" and rows[2][7] == "[]"


def test_an_arrow_stream_is_stored_with_its_schema(http):
    table = HARD.replace_schema_metadata({"made": "here"})
    answer = http.put("/v1/datasets/h", stream_bytes(table), Content_Type=ARROW_STREAM)
    assert answer.status == 201 and answer.json()["rows"] == 2
    back = stream_of(http.get("/v1/datasets/h?format=arrow"))
    assert back.schema.equals(table.schema, check_metadata=True)
    assert back.select(["i", "t", "l"]).equals(table.select(["i", "t", "l"]))


def test_csv_and_json_lines_are_stored_with_guessed_types(http):
    text = "n,name,when\n1,a,2026-01-31\n2,,2026-02-01\n,\"\",\n"
    assert http.put("/v1/datasets/c", text, Content_Type="text/csv; charset=utf-8").status == 201
    back = stream_of(http.get("/v1/datasets/c?format=arrow"))
    assert back.schema.types == [pa.int64(), pa.string(), pa.date32()]
    assert back.column("name").to_pylist() == ["a", None, ""]
    lines = '{"n": 1, "l": [1, 2]}\n{"n": null, "l": []}\n'
    assert http.put("/v1/datasets/j", lines, Content_Type="application/jsonl").status == 201
    assert stream_of(http.get("/v1/datasets/j?format=arrow")).to_pylist() == [
        {"n": 1, "l": [1, 2]}, {"n": None, "l": []}]
    for type_ in ("application/x-ndjson", "Application/JSONL"):
        assert http.put("/v1/datasets/j", lines, Content_Type=type_).status == 200


def test_what_stands_for_null_in_csv_can_be_said(http):
    target = "/v1/datasets/c?null=NA&null=-"
    assert http.put(target, "n\n1\nNA\n-\n", Content_Type="text/csv").status == 201
    rows = stream_of(http.get("/v1/datasets/c?format=arrow"))
    assert rows.column("n").to_pylist() == [1, None, None]
    assert http.put(target, stream_bytes(TABLE), Content_Type=ARROW_STREAM).status == 400


def test_much_csv_in_compressed_chunks_is_stored(http):
    rows = 300_000
    text = "n,text\n" + "".join(f"{i},row {i}\n" for i in range(rows))
    zipped = gzip.compress(text.encode())
    pieces = (zipped[i:i + 10_000] for i in range(0, len(zipped), 10_000))
    answer = http("PUT", "/v1/datasets/c", body=pieces,
                  headers={"Content-Type": "text/csv", "Content-Encoding": "gzip"})
    assert answer.status == 201 and answer.json()["rows"] == rows
    assert stream_of(http.get("/v1/datasets/c?format=arrow")).equals(numbers(rows))


@pytest.mark.parametrize("content_type, body", [
    (ARROW_STREAM, b""),
    (ARROW_STREAM, b"hello"),
    (ARROW_STREAM, stream_bytes(TABLE)[:-100]),
    (ARROW_STREAM, stream_bytes(TABLE)[:2000]),
    (ARROW_STREAM, stream_bytes(TABLE) + b"more"),
    (ARROW_STREAM, b"\xff\xff\xff\xff\xff\xff\xff\x7f"),
    ("text/csv", b""),
    ("text/csv", b"a,b\n1,2\n3\n"),
    ("text/csv", b"a,b\n1,2\n" * 10 + b"1,2,3\n"),
    ("application/jsonl", b"[1, 2]"),
    ("application/jsonl", b'{"a": 1}\n{"a": "x"}\n'),
    ("application/jsonl", b'{"a": 1}\n{"a"'),
], ids=range(12))
def test_a_damaged_body_is_said_so_and_not_stored(http, content_type, body):
    answer = http.put("/v1/datasets/a", body, Content_Type=content_type)
    assert answer.status == 400, answer
    assert "nothing was stored" in answer.problem()["detail"]
    assert http.get("/v1/datasets/a").status == 404


def test_a_line_that_is_quoted_in_an_error_is_harmless_text(http):
    answer = http.put("/v1/datasets/a", b"a,b\n1,2\n\x1b[31m\xff,2,3\n", Content_Type="text/csv")
    assert answer.status == 400
    assert r"\x1b[31m\xff,2,3" in answer.problem()["detail"]


def test_a_buffer_that_says_to_hold_more_than_there_is_room_for_is_refused(http):
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, TABLE.schema, options=options) as writer:
        writer.write_table(TABLE)
    body = bytearray(sink.getvalue())
    # Each compressed buffer begins with the number of bytes that it becomes.
    place = body.index(b"\x28\xb5\x2f\xfd") - 8
    body[place:place + 8] = (2**50).to_bytes(8, "little")
    answer = http.put("/v1/datasets/a", bytes(body), Content_Type=ARROW_STREAM)
    assert answer.status == 429 and "no room" in answer.problem()["detail"]
    assert http.get("/v1/datasets/a").status == 404


def test_rows_that_were_announced_have_to_come(http):
    body = stream_bytes(TABLE)
    assert http.put("/v1/datasets/a?rows=5", body, Content_Type=ARROW_STREAM).status == 400
    assert http.put("/v1/datasets/a?rows=100000", body, Content_Type=ARROW_STREAM).status == 201


@pytest.mark.parametrize("content_type", [ARROW_STREAM, "text/csv", "application/jsonl"])
def test_a_client_that_goes_away_in_the_middle_stores_nothing(http_server, content_type):
    http = http_server.http
    body = {ARROW_STREAM: stream_bytes(TABLE), "text/csv": b"n\n" + b"1\n" * 100_000,
            "application/jsonl": b'{"n": 1}\n' * 100_000}[content_type]
    with http.raw() as connection:
        connection.sendall(b"PUT /v1/datasets/a HTTP/1.1\r\nHost: x\r\nContent-Type: " +
                           content_type.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n" +
                           f"{len(body):x}\r\n".encode() + body + b"\r\n")
    eventually(lambda: not http_server.staged(), "the upload is forgotten")
    assert http.get("/v1/datasets/a").status == 404


def test_a_reader_that_goes_away_ends_the_read(http_server):
    http = http_server.http
    table = pa.table({"n": pa.array(range(3_000_000), pa.int64())})
    http.put("/v1/datasets/a", parquet_bytes(table, row_group_size=100_000))
    threads = http_server.thread_count()
    for _ in range(5):
        with http.raw() as connection:
            connection.sendall(b"GET /v1/datasets/a?format=jsonl HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    eventually(lambda: http_server.thread_count() <= threads + 1, "the connections' threads end")


@pytest.mark.parametrize("format_", ["arrow", "jsonl", "csv"])
def test_a_failure_in_the_middle_never_looks_like_the_end(http_server, format_):
    http = http_server.http
    body = parquet_bytes(TABLE, row_group_size=10_000, compression="none", use_dictionary=False,
                         write_page_checksum=True)
    place = body.rindex(b"row 95000")
    (http_server.data / "a").write_bytes(body[:place] + b"ROW" + body[place + 3:])
    received = http.exchange(f"GET /v1/datasets/a?format={format_} HTTP/1.1\r\n"
                             "Host: x\r\n\r\n".encode())
    assert received.startswith(b"HTTP/1.1 200 ") and len(received) > 100_000
    assert not received.endswith(b"0\r\n\r\n")
    assert "DATA_LOSS" in http_server.log()


def test_http_1_0_gets_files_and_no_rows(stored):
    answer = stored.exchange(b"GET /v1/datasets/t HTTP/1.0\r\n\r\n")
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b" 200 " in head.split(b"\r\n")[0] and body.startswith(b"PAR1")
    answer = stored.exchange(b"GET /v1/datasets/t?limit=1 HTTP/1.0\r\n\r\n")
    assert b" 505 " in answer.split(b"\r\n")[0]
