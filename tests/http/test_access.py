"""Who may do what over HTTP, and how connections are kept private."""

import os
import socket
import ssl
import subprocess

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually
from http_steps import ARROW_STREAM, Http, numbers, parquet_bytes
from tls_certificates import Authority

FILE = parquet_bytes(numbers(10))

POLICY = """
[roles.reader]
members = ["token:reader"]
read = ["open/**"]

[roles.half]
members = ["token:half"]
read = ["open/**"]
hide_columns = ["text"]

[roles.loader]
members = ["token:loader"]
write = ["open/**"]

[roles.chief]
members = ["token:chief"]
admin = ["**"]
"""


class Guarded:
    """A server with a policy, and a token for each of its members."""

    def __init__(self, start_http, binary, folder):
        self.tokens = {}
        file = folder / "tokens.toml"
        for name in ("reader", "half", "loader", "chief", "nobody"):
            done = subprocess.run(
                [binary, "token", "create", "--name", name, "--token-file", file], check=True,
                capture_output=True, text=True, timeout=DEADLINE_SECONDS, env=clean_environment())
            self.tokens[name] = done.stdout.strip()
        (folder / "policy.toml").write_text(POLICY)
        self.server = start_http(
            flags=["--token-file", str(file), "--policy", str(folder / "policy.toml")],
            authorization="Bearer " + self.tokens["chief"])
        self.http = self.server.http

    def __call__(self, name, method, target, **options):
        headers = options.pop("headers", {})
        if name is not None:
            headers["Authorization"] = "Bearer " + self.tokens[name]
        return self.http(method, target, headers=headers, **options)


@pytest.fixture
def guarded(start_http, hangar_binary, tmp_path):
    guarded = Guarded(start_http, hangar_binary, tmp_path)
    for name in ("open/a", "closed/a"):
        assert guarded("chief", "PUT", "/v1/datasets/" + name, body=FILE).status == 201
    return guarded


# Who, method, target, body, status. What is not said is refused with 401 to nobody, 403 to others.
ALLOWED = {
    ("GET", "/v1/datasets/open/a"): {"reader": 200, "chief": 200},
    ("HEAD", "/v1/datasets/open/a"): {"reader": 200, "chief": 200},
    ("GET", "/v1/datasets/open/a?limit=1"): {"reader": 200, "half": 200, "chief": 200},
    ("GET", "/v1/datasets/open/a/schema"): {"reader": 200, "half": 200, "chief": 200},
    ("GET", "/v1/datasets/open/a/versions"): {"reader": 200, "half": 200, "chief": 200},
    ("GET", "/v1/datasets/closed/a"): {"chief": 200},
    ("GET", "/v1/datasets/closed/a?limit=1"): {"chief": 200},
    ("GET", "/v1/datasets/closed/a/schema"): {"chief": 200},
    ("GET", "/v1/datasets/closed/a/versions"): {"chief": 200},
    ("GET", "/v1/datasets/closed/nosuch"): {"chief": 404},
    ("PUT", "/v1/datasets/open/a"): {"loader": 200, "chief": 200},
    ("PUT", "/v1/datasets/closed/a"): {"chief": 200},
    ("DELETE", "/v1/datasets/closed/nosuch"): {"chief": 404},
    ("POST", "/v1/datasets/closed/nosuch:rename"): {"chief": 404},
    ("POST", "/v1/datasets/closed/nosuch:restore"): {"chief": 404},
    ("POST", "/v1/datasets/closed/nosuch:undrop"): {"chief": 404},
    ("GET", "/metrics"): {"chief": 200},
}
BODIES = {"PUT": FILE, ":rename": b'{"to": "closed/other"}', ":restore": b'{"version": "0"}'}


@pytest.mark.parametrize("call", ALLOWED, ids=lambda call: "-".join(call).replace("/", "_"))
def test_everybody_may_do_what_the_policy_says_and_nothing_else(guarded, call):
    method, target = call
    body = next((body for key, body in BODIES.items() if method == key or target.endswith(key)),
                None)
    for who in ("reader", "half", "loader", "nobody", None, "chief"):
        answer = guarded(who, method, target, body=body)
        expected = ALLOWED[call].get(who, 401 if who is None else 403)
        assert answer.status == expected, (who, answer)
        if answer.status == 401:
            assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_lists_and_columns_show_what_may_be_seen(guarded):
    def listed(who):
        answer = guarded(who, "GET", "/v1/datasets")
        return [one["dataset"] for one in answer.json()["datasets"]]

    assert listed("chief") == ["closed/a", "open/a"]
    assert listed("reader") == ["open/a"]
    assert listed("nobody") == []
    schema = guarded("half", "GET", "/v1/datasets/open/a/schema").json()
    assert [field["name"] for field in schema["fields"]] == ["n"]
    for query in ("format=arrow", "format=csv", "format=jsonl"):
        answer = guarded("half", "GET", "/v1/datasets/open/a?" + query)
        assert answer.status == 200 and b"row 1" not in answer.body
        if "arrow" in query:
            assert pa.ipc.open_stream(answer.body).schema.names == ["n"]
    # What was kept of the one is not taken for the other: policies change, caches are shared.
    for part in ("?format=csv", "/schema"):
        tags = {guarded(who, "HEAD", "/v1/datasets/open/a" + part).headers["ETag"]
                for who in ("half", "reader", "chief")}
        assert len(tags) == 2
    # It has the hidden column.
    assert guarded("half", "GET", "/v1/datasets/open/a").status == 403
    assert guarded("half", "GET", "/v1/datasets/open/a?columns=text").status in (400, 404)


@pytest.mark.parametrize("authorization", [
    "Bearer wrong", "Bearer hangar_" + "A" * 43, "Bearer", "Basic bm8Ob25l", "Basic !!!",
    "Digest x", "x" * 20_000, "",
], ids=range(8))
def test_what_shows_nobody_is_refused_in_the_same_words(guarded, authorization):
    answers = [guarded(None, "GET", target, headers={"Authorization": authorization})
               for target in ("/v1/datasets/open/a", "/v1/datasets/nosuch", "/v1/datasets",
                              "/metrics")]
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].status == 401 and answers[0].headers["WWW-Authenticate"]
    assert guarded(None, "GET", "/healthz").status == 200


def test_two_authorizations_are_none(guarded):
    token = guarded.tokens["chief"]
    line = f"Authorization: Bearer {token}\r\n"
    answer = guarded.http.exchange(f"GET /v1/datasets/open/a HTTP/1.1\r\nHost: x\r\n{line}{line}"
                                   "Connection: close\r\n\r\n".encode())
    assert answer.split()[1] == b"401"


def test_no_token_is_in_the_log(guarded):
    guarded("reader", "GET", "/v1/datasets/closed/a")
    guarded(None, "GET", "/v1/datasets", headers={"Authorization": "Bearer hangar_secret"})
    log = guarded.server.log()
    assert "hangar_secret" not in log
    assert not any(token in log for token in guarded.tokens.values())


def test_a_refused_upload_is_not_asked_for(guarded):
    with guarded.http.raw() as connection:
        connection.sendall(b"PUT /v1/datasets/open/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                           guarded.tokens["reader"].encode() +
                           b"\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 403 ")


# Encryption.

@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "ca")


@pytest.fixture
def start_https(start_http, authority):
    """Starts servers over TLS; `client` is the pair that the tests' connections show."""
    def start(*flags, pair=None, client=None, **options):
        pair = pair or authority.issue("server")
        client_options = {"tls_root_certs": authority.pem}
        if client is not None:
            client_options |= {"cert_chain": client.certificate_pem, "private_key": client.key_pem}
        server = start_http(flags=[*pair.flags(), *flags], client_options=client_options,
                            listen="grpc+tls://127.0.0.1:0", **options)
        server.http = Http(server.http.uri, context(authority, client))
        server.pair = pair
        return server
    return start


def context(authority, client=None):
    made = ssl.create_default_context(cafile=authority.path)
    if client is not None:
        made.load_cert_chain(client.certificate, client.key)
    return made


def serial_of(server, authority):
    address = server.http.address
    with socket.create_connection((address.hostname, address.port)) as plain, \
            context(authority).wrap_socket(plain, server_hostname="localhost") as connection:
        return int(connection.getpeercert()["serialNumber"], 16)


def test_files_and_rows_come_over_tls(start_https):
    http = start_https().http
    assert http.uri.startswith("https://")
    big = parquet_bytes(numbers(300_000))
    assert http.put("/v1/datasets/a", big).status == 201
    assert http.get("/v1/datasets/a").body == big
    assert http.get("/v1/datasets/a", Range="bytes=100-299").body == big[100:300]
    rows = http.get("/v1/datasets/a", Accept=ARROW_STREAM).body
    assert pa.ipc.open_stream(rows).read_all().equals(numbers(300_000))
    # Refused in the middle, and said so.
    assert http.put("/v1/datasets/a", b"no parquet" * 1_000_000).status == 400


def test_duckdb_reads_over_tls(start_https, authority):
    http = start_https().http
    http.put("/v1/datasets/t.parquet", parquet_bytes(numbers(1000)))
    run = subprocess.run(
        ["duckdb", "-csv", "-noheader", "-c", "SET extension_directory='/usr/lib/duckdb/extensions';"
         f" LOAD httpfs; SET ca_cert_file='{authority.path}';"
         f" SELECT sum(n) FROM '{http.uri}/v1/datasets/t.parquet'"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, run.stderr
    assert "499500" in run.stdout


@pytest.mark.parametrize("version, good", [("tls1", False), ("tls1_1", False), ("tls1_2", True),
                                           ("tls1_3", True)])
def test_only_tls_1_2_and_newer_are_spoken(start_https, authority, version, good):
    address = start_https().http.address
    run = subprocess.run(
        ["openssl", "s_client", "-connect", f"{address.hostname}:{address.port}", f"-{version}",
         "-cipher", "ALL:@SECLEVEL=0", "-CAfile", authority.path, "-verify_return_error"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE_SECONDS)
    assert (run.returncode == 0) == good, run.stderr


def test_plain_text_gets_no_answer_at_an_encrypted_port(start_https):
    http = start_https().http
    assert b"HTTP/1.1 200" not in http.exchange(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert http.get("/healthz").status == 200


def test_a_renewed_certificate_is_shown_without_a_restart(start_https, authority):
    server = start_https()
    kept = server.http.connect()
    kept.request("GET", "/healthz")
    kept.getresponse().read()
    old, new = serial_of(server, authority), authority.issue("renewed")
    server.pair.replace_by(new)
    eventually(lambda: serial_of(server, authority) == new.serial, "the new one is shown")
    assert old != new.serial
    # A connection that stands goes on.
    kept.request("GET", "/healthz")
    assert kept.getresponse().status == 200
    kept.close()


def test_a_wrong_renewal_keeps_the_old_certificate(start_https, authority):
    server = start_https()
    old = serial_of(server, authority)
    good = server.pair.key_pem
    for wrong in (b"", b"nonsense", authority.issue("other").key_pem):
        replacement = server.pair.key.with_suffix(".new")
        replacement.write_bytes(wrong)
        os.replace(replacement, server.pair.key)
        warnings = server.log().count("the TLS files changed")
        eventually(lambda: serial_of(server, authority) == old and
                   server.log().count("the TLS files changed") > warnings, "it is said")
        assert server.http.get("/healthz").status == 200
    server.pair.key.write_bytes(good)


def test_a_renewal_that_gnutls_cannot_serve_with_keeps_the_old_certificate(start_https, authority):
    server = start_https()
    old = serial_of(server, authority)
    # OpenSSL, which serves Flight, knows this curve, GnuTLS does not.
    server.pair.replace_by(authority.issue("brainpool",
                                           key=ec.generate_private_key(ec.BrainpoolP256R1())))
    eventually(lambda: serial_of(server, authority) == old and
               "the HTTP door goes on with its old certificate" in server.log(), "it is said")
    assert server.http.get("/healthz").status == 200


def test_a_client_certificate_is_required_where_it_is_said_so(start_https, authority, tmp_path):
    client = authority.issue("loader", names=("loader.example",), addresses=())
    server = start_https("--client-ca", str(authority.path), client=client)
    assert server.http.get("/v1/datasets").status == 200
    (tmp_path / "foreign").mkdir()
    strangers = Authority(tmp_path / "foreign", "strangers")
    expired = authority.issue("expired", days=(-10, -1))
    for shown in (None, strangers.issue("stranger"), expired):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            Http(server.http.uri, context(authority, shown)).get("/v1/datasets")


def test_a_client_certificate_says_who_calls(start_https, authority, tmp_path):
    client = authority.issue("loader", names=("loader.example",), addresses=())
    (tmp_path / "policy.toml").write_text(
        '[roles.a]\nmembers = ["cert:loader.example"]\nadmin = ["**"]\n')
    server = start_https("--client-ca", str(authority.path), "--client-certificates", "optional",
                         "--policy", str(tmp_path / "policy.toml"), client=client)
    assert server.http.put("/v1/datasets/a", FILE).status == 201
    nobody = Http(server.http.uri, context(authority))
    assert nobody.get("/v1/datasets/a").status == 401
    other = Http(server.http.uri, context(authority, authority.issue(
        "other", names=("other.example",), addresses=())))
    assert other.get("/v1/datasets/a").status == 403


def test_credentials_in_plain_text_are_refused_on_a_network(hangar_binary, tmp_path):
    (tmp_path / "tokens.toml").touch(mode=0o600)
    done = subprocess.run(
        [hangar_binary, "serve", "--data", tmp_path / "data", "--listen", "grpc://127.0.0.1:0",
         "--http", "0.0.0.0:0", "--token-file", tmp_path / "tokens.toml"],
        capture_output=True, text=True, timeout=DEADLINE_SECONDS, env=clean_environment())
    assert done.returncode != 0 and "0.0.0.0:0" in done.stderr and "plain text" in done.stderr
