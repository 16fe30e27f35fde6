"""The policy's file changes while the server runs."""

import os
import pathlib
import re
import signal
import subprocess
import threading

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually

TABLE = pa.table({"id": pa.array(range(200_000)), "secret": pa.array(range(200_000))})
OPEN = '[roles.all]\nmembers = ["authenticated"]\nadmin = ["**"]\n'
NARROW = ('[roles.all]\nmembers = ["authenticated"]\nread = ["**"]\nwrite = ["**"]\n'
          'hide_columns = ["secret"]\n')
SHUT = '[roles.all]\nmembers = ["token:another"]\nread = ["**"]\n'


class Guarded:
    def __init__(self, binary, start_server, folder):
        tokens = folder / "tokens"
        self.policy = folder / "policy.toml"
        self.replace_policy(OPEN)
        self.token = self._make_token(binary, tokens, "somebody")
        self.server = start_server(
            flags=["--token-file", str(tokens), "--policy", str(self.policy)],
            authorization=f"Bearer {self.token}")
        self.client = self.server.client()
        writer, _ = self.client.do_put(flight.FlightDescriptor.for_path("a"), TABLE.schema,
                                       self.options())
        with writer:
            writer.write_table(TABLE)

    @staticmethod
    def _make_token(binary, tokens, name):
        return subprocess.run([binary, "token", "create", "--token-file", tokens, "--name", name],
                              capture_output=True, text=True, check=True,
                              timeout=DEADLINE_SECONDS, env=clean_environment()).stdout.strip()

    def options(self):
        return flight.FlightCallOptions(
            timeout=DEADLINE_SECONDS,
            headers=[(b"authorization", f"Bearer {self.token}".encode())])

    def replace_policy(self, text):
        fresh = self.policy.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self.policy)

    def reload(self):
        self.server.process.send_signal(signal.SIGHUP)

    def columns(self, client=None):
        """What a read gives, or None where it is refused."""
        try:
            read = (client or self.client).do_get(flight.Ticket(b"a"), self.options()).read_all()
        except flight.FlightUnauthorizedError:
            return None
        assert read.num_rows == TABLE.num_rows
        assert read.equals(TABLE.select(read.column_names))
        return read.column_names


@pytest.fixture
def guarded(hangar_binary, start_server, tmp_path):
    return Guarded(hangar_binary, start_server, tmp_path)


def test_a_changed_policy_comes_into_force_by_itself(guarded):
    assert guarded.columns() == ["id", "secret"]
    guarded.replace_policy(NARROW)
    eventually(lambda: guarded.columns() == ["id"], "the policy is seen")
    guarded.replace_policy(SHUT)
    eventually(lambda: guarded.columns() is None, "the policy is seen")
    guarded.replace_policy(OPEN)
    eventually(lambda: guarded.columns() == ["id", "secret"], "the policy is seen")


def test_a_wrong_policy_changes_nothing_and_is_said(guarded):
    guarded.replace_policy(NARROW)
    eventually(lambda: guarded.columns() == ["id"], "the policy is seen")
    for wrong in ('[roles.all]\nreed = ["**"]\n', "[roles", '[roles.a]\nmembers = ["nobody"]\n'):
        before = guarded.server.log().count("stays in force")
        guarded.replace_policy(wrong)
        guarded.reload()
        eventually(lambda: guarded.server.log().count("stays in force") > before, "it is said")
        assert guarded.columns() == ["id"]
    guarded.policy.unlink()
    guarded.reload()
    eventually(lambda: "cannot be read" in guarded.server.log(), "it is said")
    assert guarded.columns() == ["id"]
    guarded.replace_policy(OPEN)


def test_a_server_does_not_start_with_a_wrong_policy(hangar_binary, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text('[roles.a]\nread = "x"\n')
    started = subprocess.run(
        [hangar_binary, "serve", "--data", tmp_path / "data", "--listen", "grpc://127.0.0.1:0",
         "--policy", policy], capture_output=True, text=True, timeout=DEADLINE_SECONDS,
        env=clean_environment())
    assert started.returncode == 1
    assert "line 2" in started.stderr and "'read'" in started.stderr


def test_each_call_goes_by_one_policy_while_it_is_swapped_under_load(guarded):
    stop = threading.Event()
    seen, errors = set(), []

    def read_on():
        client = guarded.server.client()
        try:
            while not stop.is_set():
                columns = guarded.columns(client)
                seen.add(tuple(columns) if columns else None)
        except BaseException as error:  # noqa: BLE001: shown by the test.
            errors.append(error)

    readers = [threading.Thread(target=read_on) for _ in range(4)]
    for reader in readers:
        reader.start()
    expected = {("id", "secret"), ("id",), None}
    rounds = 0
    while not errors and (rounds < 30 or seen < expected):
        guarded.replace_policy([OPEN, NARROW, SHUT][rounds % 3])
        guarded.reload()
        rounds += 1
        eventually(lambda: guarded.server.log().count("read the policy") >= rounds, "it is read")
    stop.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert seen == expected
    guarded.replace_policy(OPEN)
    guarded.reload()
    eventually(lambda: guarded.columns() == ["id", "secret"], "the policy is open again")


def test_the_documents_policy_says_what_they_say_it_does(hangar_binary, tmp_path):
    document = (pathlib.Path(__file__).parents[2] / "docs/security.md").read_text()
    [policy] = re.findall(r"^```toml\n(.*?)^```$", document, re.M | re.S)
    (tmp_path / "policy.toml").write_text(policy)

    def may(*words, **options):
        return subprocess.run(
            [hangar_binary, "access", "explain", "--policy", tmp_path / "policy.toml",
             *(f"--{name}={value}" for name, value in options.items()), *words],
            capture_output=True, text=True, env=clean_environment(),
            timeout=DEADLINE_SECONDS).returncode

    who = {"as": "user:bob"}
    assert may("read", "sales/eu", **who) == 0
    assert may("write", "sales/eu", **who) == 3
    assert may("read", "staging/a", **who) == 3
    assert may("read", "sales/eu", group="analysts", **{"as": "user:ann"}) == 0
    assert may("drop", "staging/tmp/a", **{"as": "user:carol"}) == 0
