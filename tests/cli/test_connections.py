"""How commands reach a server: encryption, tokens, passwords, profiles."""

import os
import pathlib
import pty
import re
import select
import stat
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import DEADLINE_SECONDS


@pytest.fixture
def token(hangar_binary, tmp_path):
    """A token that servers take which are started with `token_flags`."""
    done = subprocess.run([hangar_binary, "token", "create", "--name", "ann", "--token-file",
                           tmp_path / "tokens.toml"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def token_flags(tmp_path, token):
    return ["--token-file", str(tmp_path / "tokens.toml")]


@pytest.fixture
def user_flags(hangar_binary, tmp_path):
    """A server's that knows ann, whose password is "correct horse battery"."""
    subprocess.run([hangar_binary, "user", "add", "ann", "--user-file", tmp_path / "users.toml"],
                   input="correct horse battery\n", capture_output=True, text=True, check=True)
    return ["--user-file", str(tmp_path / "users.toml")]


@pytest.fixture
def secure(start_server, authority, token, token_flags):
    """A server that speaks TLS and lets nobody in without the token."""
    return start_server(flags=[*authority.issue("server").flags(), *token_flags],
                        client_options={"tls_root_certs": authority.pem},
                        authorization=f"Bearer {token}")


def at(hangar, server):
    """Commands go to this server from now on."""
    hangar.environment["HANGAR_SERVER"] = server.uri
    return hangar


def config_of(hangar):
    return pathlib.Path(hangar.environment["XDG_CONFIG_HOME"]) / "hangar/config.toml"


def test_a_token_and_a_ca_let_in_by_flag_file_and_environment(hangar, secure, authority, token):
    at(hangar, secure)
    (hangar.folder / "token").write_text(token + "\n")
    assert hangar.lines("ls", "-q", "--ca", authority.path, "--token", token) == []
    assert hangar.lines("ls", "-q", "--ca", authority.path, "--token-file", "token") == []
    assert hangar.lines("ls", "-q", "--ca", authority.path, "--token", "-",
                        input=token + "\n") == []
    hangar.environment |= {"HANGAR_TOKEN": token, "HANGAR_CA": str(authority.path)}
    assert hangar.lines("ls", "-q") == []


def test_every_command_shows_who_asks(hangar, secure, authority, token):
    at(hangar, secure).environment |= {"HANGAR_TOKEN": token, "HANGAR_CA": str(authority.path)}
    pq.write_table(pa.table({"x": range(1000)}), hangar.folder / "t.parquet")
    hangar("put", "t.parquet", "t.parquet")
    hangar("put", "rows.parquet", "t.parquet", "--codec", "zstd")
    hangar("get", "t.parquet", "-o", "back.parquet", "--partitions", "3")
    hangar("get", "rows.parquet", "-o", "back.csv", "--partitions", "3")
    for command in [["info", "t.parquet"], ["schema", "t.parquet"], ["head", "t.parquet"],
                    ["versions", "t.parquet"], ["check"], ["mv", "t.parquet", "u.parquet"],
                    ["rm", "u.parquet"], ["trash"], ["undrop", "u.parquet"], ["actions"],
                    ["sync", "", "./copy"]]:
        hangar(*command)
    assert (hangar.folder / "copy/u.parquet").read_bytes() \
        == (hangar.folder / "t.parquet").read_bytes()


def test_errors_say_what_to_do(hangar, secure, authority, start_server, token, tmp_path):
    at(hangar, secure)
    ca = ["--ca", authority.path]
    assert "hangar login" in hangar.fails("rm", "some.parquet", *ca)
    assert "hangar login" in hangar.fails("ls", *ca, "--token", "hngr_wrong")
    assert "(--ca FILE)" in hangar.fails("ls", "--token", token)
    plain = secure.uri.replace("grpc+tls", "grpc")
    assert "grpc+tls://" in hangar.fails("ls", "--server", plain)
    unencrypted = start_server()
    encrypted = unencrypted.uri.replace("grpc://", "grpc+tls://")
    assert "speaks no TLS" in hangar.fails("ls", *ca, "--server", encrypted)
    elsewhere = start_server(flags=authority.issue("other", names=["example.org"],
                                                   addresses=["192.0.2.1"]).flags(),
                             client_options={"tls_root_certs": authority.pem,
                                             "override_hostname": "example.org"})
    assert "other names" in hangar.fails("ls", *ca, "--server", elsewhere.uri)
    (hangar.folder / "text").write_text("no certificate")
    assert "'text' holds no certificate" in hangar.fails("ls", "--ca", "text")


def test_no_secret_is_in_an_error(hangar, secure, authority):
    at(hangar, secure)
    for secret, arguments in [("hngr_hushhush", ["--token", "hngr_hushhush"]),
                              ("hush hush", ["--token", "hush hush"])]:
        message = hangar.fails("ls", "--ca", authority.path, *arguments)
        assert secret not in message


def test_a_token_is_not_sent_unencrypted_to_another_machine(hangar):
    message = hangar.fails("ls", "--server", "grpc://192.0.2.1:8815", "--token", "hngr_x")
    assert "unencrypted" in message and "--insecure" in message


def test_a_client_certificate_lets_in(hangar, start_server, authority):
    mine = authority.issue("loader")
    server = start_server(
        flags=[*authority.issue("server").flags(), "--client-ca", str(authority.path)],
        client_options={"tls_root_certs": authority.pem, "cert_chain": mine.certificate_pem,
                        "private_key": mine.key_pem})
    at(hangar, server)
    assert hangar.lines("ls", "-q", "--ca", authority.path, "--cert", mine.certificate, "--key",
                        mine.key) == []
    assert "--cert" in hangar.fails("ls", "--ca", authority.path)
    assert "--key" in hangar.fails("ls", "--ca", authority.path, "--cert", mine.certificate)


def test_a_login_is_stored_for_its_owner_alone(hangar, secure, authority, token):
    at(hangar, secure)
    hangar("login", "--profile", "prod", "--ca", os.path.relpath(authority.path, hangar.folder),
           "--token", "-", input=token + "\n")
    config = config_of(hangar)
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    hangar.environment.pop("HANGAR_SERVER")
    assert hangar.lines("ls", "-q", "--profile", "prod") == []
    assert hangar.lines("ls", "-q", "--profile", "prod", cwd="/") == []
    hangar.environment["HANGAR_PROFILE"] = "prod"
    assert hangar.lines("ls", "-q") == []
    (profile,) = hangar.json("profiles")
    assert profile == {"profile": "prod", "server": secure.uri, "as": "token"}
    assert token not in hangar("profiles").stdout
    config.chmod(0o640)
    assert f"chmod 600 {config}" in hangar.fails("ls")
    config.chmod(0o600)
    hangar("logout", "prod")
    assert "'prod'" in hangar.fails("ls")
    assert token not in config.read_text()


def test_a_login_that_fails_stores_nothing(hangar, secure, authority):
    at(hangar, secure)
    hangar.fails("login", "--ca", authority.path, "--token", "hngr_wrong")
    hangar.fails("login", "--token", "hngr_wrong")
    assert not config_of(hangar).exists()


def test_the_default_profile_counts_where_none_is_named(hangar, secure, authority, token):
    at(hangar, secure)
    hangar("login", "--ca", authority.path, "--token", token)
    hangar.environment.pop("HANGAR_SERVER")
    assert hangar.lines("ls", "-q") == []


def test_a_password_gives_a_login_that_lasts(hangar, start_server, authority, user_flags):
    server = start_server(flags=[*authority.issue("server").flags(), *user_flags],
                          client_options={"tls_root_certs": authority.pem},
                          authorization="Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==")
    at(hangar, server)
    ca = ["--ca", authority.path]
    assert "HANGAR_PASSWORD" in hangar.fails("ls", *ca, "--user", "ann")
    hangar.environment["HANGAR_PASSWORD"] = "wrong"
    assert "hangar login" in hangar.fails("ls", *ca, "--user", "ann")
    hangar.environment["HANGAR_PASSWORD"] = "correct horse battery"
    assert hangar.lines("ls", "-q", *ca, "--user", "ann") == []
    hangar("login", *ca, "--user", "ann")
    hangar.environment.pop("HANGAR_PASSWORD")
    assert hangar.lines("ls", "-q") == []
    assert "correct horse" not in config_of(hangar).read_text()
    assert hangar.json("profiles")[0]["as"] == "token of ann"


def test_a_password_that_is_typed_is_not_shown(hangar, start_server, authority, user_flags):
    server = start_server(flags=[*authority.issue("server").flags(), *user_flags],
                          client_options={"tls_root_certs": authority.pem},
                          authorization="Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==")
    at(hangar, server)
    ours, theirs = pty.openpty()
    process = hangar.start("ls", "-q", "--ca", authority.path, "--user", "ann", stdin=theirs,
                           stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    while not re.search(rb"password of ann at .*: $", shown):
        assert select.select([ours], [], [], DEADLINE_SECONDS)[0], shown
        shown += os.read(ours, 1000)
    os.write(ours, b"correct horse battery\n")
    out, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, out) == (0, b"")
    while select.select([ours], [], [], 0)[0]:
        try:
            shown += os.read(ours, 1000)
        except OSError:  # How Linux tells that the other side is closed.
            break
    os.close(ours)
    assert b"horse" not in shown


def test_the_profiles_file_is_checked(hangar, server):
    config = config_of(hangar)
    config.parent.mkdir(parents=True)
    config.write_text("[profiles.a]\nserver = 'grpc://h:1'\ntokem = 'hush'\n")
    config.chmod(0o600)
    message = hangar.fails("ls")
    assert "line 3" in message and "'tokem'" in message and "hush" not in message
