"""GET, HEAD and PUT of Parquet files over HTTP: RFC 9110 by the letter."""

import email.parser
import gzip
import hashlib
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import eventually
from http_steps import PARQUET, TIMEOUT_SECONDS, numbers, parquet_bytes

FILE = parquet_bytes(numbers(20_000), row_group_size=5_000)
SIZE = len(FILE)
TARGET = "/v1/datasets/shelf/trips.parquet"


@pytest.fixture(scope="module")
def stored(module_http_server):
    """A server that holds FILE at TARGET, which no test changes."""
    assert module_http_server.http.put(TARGET, FILE).status == 201
    return module_http_server.http


def test_a_file_comes_back_byte_for_byte(stored):
    answer = stored.get(TARGET)
    assert answer.status == 200
    assert answer.body == FILE
    assert answer.headers["Content-Type"] == PARQUET
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"].startswith('"')
    assert "trips.parquet" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Server"] is None


def test_a_file_on_disk_is_the_file_that_was_put(module_http_server, stored):
    path = module_http_server.data / "shelf" / "trips.parquet"
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(FILE).digest()


def test_head_has_the_headers_of_get_and_no_body(stored):
    head, get = stored.head(TARGET), stored.get(TARGET)
    assert head.status == 200 and head.body == b""
    for name in ("ETag", "Last-Modified", "Content-Length", "Content-Type", "Accept-Ranges"):
        assert head.headers[name] == get.headers[name]


def test_head_does_not_heed_a_range(stored):
    assert stored.head(TARGET, Range="bytes=0-9").status == 200


@pytest.mark.parametrize("asked, first, last", [
    ("bytes=0-0", 0, 0),
    ("bytes=0-99", 0, 99),
    ("bytes=100-", 100, SIZE - 1),
    ("bytes=-8", SIZE - 8, SIZE - 1),
    (f"bytes=-{SIZE}", 0, SIZE - 1),
    (f"bytes=-{SIZE * 10}", 0, SIZE - 1),
    (f"bytes=0-{SIZE - 1}", 0, SIZE - 1),
    (f"bytes=10-{SIZE * 10}", 10, SIZE - 1),
    ("bytes=10-99999999999999999999999999", 10, SIZE - 1),
    (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
    ("BYTES=5-6", 5, 6),
    ("bytes= 5-6 ", 5, 6),
    ("bytes=5-6,", 5, 6),
    # Overlapping, adjacent and near ones become one.
    ("bytes=0-9,5-19", 0, 19),
    ("bytes=0-9,10-19", 0, 19),
    ("bytes=50-59,0-9", 0, 59),
    (f"bytes=0-9,{SIZE}-", 0, 9),
])
def test_one_range(stored, asked, first, last):
    answer = stored.get(TARGET, Range=asked)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.headers["Content-Type"] == PARQUET
    assert answer.body == FILE[first:last + 1]


@pytest.mark.parametrize("asked", [
    f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 10}", "bytes=-0", f"bytes={SIZE}-,-0",
    "bytes=" + ",".join(f"{i * 1000}-{i * 1000}" for i in range(300)),
])
def test_a_range_that_cannot_be_had(stored, asked):
    answer = stored.get(TARGET, Range=asked)
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    answer.problem()


@pytest.mark.parametrize("asked", [
    "rows=0-9", "bytes", "bytes=", "bytes=a-b", "bytes=9-5", "bytes=--5", "bytes=5", "bytes=0-9,x",
    "bytes=-", "bytes=+1-2", "bytes=0x1-2", "0-9",
])
def test_what_is_no_range_is_not_heeded(stored, asked):
    answer = stored.get(TARGET, Range=asked)
    assert answer.status == 200
    assert answer.body == FILE


def parts_of(answer):
    header = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser().parsebytes(header + answer.body)
    assert message.is_multipart()
    return [(part["Content-Range"], part["Content-Type"]) for part in message.get_payload()]


def test_several_ranges_come_in_the_order_asked_for(stored):
    answer = stored.get(TARGET, Range=f"bytes=-8,0-3,5000-5099")
    assert answer.status == 206
    assert answer.headers["Content-Type"].startswith("multipart/byteranges; boundary=")
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["Content-Range"] is None
    assert parts_of(answer) == [(f"bytes {SIZE - 8}-{SIZE - 1}/{SIZE}", PARQUET),
                                (f"bytes 0-3/{SIZE}", PARQUET),
                                (f"bytes 5000-5099/{SIZE}", PARQUET)]
    boundary = answer.headers["Content-Type"].split("boundary=")[1].encode()
    bodies = [part.split(b"\r\n\r\n", 1)[1][:-2]
              for part in answer.body.split(b"--" + boundary)[1:-1]]
    assert bodies == [FILE[-8:], FILE[:4], FILE[5000:5100]]


def test_if_range_with_the_version_gives_the_part(stored):
    tag = stored.head(TARGET).headers["ETag"]
    assert stored.get(TARGET, Range="bytes=0-3", If_Range=tag).status == 206


@pytest.mark.parametrize("if_range", ['"another"', "TAG_WEAK", "DATE", "nonsense"])
def test_if_range_with_anything_else_gives_the_whole(stored, if_range):
    head = stored.head(TARGET)
    value = {"TAG_WEAK": "W/" + head.headers["ETag"],
             "DATE": head.headers["Last-Modified"]}.get(if_range, if_range)
    answer = stored.get(TARGET, Range="bytes=0-3", If_Range=value)
    assert answer.status == 200 and answer.body == FILE


LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT"
FAR_AHEAD = "Thu, 01 Jan 2099 00:00:00 GMT"


@pytest.mark.parametrize("conditions, status", [
    ({"If-None-Match": "TAG"}, 304),
    ({"If-None-Match": "W/TAG"}, 304),
    ({"If-None-Match": '"x", TAG'}, 304),
    ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": '"x"'}, 200),
    ({"If-Match": "TAG"}, 200),
    ({"If-Match": '"x", TAG'}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": '"x"'}, 412),
    ({"If-Match": "W/TAG"}, 412),
    ({"If-Modified-Since": LONG_AGO}, 200),
    ({"If-Modified-Since": FAR_AHEAD}, 304),
    ({"If-Modified-Since": "MODIFIED"}, 304),
    ({"If-Modified-Since": "nonsense"}, 200),
    ({"If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"}, 200),
    ({"If-Modified-Since": "Sun Nov  6 08:49:37 1994"}, 200),
    ({"If-Unmodified-Since": LONG_AGO}, 412),
    ({"If-Unmodified-Since": FAR_AHEAD}, 200),
    ({"If-Unmodified-Since": "MODIFIED"}, 200),
    # RFC 9110, section 13.2.2: tags go before dates.
    ({"If-Match": "TAG", "If-Unmodified-Since": LONG_AGO}, 200),
    ({"If-None-Match": '"x"', "If-Modified-Since": FAR_AHEAD}, 200),
    ({"If-Match": '"x"', "If-None-Match": "TAG"}, 412),
    ({"If-Match": "TAG", "If-None-Match": "TAG"}, 304),
    # Conditions go before ranges.
    ({"If-None-Match": "TAG", "Range": "bytes=0-3"}, 304),
    ({"If-Match": "TAG", "Range": "bytes=0-3"}, 206),
])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions(stored, method, conditions, status):
    head = stored.head(TARGET)
    headers = {name: value.replace("TAG", head.headers["ETag"])
                          .replace("MODIFIED", head.headers["Last-Modified"])
               for name, value in conditions.items()}
    answer = stored(method, TARGET, headers=headers)
    assert answer.status == (200 if method == "HEAD" and status == 206 else status)
    assert answer.headers["ETag"] == head.headers["ETag"]
    if status == 304:
        assert answer.body == b"" and answer.headers["Content-Length"] is None
        assert answer.headers["Last-Modified"] == head.headers["Last-Modified"]
    if status == 412 and method == "GET":
        assert answer.problem()["code"] == "FAILED_PRECONDITION"


def test_a_past_version_is_had_by_its_name(http):
    first = http.put("/v1/datasets/a", FILE).json()["version"]
    other = parquet_bytes(numbers(3))
    second = http.put("/v1/datasets/a", other)
    assert second.status == 200 and second.json()["rows"] == 3
    assert http.get("/v1/datasets/a").body == other
    past = http.get(f"/v1/datasets/a?version={first}")
    assert past.body == FILE and past.headers["ETag"] == f'"{first}"'
    assert http.get("/v1/datasets/a?version=nosuch").status == 404
    assert http.get("/v1/datasets/a?as_of=yesterday").status == 400


def test_put_answers_with_what_was_stored(http):
    answer = http.put("/v1/datasets/new%20one", FILE, Content_Type=PARQUET)
    assert answer.status == 201
    assert answer.json() == {"dataset": "new one", "rows": 20_000, "bytes": SIZE,
                             "version": answer.headers["ETag"].strip('"')}
    assert http.get(answer.headers["Location"]).body == FILE


def test_writes_are_held_to_versions(http):
    first = http.put("/v1/datasets/a", FILE, If_None_Match="*")
    assert first.status == 201
    assert http.put("/v1/datasets/a", FILE, If_None_Match="*").status == 412
    assert http.put("/v1/datasets/a", FILE, If_Match='"other"').status == 412
    assert http.put("/v1/datasets/b", FILE, If_Match="*").status == 412
    assert http.put("/v1/datasets/a", FILE, If_Match="oops").status == 400
    second = http.put("/v1/datasets/a", FILE, If_Match=first.headers["ETag"])
    assert second.status == 200
    assert http.put("/v1/datasets/a", FILE, If_Match=first.headers["ETag"]).status == 412
    assert http.put("/v1/datasets/a", FILE, If_Match="*").status == 200
    assert http.delete("/v1/datasets/a", If_Match=first.headers["ETag"]).status == 412
    assert http.delete("/v1/datasets/a").status == 204
    assert http.delete("/v1/datasets/a").status == 404


def test_what_is_no_parquet_is_not_stored(http):
    for body in (b"", b"PAR", b"hello", b"PAR1", FILE[:-1], FILE[:-8] + b"\0" * 4 + FILE[-4:]):
        answer = http.put("/v1/datasets/a", body)
        assert answer.status == 400, body[:10]
        assert answer.problem()["code"] == "INVALID_ARGUMENT"
    assert http.get("/v1/datasets/a").status == 404


def test_a_refusal_in_the_middle_of_a_large_body_reaches_the_client(http):
    answer = http.put("/v1/datasets/a", b"no parquet" * 1_000_000)
    assert answer.status == 400 and "Parquet" in answer.problem()["detail"]


def test_a_refusal_before_a_large_body_reaches_the_client(http):
    answer = http.put("/v1/datasets/..", FILE * 200)
    assert answer.status == 400 and "name" in answer.problem()["detail"]


def test_a_connection_goes_on_after_a_refused_short_body(http):
    connection = http.connect()
    for _ in range(3):
        connection.request("PUT", "/v1/datasets/a", body=b"no")
        answer = connection.getresponse()
        assert answer.status == 400
        answer.read()
    connection.close()


def test_a_body_in_chunks_is_stored(http):
    pieces = (FILE[i:i + 1000] for i in range(0, SIZE, 1000))
    assert http("PUT", "/v1/datasets/a", body=pieces).status == 201
    assert http.get("/v1/datasets/a").body == FILE


def test_a_compressed_body_is_stored_as_what_it_holds(http):
    zipped = gzip.compress(FILE)
    assert http.put("/v1/datasets/a", zipped, Content_Encoding="gzip").status == 201
    assert http.get("/v1/datasets/a").body == FILE
    two = gzip.compress(FILE[:1000]) + gzip.compress(FILE[1000:])
    assert http.put("/v1/datasets/b", two, Content_Encoding="gzip").status == 201
    assert http.get("/v1/datasets/b").body == FILE
    zstd = pa.compress(FILE, codec="zstd", asbytes=True)
    assert http.put("/v1/datasets/c", zstd, Content_Encoding="zstd").status == 201
    assert http.get("/v1/datasets/c").body == FILE
    for damaged in (zipped[:-1], zipped[:100], FILE, b"", zipped + b"rest"):
        assert http.put("/v1/datasets/d", damaged, Content_Encoding="gzip").status == 400
    assert http.put("/v1/datasets/d", zipped, Content_Encoding="br").status == 415


def test_an_upload_that_is_repeated_is_stored_once(http):
    key = {"Idempotency-Key": '"7f1c"'}
    first = http("PUT", "/v1/datasets/a", body=FILE, headers=key)
    again = http("PUT", "/v1/datasets/a", body=FILE, headers=key)
    assert again.status == 200 and again.json()["repeated"] is True
    assert again.json()["version"] == first.json()["version"]


def test_expect_is_answered_once_the_name_was_checked(http):
    def expect(target, headers=""):
        connection = http.raw()
        connection.sendall(f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE}\r\n"
                           f"Expect: 100-continue\r\n{headers}\r\n".encode())
        return connection, connection.recv(1 << 16)

    connection, answer = expect("/v1/datasets/a")
    assert answer.startswith(b"HTTP/1.1 100 ")
    connection.sendall(FILE)
    assert b" 201 " in connection.recv(1 << 16).split(b"\r\n")[0]
    connection.close()
    for target, headers, status in [("/v1/datasets/..", "", b"400"),
                                    ("/v1/datasets/a", "If-None-Match: *\r\n", b"412"),
                                    ("/v1/datasets/b", "Content-Type: text/html\r\n", b"415"),
                                    ("/v1/nothing", "", b"404")]:
        connection, answer = expect(target, headers)
        assert answer.split()[1] == status
        connection.close()


def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(start_http):
    http = start_http(flags=["--max-upload-bytes", "1MiB"]).http
    with http.raw() as connection:
        connection.sendall(b"PUT /v1/datasets/a HTTP/1.1\r\nHost: x\r\n"
                           b"Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 413 ")
    pieces = (b"PAR1" + b"x" * 65_532 for _ in range(40))
    assert http("PUT", "/v1/datasets/a", body=pieces).status == 413
    assert http.get("/v1/datasets/a").status == 404


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_client_that_goes_away_stores_nothing(http_server, framing):
    http = http_server.http
    before = http.put("/v1/datasets/a", FILE).headers["ETag"]
    for sent in (0, 100, SIZE // 2, SIZE - 1):
        with http.raw() as connection:
            head = b"PUT /v1/datasets/a HTTP/1.1\r\nHost: x\r\n"
            if framing == "length":
                connection.sendall(head + f"Content-Length: {SIZE}\r\n\r\n".encode() + FILE[:sent])
            else:
                connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" +
                                   f"{SIZE:x}\r\n".encode() + FILE[:sent])
            eventually(lambda: sent == 0 or http_server.staged(), "the upload has begun")
        eventually(lambda: not http_server.staged(), "the upload is forgotten")
    assert http.head("/v1/datasets/a").headers["ETag"] == before


def test_a_file_larger_than_any_buffer_goes_both_ways(http, tmp_path):
    table = pa.table({"n": pa.array(range(2_000_000), pa.int64())})
    pq.write_table(table, tmp_path / "in.parquet", compression="none", use_dictionary=False)
    url = http.uri + "/v1/datasets/big.parquet"
    curl = ["curl", "-sS", "--fail", "--max-time", str(TIMEOUT_SECONDS)]
    subprocess.run([*curl, "-T", tmp_path / "in.parquet", url], check=True)
    subprocess.run([*curl, "-o", tmp_path / "out.parquet", url], check=True)
    assert (tmp_path / "in.parquet").read_bytes() == (tmp_path / "out.parquet").read_bytes()
    # What was broken off is taken up again.
    (tmp_path / "part").write_bytes((tmp_path / "in.parquet").read_bytes()[:5_000_000])
    subprocess.run([*curl, "-C", "-", "-o", tmp_path / "part", url], check=True)
    assert (tmp_path / "in.parquet").read_bytes() == (tmp_path / "part").read_bytes()
