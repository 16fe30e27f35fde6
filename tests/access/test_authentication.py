"""Making and taking away what shows who somebody is, and what a running server makes of it."""

import hashlib
import json
import os
import pty
import re
import stat
import subprocess
import termios
import time

import pyarrow as pa
import pyarrow.flight as flight
import pytest

import identity_provider
from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually
from identity_provider import IdentityProvider, SigningKey, key_set

PASSWORD = "correct horse battery"


class Admin:
    """Runs `hangar token` and `hangar user` in a folder of its own."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.tokens = folder / "tokens.toml"
        self.users = folder / "users.toml"
        self.environment = clean_environment({"HANGAR_TOKEN_FILE": str(self.tokens),
                                              "HANGAR_USER_FILE": str(self.users)})

    def __call__(self, *arguments, text="", exit_code=0, environment=None):
        done = subprocess.run([self.binary, *map(str, arguments)], input=text, text=True,
                              capture_output=True, timeout=DEADLINE_SECONDS,
                              env=environment or self.environment)
        assert done.returncode == exit_code, (done.returncode, done.stdout, done.stderr)
        return done

    def fails(self, *arguments, exit_code=1, **options):
        """The one sentence of a command that fails."""
        done = self(*arguments, exit_code=exit_code, **options)
        assert done.stdout == ""
        assert done.stderr.startswith("hangar: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    def token(self, name, *options):
        done = self("token", "create", "--name", name, *options)
        assert done.stderr == "" and done.stdout.endswith("\n")
        return done.stdout[:-1]

    def user(self, name, *options):
        return self("user", "add", name, *options, text=PASSWORD + "\n")


@pytest.fixture
def admin(hangar_binary, tmp_path):
    return Admin(hangar_binary, tmp_path)


def bearer(token):
    return flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())],
                                    timeout=DEADLINE_SECONDS)


def is_let_in(client, token):
    try:
        list(client.list_flights(options=bearer(token)))
        return True
    except flight.FlightUnauthenticatedError:
        return False
    except pa.ArrowException as error:
        # Who asks again and again until a token counts is told to wait.
        if "came too often" in str(error):
            return False
        raise


# The commands.

def test_a_token_is_printed_once_and_kept_as_a_hash(admin):
    token = admin.token("nightly", "--grant", "read:sales/**", "--grant", "write:sales/eu/*")
    assert re.fullmatch(r"hangar_[A-Za-z0-9_-]{48}", token)
    text = admin.tokens.read_text()
    assert token not in text and token.removeprefix("hangar_") not in text
    assert hashlib.sha256(token.encode()).hexdigest() in text
    assert stat.S_IMODE(admin.tokens.stat().st_mode) == 0o600
    assert os.listdir(admin.tokens.parent) == ["tokens.toml"]


def test_tokens_are_listed_without_what_shows_them(admin):
    token = admin.token("nightly", "--expires", "2199-12-31", "--grant", "read:sales/**")
    admin.token("forever")
    listed = admin("token", "list").stdout.splitlines()
    assert re.split(r"\s+", listed[0]) == ["NAME", "CREATED", "EXPIRES", "GRANTS"]
    assert re.fullmatch(r"forever +\S+Z +never", listed[1])
    assert re.fullmatch(r"nightly +\S+Z +2199-12-31T00:00:00Z +read:sales/\*\*", listed[2])
    lines = admin("token", "list", "--output", "json").stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["forever", "nightly"]
    assert json.loads(lines[1])["grants"] == ["read:sales/**"]
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert not any(digest in line for line in listed + lines)


def test_a_revoked_token_is_gone(admin):
    admin.token("a")
    admin.token("b")
    assert admin("token", "revoke", "a").stdout == ""
    assert "a " not in admin("token", "list").stdout
    assert "no token 'a'" in admin.fails("token", "revoke", "a")
    admin("token", "revoke", "b")
    assert len(admin("token", "list").stdout.splitlines()) == 1


def test_two_tokens_cannot_have_one_name(admin):
    admin.token("a")
    before = admin.tokens.read_text()
    assert "there is a token 'a' already" in admin.fails("token", "create", "--name", "a")
    assert admin.tokens.read_text() == before


@pytest.mark.parametrize("arguments", [
    ["token"], ["token", "create"], ["token", "create", "--name", "a b"],
    ["token", "create", "--name", ""], ["token", "create", "--name", "a", "--expires", "soon"],
    ["token", "create", "--name", "a", "--expires", "2020-01-01"],
    ["token", "create", "--name", "a", "--expires", "0s"],
    ["token", "create", "--name", "a", "--grant", "fly:a"],
    ["token", "create", "--name", "a", "--grant", "read"],
    ["token", "revoke"], ["token", "list", "--output", "xml"],
    ["user"], ["user", "add"], ["user", "add", "a:b"], ["user", "add", "a", "--group", "a b"],
    ["user", "passwd"], ["user", "remove"]])
def test_what_is_not_understood_is_said_and_nothing_is_written(admin, arguments):
    admin.fails(*arguments, exit_code=2, text=PASSWORD + "\n")
    assert os.listdir(admin.tokens.parent) == []


def test_the_file_is_found_as_the_server_finds_it(admin, tmp_path):
    nothing = clean_environment()
    sentence = admin.fails("token", "create", "--name", "a", environment=nothing)
    for way in ("--token-file", "HANGAR_TOKEN_FILE", "--config"):
        assert way in sentence
    assert "HANGAR_USER_FILE" in admin.fails("user", "add", "a", environment=nothing)
    configuration = tmp_path / "hangar.toml"
    configuration.write_text(f'token_file = "{tmp_path}/other.toml"\n')
    admin("token", "create", "--name", "a", "--config", configuration, environment=nothing)
    assert (tmp_path / "other.toml").exists()
    admin("token", "create", "--name", "a", "--token-file", tmp_path / "third.toml")
    assert (tmp_path / "third.toml").exists() and not admin.tokens.exists()


def test_a_file_that_is_wrong_is_not_touched(admin):
    admin.tokens.write_text("[tokens.a]\nsha256 = 7\n")
    for arguments in (["token", "create", "--name", "b"], ["token", "list"],
                      ["token", "revoke", "a"]):
        assert "tokens.toml, line 2: " in admin.fails(*arguments)
    assert admin.tokens.read_text() == "[tokens.a]\nsha256 = 7\n"


def test_many_at_once_lose_nothing(admin):
    running = [subprocess.Popen([admin.binary, "token", "create", "--name", f"n{number}"],
                                env=admin.environment, stdout=subprocess.DEVNULL)
               for number in range(20)]
    assert [process.wait(timeout=DEADLINE_SECONDS) for process in running] == [0] * 20
    assert len(admin("token", "list").stdout.splitlines()) == 21
    assert os.listdir(admin.tokens.parent) == ["tokens.toml"]


def test_users_are_added_listed_changed_and_removed(admin):
    admin.user("alice", "--group", "analysts", "--group", "eu")
    admin.user("bob")
    assert stat.S_IMODE(admin.users.stat().st_mode) == 0o600
    before = admin.users.read_text()
    assert PASSWORD not in before and before.count("$argon2id$") == 2
    listed = admin("user", "list").stdout.splitlines()
    assert [line.split() for line in listed] == [["NAME", "GROUPS"], ["alice", "analysts", "eu"],
                                                 ["bob"]]
    assert "there is a user 'alice'" in admin.fails("user", "add", "alice", text=PASSWORD)
    admin("user", "passwd", "alice", text="another password\n")
    assert admin.users.read_text() != before
    admin("user", "remove", "bob")
    only, = admin("user", "list", "--output", "json").stdout.splitlines()
    assert json.loads(only) == {"name": "alice", "groups": ["analysts", "eu"]}
    for command in ("passwd", "remove"):
        assert "no user 'bob'" in admin.fails("user", command, "bob", text=PASSWORD)


@pytest.mark.parametrize("text", ["", "\n", "short\n", "x" * 2000 + "\n", "a\x00b\x01cdefgh\n"])
def test_a_password_that_cannot_be_one_is_refused_and_not_repeated(admin, text):
    sentence = admin.fails("user", "add", "alice", text=text)
    assert "a password" in sentence and "short" not in sentence
    assert not admin.users.exists()


class Terminal:
    """A command that runs in a terminal of its own."""

    def __init__(self, admin, *arguments):
        self.shown = b""
        self._ours, theirs = pty.openpty()
        self._theirs = theirs
        self._process = subprocess.Popen([admin.binary, *arguments], stdin=theirs, stdout=theirs,
                                         stderr=theirs, env=admin.environment)

    def echoes(self):
        return bool(termios.tcgetattr(self._theirs)[3] & termios.ECHO)

    def answer(self, prompt, text):
        while not self.shown.endswith(prompt):
            self.shown += os.read(self._ours, 1)
        assert not self.echoes()
        os.write(self._ours, text)

    def finish(self):
        code = self._process.wait(timeout=DEADLINE_SECONDS)
        assert self.echoes(), "the terminal shows again what is typed"
        os.set_blocking(self._ours, False)
        self.shown += os.read(self._ours, 4096)
        os.close(self._ours)
        os.close(self._theirs)
        return code


def test_a_terminal_is_asked_twice_and_shows_nothing(admin):
    terminal = Terminal(admin, "user", "add", "alice")
    terminal.answer(b"New password: ", PASSWORD.encode() + b"\n")
    terminal.answer(b"The same again: ", PASSWORD.encode() + b"\n")
    assert terminal.finish() == 0
    assert PASSWORD.encode() not in terminal.shown
    assert "alice" in admin("user", "list").stdout


def test_what_is_typed_differently_the_second_time_is_refused(admin):
    terminal = Terminal(admin, "user", "add", "alice")
    terminal.answer(b"New password: ", PASSWORD.encode() + b"\n")
    terminal.answer(b"The same again: ", b"something else\n")
    assert terminal.finish() == 1
    assert b"differ" in terminal.shown and not admin.users.exists()


def test_an_interrupt_leaves_a_terminal_that_can_be_used(admin):
    terminal = Terminal(admin, "user", "add", "alice")
    terminal.answer(b"New password: ", b"abc\x03\n")
    assert terminal.finish() == 1
    assert b"cancelled" in terminal.shown and not admin.users.exists()


# The running server.

@pytest.fixture
def guarded(admin, start_server):
    """A server with a token, `guarded.token`, and the user alice."""
    token = admin.token("keeper")
    admin.user("alice")
    server = start_server(flags=["--token-file", str(admin.tokens), "--user-file",
                                 str(admin.users)], authorization=f"Bearer {token}")
    server.token = token
    return server


def test_tokens_begin_and_end_while_the_server_runs(admin, guarded):
    client = guarded.client()
    token = admin.token("nightly")
    eventually(lambda: is_let_in(client, token), "the new token is known")
    admin("token", "revoke", "nightly")
    eventually(lambda: not is_let_in(client, token), "the revoked token is not known any more")
    assert is_let_in(client, guarded.token)


def test_a_token_ends_at_its_time(admin, guarded):
    client = guarded.client()
    token = admin.token("brief", "--expires", "5s")
    eventually(lambda: is_let_in(client, token), "the new token is known")
    eventually(lambda: not is_let_in(client, token), "the token has expired")


def test_a_file_that_breaks_while_the_server_runs_changes_nothing(admin, guarded):
    client = guarded.client()
    good = admin.tokens.read_text()
    admin.tokens.write_text("[tokens.oops")
    eventually(lambda: is_let_in(client, guarded.token) and "tokens.toml, line 1" in guarded.log(),
               "the log says what is wrong")
    admin.tokens.unlink()
    assert is_let_in(client, guarded.token)
    admin.tokens.write_text(good)
    token = admin.token("after")
    eventually(lambda: is_let_in(client, token), "the mended file counts")


def test_sessions_end_with_the_user_and_the_password(admin, guarded):
    client = guarded.client()
    _, header = client.authenticate_basic_token("alice", PASSWORD)
    session = header.decode().removeprefix("Bearer ")
    assert is_let_in(client, session)
    admin("user", "passwd", "alice", text="another password\n")
    eventually(lambda: not is_let_in(client, session), "the session ends with the password")
    _, header = client.authenticate_basic_token("alice", "another password")
    session = header.decode().removeprefix("Bearer ")
    admin("user", "remove", "alice")
    eventually(lambda: not is_let_in(client, session), "the session ends with the user")
    with pytest.raises(flight.FlightUnauthenticatedError):
        client.authenticate_basic_token("alice", "another password")


def test_sessions_end_at_their_time(admin, start_server):
    token = admin.token("keeper")
    admin.user("alice")
    server = start_server(flags=["--token-file", str(admin.tokens), "--user-file",
                                 str(admin.users), "--session-lifetime", "2s"],
                          authorization=f"Bearer {token}")
    client = server.client()
    _, header = client.authenticate_basic_token("alice", PASSWORD)
    session = header.decode().removeprefix("Bearer ")
    eventually(lambda: not is_let_in(client, session), "the session ends")


def test_sessions_are_not_good_for_another_server(admin, guarded, start_server):
    other = start_server(flags=["--token-file", str(admin.tokens), "--user-file",
                                str(admin.users)], authorization=f"Bearer {guarded.token}")
    _, header = guarded.client().authenticate_basic_token("alice", PASSWORD)
    assert not is_let_in(other.client(), header.decode().removeprefix("Bearer "))


def test_guessing_is_slowed_and_others_of_the_address_are_not(guarded):
    client = guarded.client()
    _, header = client.authenticate_basic_token("alice", PASSWORD)

    def is_held_up():
        try:
            client.authenticate_basic_token("alice", "wrong password")
        except flight.FlightUnauthenticatedError:
            return False
        except pa.ArrowException as error:
            return "too many failures" in str(error)
        return False

    assert not is_held_up()
    eventually(is_held_up, "guessing is held up")
    assert is_let_in(client, guarded.token)
    assert is_let_in(client, header.decode().removeprefix("Bearer "))
    client.authenticate_basic_token("alice", PASSWORD)


@pytest.mark.parametrize("flag", ["--token-file", "--user-file", "--jwks"])
def test_a_server_does_not_start_with_a_file_that_is_missing_or_wrong(hangar_binary, tmp_path, flag):
    path = tmp_path / "file"
    more = identity_provider.flags(path)[2:] if flag == "--jwks" else []
    for text in (None, "nonsense"):
        if text:
            path.write_text(text)
        done = subprocess.run([hangar_binary, "serve", "--data", tmp_path / "data", "--listen",
                               "grpc://127.0.0.1:0", flag, path, *more], capture_output=True,
                              text=True, timeout=DEADLINE_SECONDS, env=clean_environment())
        assert done.returncode in (1, 2) and "listening" not in done.stdout
        assert str(path) in done.stderr, done.stderr


# Tokens of an identity provider.

def with_another_signature(token):
    """Not changed at its end, where bits of the last character count for nothing."""
    at = token.rindex(".") + 1
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]


def test_a_provider_whose_keys_are_a_file(start_server, tmp_path):
    key, stranger, next_key = SigningKey("k1"), SigningKey("k1"), SigningKey("k2")
    keys = tmp_path / "keys.json"
    keys.write_text(key_set(key))
    token = key.token(sub="alice")
    server = start_server(flags=identity_provider.flags(keys), authorization=f"Bearer {token}")
    client = server.client()
    assert is_let_in(client, token)
    for wrong in (stranger.token(sub="alice"), key.token(sub="alice", aud="other"),
                  key.token(sub="alice", iss="https://evil.example.org"),
                  key.token(sub="alice", exp=int(time.time()) - 3600),
                  key.token(sub="alice", nbf=int(time.time()) + 3600), key.token(),
                  next_key.token(sub="alice"), with_another_signature(token)):
        assert not is_let_in(client, wrong), wrong
    keys.write_text(key_set(key, next_key))
    eventually(lambda: is_let_in(client, next_key.token(sub="alice")), "the new key is known")


def test_a_provider_at_an_address(start_server, authority):
    key = SigningKey("k1")
    token = key.token(sub="alice", groups=["analysts"])
    with IdentityProvider(authority, authority.issue("provider")) as provider:
        provider.body = key_set(key)
        server = start_server(flags=identity_provider.flags(provider.address),
                              environment=provider.environment(),
                              authorization=f"Bearer {token}")
        client = server.client()
        assert is_let_in(client, token)
        for number in range(50):
            assert not is_let_in(client, SigningKey(f"unknown-{number}").token(sub="alice"))
        assert provider.asked <= 2, "unknown keys do not make the server hammer the provider"
    assert is_let_in(client, token), "the keys stay while the provider is away"


def test_a_provider_that_cannot_be_trusted_or_reached_lets_nobody_in(start_server, authority,
                                                                     admin):
    keeper = admin.token("keeper")
    key = SigningKey("k1")
    with IdentityProvider(authority, authority.issue("provider")) as provider:
        provider.body = key_set(key)
        # Its certificate is of nobody that this server trusts.
        server = start_server(flags=[*identity_provider.flags(provider.address), "--token-file",
                                     str(admin.tokens)], authorization=f"Bearer {keeper}")
        client = server.client()
        with pytest.raises(flight.FlightUnavailableError, match="identity provider"):
            list(client.list_flights(options=bearer(key.token(sub="alice"))))
        assert provider.asked == 0
        assert is_let_in(client, keeper), "the other ways in stay open"
        assert "keys cannot be fetched" in server.log()
