"""Sessions that several servers share: with one file of users and one session key."""

import subprocess

import pyarrow.flight as flight
import pytest

from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually

PASSWORD = "correct horse battery"


@pytest.fixture
def access(hangar_binary, tmp_path):
    """The flags of servers that know alice and share a key; "keeper" looks after them."""
    users, tokens, key = (tmp_path / name for name in ("users.toml", "tokens.toml", "session.key"))

    def run(*arguments, text=""):
        return subprocess.run([hangar_binary, *map(str, arguments)], input=text, text=True,
                              check=True, capture_output=True, timeout=DEADLINE_SECONDS,
                              env=clean_environment()).stdout.strip()
    run("user", "add", "alice", "--user-file", users, text=PASSWORD + "\n")
    token = run("token", "create", "--name", "keeper", "--token-file", tokens)
    key.write_text("0123456789abcdef" * 4 + "\n")
    key.chmod(0o600)
    return {"flags": ["--user-file", str(users), "--token-file", str(tokens)],
            "key": ["--session-key", str(key)], "authorization": f"Bearer {token}"}


def log_in(server):
    """The token of a session of alice's."""
    _, header = server.client().authenticate_basic_token("alice", PASSWORD)
    return header.decode().removeprefix("Bearer ")


def is_let_in(server, token):
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
    try:
        list(server.client().list_flights(options=options))
    except flight.FlightUnauthenticatedError:
        return False
    return True


def test_a_login_at_one_server_is_good_at_all_that_share_the_key(start_replicas, tmp_path, access):
    servers = start_replicas(data=tmp_path / "shared", flags=access["flags"] + access["key"],
                             authorization=access["authorization"])
    for server in servers:
        token = log_in(server)
        assert [is_let_in(other, token) for other in servers] == [True] * 3


def test_a_login_outlives_a_restart(start_server, tmp_path, access):
    def start():
        return start_server(data=tmp_path / "shared", flags=access["flags"] + access["key"],
                            authorization=access["authorization"])
    first = start()
    token = log_in(first)
    assert first.stop() == 0
    assert is_let_in(start(), token)


def test_without_the_key_a_login_is_good_where_it_was_given(start_replicas, tmp_path, access):
    servers = start_replicas(data=tmp_path / "shared", flags=access["flags"],
                             authorization=access["authorization"])
    token = log_in(servers[0])
    assert [is_let_in(server, token) for server in servers] == [True, False, False]


def test_a_session_ends_everywhere_with_the_user(start_replicas, tmp_path, access, hangar_binary):
    servers = start_replicas(data=tmp_path / "shared", flags=access["flags"] + access["key"],
                             authorization=access["authorization"])
    token = log_in(servers[0])
    subprocess.run([hangar_binary, "user", "remove", "alice", *access["flags"][:2]], check=True,
                   capture_output=True, env=clean_environment())
    # The file is looked at once a second at most.
    for server in servers:
        eventually(lambda server=server: not is_let_in(server, token), "the session ends")


def test_a_key_that_can_be_guessed_is_refused(hangar_binary, tmp_path, access):
    short = tmp_path / "short.key"
    short.write_text("hunter2")
    done = subprocess.run(
        [hangar_binary, "serve", "--data", tmp_path / "data", "--listen", "grpc://127.0.0.1:0",
         *access["flags"], "--session-key", short], capture_output=True, text=True,
        timeout=DEADLINE_SECONDS, env=clean_environment())
    assert done.returncode == 1
    assert "32 or more" in done.stderr and "hunter2" not in done.stderr


def test_doctor_says_who_else_may_read_the_key(hangar_binary, tmp_path, access):
    key = access["key"][1]
    command = [hangar_binary, "doctor", "--data", tmp_path, "--listen", "grpc://127.0.0.1:0",
               *access["flags"], "--session-key", key]

    def examine():
        done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
        return [line for line in done.stdout.splitlines() if "session_key" in line]
    assert not any("others on this machine" in line for line in examine())
    subprocess.run(["chmod", "644", key], check=True)
    assert any("others on this machine may read" in line for line in examine())
