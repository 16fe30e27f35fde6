"""Encrypted connections to the Flight door, and certificates of clients."""

import os
import socket
import ssl
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pytest
from cryptography import x509

from flight_steps import path, put
from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually
from tls_certificates import Authority

TABLE = pa.table({"id": pa.array(range(1000)), "name": [f"row {i}" for i in range(1000)]})


@pytest.fixture
def start_tls(start_server, authority):
    """Starts a server with a certificate of the authority, which is given as `server.pair`."""
    def start(*flags, pair=None, client=None, **options):
        pair = pair or authority.issue("server")
        known = {"tls_root_certs": authority.pem}
        if client:
            known |= {"cert_chain": client.certificate_pem, "private_key": client.key_pem}
        server = start_server(flags=[*pair.flags(), *flags], client_options=known, **options)
        server.pair = pair
        return server
    return start


def serial_shown(server, ca):
    """The serial number of the certificate that a new connection is shown."""
    host, _, port = server.target.rpartition(":")
    context = ssl.create_default_context(cadata=ca.pem.decode())
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((host, int(port)), timeout=DEADLINE_SECONDS) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as encrypted:
            return x509.load_der_x509_certificate(encrypted.getpeercert(True)).serial_number


def connect_fails(server, **options):
    """Whether a client with only these options finds no server."""
    client = flight.connect(server.uri, **options)
    try:
        list(client.list_actions(flight.FlightCallOptions(timeout=DEADLINE_SECONDS)))
    except flight.FlightUnavailableError:
        return True
    finally:
        client.close()
    return False


def listening_inodes(server):
    """The TCP sockets that the server listens on."""
    listening = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{server.process.pid}/net/{table}") as lines:
            fields = [line.split() for line in lines][1:]
        listening |= {field[9] for field in fields if field[3] == "0A"}
    folder = f"/proc/{server.process.pid}/fd"
    own = {os.readlink(f"{folder}/{name}") for name in os.listdir(folder)}
    return {inode for inode in listening if f"socket:[{inode}]" in own}


def run_in_vain(binary, tmp_path, *flags, listen="grpc://127.0.0.1:0"):
    """What a server that must not start says."""
    result = subprocess.run([binary, "serve", "--data", tmp_path / "none", "--listen", listen,
                             *flags], capture_output=True, text=True, timeout=DEADLINE_SECONDS,
                            env=clean_environment())
    assert result.returncode != 0, result.stdout
    assert "listening on" not in result.stdout
    return result.stderr


def test_a_table_comes_back_over_tls(start_tls):
    server = start_tls()
    assert server.uri.startswith("grpc+tls://127.0.0.1:")
    client = server.client()
    put(client, "a.parquet", TABLE)
    info = client.get_flight_info(path("a.parquet"))
    assert client.do_get(info.endpoints[0].ticket).read_all() == TABLE


def test_the_scheme_may_be_spelt_out(start_tls):
    assert start_tls(listen="grpc+tls://127.0.0.1:0").uri.startswith("grpc+tls://127.0.0.1:")


def test_an_rsa_and_an_ed25519_key_serve_as_well(start_server, authority):
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    for name, key in (("rsa", rsa.generate_private_key(65537, 2048)),
                      ("ed", ed25519.Ed25519PrivateKey.generate())):
        pair = authority.issue(name, key=key)
        server = start_server(flags=pair.flags(),
                              client_options={"tls_root_certs": authority.pem})
        assert serial_shown(server, authority) == pair.serial


def test_a_client_that_does_not_know_the_authority_does_not_connect(start_tls, tmp_path):
    server = start_tls()
    assert connect_fails(server)
    assert connect_fails(server, tls_root_certs=Authority(tmp_path, "other").pem)


def test_plain_text_gets_no_answer_at_an_encrypted_port(start_tls):
    server = start_tls()
    plain = flight.connect(f"grpc://{server.target}")
    with pytest.raises(flight.FlightUnavailableError):
        list(plain.list_actions())
    plain.close()
    host, _, port = server.target.rpartition(":")
    for garbage in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), b"GET / HTTP/1.1\r\n\r\n",
                    b"\x16\x03\x01\xff\xff" + bytes(100), os.urandom(5000)):
        with socket.create_connection((host, int(port)), timeout=DEADLINE_SECONDS) as connection:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            try:
                while answer := connection.recv(1 << 16):
                    assert not answer.startswith(b"HTTP"), answer
            except ConnectionError:
                pass
    assert list(server.client().list_flights()) == []


@pytest.mark.parametrize("version, agreed", [("tls1", False), ("tls1_1", False), ("tls1_2", True),
                                             ("tls1_3", True)])
def test_only_tls_1_2_and_newer_are_spoken(start_tls, version, agreed):
    server = start_tls()
    # At security level 0 the client itself would take the old ones.
    result = subprocess.run(["openssl", "s_client", "-connect", server.target, f"-{version}",
                             "-cipher", "DEFAULT@SECLEVEL=0", "-alpn", "h2"],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            errors="replace", timeout=DEADLINE_SECONDS)
    assert ("Cipher is (NONE)" not in result.stdout) == agreed, result.stdout + result.stderr


def test_a_renewed_certificate_is_shown_without_a_restart(start_tls, authority):
    server = start_tls()
    old_serial = server.pair.serial
    client = server.client()
    # Much more than what fits on the way, so that most of it is read after the renewal.
    rows = 8_000_000
    put(client, "large.parquet", pa.table({"x": np.arange(rows)}), chunk_rows=1 << 20)
    info = client.get_flight_info(path("large.parquet"))
    under_way = client.do_get(info.endpoints[0].ticket)
    total = under_way.read_chunk().data.num_rows
    assert serial_shown(server, authority) == old_serial

    renewed = authority.issue("renewed")
    server.pair.replace_by(renewed)
    eventually(lambda: serial_shown(server, authority) == renewed.serial,
               "the renewed certificate is shown")
    for chunk in under_way:
        total += chunk.data.num_rows
    assert total == rows
    assert [info.total_records for info in client.list_flights()] == [rows]
    assert [info.total_records for info in server.client().list_flights()] == [rows]


def _certificate_only(pair, other):
    pair.certificate.write_bytes(other.certificate_pem)


def _torn(pair, other):
    pair.certificate.write_bytes(other.certificate_pem[:200])
    pair.key.write_bytes(other.key_pem[:50])


def _emptied(pair, _):
    pair.certificate.write_bytes(b"")


def _removed(pair, _):
    pair.certificate.unlink()
    pair.key.unlink()


@pytest.mark.parametrize("spoil", [_certificate_only, _torn, _emptied, _removed])
def test_a_renewal_that_went_wrong_keeps_the_old_certificate_until_it_is_right(
        start_tls, authority, spoil):
    server = start_tls()
    old_serial = server.pair.serial
    renewed = authority.issue("renewed")
    spoil(server.pair, renewed)

    def warned():
        assert serial_shown(server, authority) == old_serial
        return "what they hold is not used" in server.log()

    eventually(warned, "the log says that the files are not used")
    server.pair.replace_by(renewed)
    eventually(lambda: serial_shown(server, authority) == renewed.serial,
               "the right pair is shown")
    assert "PRIVATE KEY" not in server.log()


def test_a_certificate_that_expired_is_no_renewal(start_tls, authority):
    server = start_tls()
    old_serial = server.pair.serial
    server.pair.replace_by(authority.issue("renewed", days=(-9, -1)))

    def warned():
        assert serial_shown(server, authority) == old_serial
        return "expired on" in server.log()

    eventually(warned, "the log says why")


def test_a_folder_that_is_switched_by_a_link_is_followed(start_server, authority, tmp_path):
    # As Kubernetes renews secrets.
    first, second = authority.issue("first"), authority.issue("second")
    for name, pair in (("v1", first), ("v2", second)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tls.crt").write_bytes(pair.certificate_pem)
        (tmp_path / name / "tls.key").write_bytes(pair.key_pem)
    current = tmp_path / "current"
    current.symlink_to("v1")
    server = start_server(flags=["--tls-cert", str(current / "tls.crt"),
                                 "--tls-key", str(current / "tls.key")],
                          client_options={"tls_root_certs": authority.pem})
    assert serial_shown(server, authority) == first.serial
    (tmp_path / "next").symlink_to("v2")
    os.replace(tmp_path / "next", current)
    eventually(lambda: serial_shown(server, authority) == second.serial, "the new folder is used")


def test_a_server_whose_files_are_wrong_does_not_start_and_says_why(
        hangar_binary, authority, tmp_path):
    good, other = authority.issue("good"), authority.issue("other")
    expired = authority.issue("expired", days=(-9, -1))
    early = authority.issue("early", days=(1, 9))
    locked = authority.issue("locked", password=b"secret")
    missing = tmp_path / "missing.pem"
    for certificate, key, *sentence in (
            (missing, good.key, "missing.pem", "cannot be read"),
            (good.certificate, missing, "missing.pem", "cannot be read"),
            (good.certificate, other.key, "other-key.pem", "not the key"),
            (good.key, good.key, "good-key.pem", "no certificate"),
            (good.certificate, good.certificate, "good-cert.pem", "no private key"),
            (expired.certificate, expired.key, "expired-cert.pem", "expired on"),
            (early.certificate, early.key, "early-cert.pem", "clock"),
            (locked.certificate, locked.key, "locked-key.pem", "encrypted")):
        said = run_in_vain(hangar_binary, tmp_path, "--tls-cert", certificate, "--tls-key", key)
        for part in sentence:
            assert part in said, said
        assert "PRIVATE KEY" not in said


def test_tls_without_a_certificate_is_refused(hangar_binary, tmp_path):
    said = run_in_vain(hangar_binary, tmp_path, listen="grpc+tls://127.0.0.1:0")
    assert "--tls-cert" in said and "--tls-key" in said, said


def test_nothing_but_the_encrypted_port_is_left(start_tls, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    server = start_tls(environment={"TMPDIR": str(temporary)})
    assert list(temporary.iterdir()) == []
    assert len(listening_inodes(server)) == 1


def test_a_missing_temporary_folder_does_not_matter(start_tls):
    assert list(start_tls(environment={"TMPDIR": "/nowhere"}).client().list_flights()) == []


def test_a_unix_socket_stays_as_it_is(start_server, authority, tmp_path):
    pair = authority.issue("server")
    server = start_server(flags=pair.flags(), listen=f"grpc+unix://{tmp_path}/s")
    assert server.uri == f"grpc+unix://{tmp_path}/s"
    assert list(server.client().list_flights()) == []


# Certificates of clients


def identities(server):
    return {line.split("identity=")[1].split()[0].strip('"')
            for line in server.log().splitlines() if "identity=" in line}


def is_nobody(server, headers=(), **options):
    """Whether a client with these options may not read a.parquet, for want of showing who it is."""
    client = flight.connect(server.uri, **options)
    try:
        client.get_flight_info(path("a.parquet"), flight.FlightCallOptions(headers=list(headers)))
    except flight.FlightUnauthenticatedError:
        return True
    finally:
        client.close()
    return False


def test_without_a_good_certificate_there_is_no_connection_where_it_is_required(
        start_tls, authority, tmp_path):
    good = authority.issue("loader", names=["loader.example.org"], addresses=[])
    server = start_tls("--client-ca", str(authority.path), client=good)
    assert list(server.client().list_flights()) == []
    roots = {"tls_root_certs": authority.pem}
    assert connect_fails(server, **roots)
    foreign = Authority(tmp_path, "foreign").issue("intruder")
    expired = authority.issue("expired", days=(-9, -1))
    for bad in (foreign, expired):
        assert connect_fails(server, **roots, cert_chain=bad.certificate_pem,
                             private_key=bad.key_pem)


def test_a_certificate_says_who_calls(start_tls, authority):
    good = authority.issue("loader", names=["loader.example.org"], addresses=[])
    server = start_tls("--client-ca", str(authority.path), client=good)
    put(server.client(), "a.parquet", TABLE)
    assert identities(server) == {"cert:loader.example.org"}


def test_an_optional_certificate_has_to_be_good_when_it_is_shown(start_tls, authority, tmp_path):
    good = authority.issue("loader", names=["loader.example.org"], addresses=[])
    server = start_tls("--client-ca", str(authority.path), "--client-certificates", "optional",
                       client=good)
    assert list(server.client().list_flights()) == []
    roots = {"tls_root_certs": authority.pem}
    foreign = Authority(tmp_path, "foreign").issue("intruder")
    assert connect_fails(server, **roots, cert_chain=foreign.certificate_pem,
                         private_key=foreign.key_pem)
    # Who shows none is nobody, and nobody may read nothing here.
    put(server.client(), "a.parquet", TABLE)
    assert is_nobody(server, **roots)


def test_nobody_can_send_a_certificate_as_a_header(start_tls, authority):
    good = authority.issue("loader", names=["loader.example.org"], addresses=[])
    server = start_tls("--client-ca", str(authority.path), "--client-certificates", "optional",
                       client=good)
    put(server.client(), "a.parquet", TABLE)
    forged = good.certificate_pem.replace(b"\n", b"")
    for name in (b"x-hangar-verified-certificate", b"x-hangar-verified-certificate-bin"):
        assert is_nobody(server, headers=[(name, forged)], tls_root_certs=authority.pem)


def test_a_renewed_authority_of_clients_counts_without_a_restart(start_tls, authority, tmp_path):
    next_authority = Authority(tmp_path, "next")
    known = tmp_path / "known.pem"
    known.write_bytes(authority.pem)
    first, second = authority.issue("first"), next_authority.issue("second")
    server = start_tls("--client-ca", str(known), client=first)
    options = {"tls_root_certs": authority.pem, "cert_chain": second.certificate_pem,
               "private_key": second.key_pem}
    assert connect_fails(server, **options)
    new = tmp_path / "known.new"
    new.write_bytes(authority.pem + next_authority.pem)
    os.replace(new, known)
    eventually(lambda: not connect_fails(server, **options), "the second authority counts")
    assert list(server.client().list_flights()) == []
