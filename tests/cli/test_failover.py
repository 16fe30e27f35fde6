"""The command line before several servers over one folder, of which some fail."""

import contextlib
import json
import signal
import socket
import subprocess
import threading

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from conftest import CommandLine
from hangar_fixtures import DEADLINE_SECONDS, eventually

ROWS = 4_000_000
PER_SECOND = "24MiB"  # Of each server, so that a transfer of ROWS takes a second at least.
SLOW = ("--max-caller-bytes-per-second", PER_SECOND)
NOBODY = "grpc+unix:///no-such-folder/nobody"


def rows(count):
    """Rows that tell where they stand, and do not compress."""
    random = np.random.default_rng(7)
    return pa.table({"at": pa.array(np.arange(count)),
                     "noise": pa.array(random.integers(0, 2**63, count))})


@pytest.fixture(scope="module")
def table():
    return rows(ROWS)


@pytest.fixture(scope="module")
def parquet(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "big.parquet"
    pq.write_table(table, path, row_group_size=500_000, compression="none", use_dictionary=False)
    return path


class Cluster:
    """Servers over one folder, and a command line that names them all."""

    def __init__(self, binary, start, folder, count, flags):
        self._start, self._flags = start, flags
        self.data = folder / "shared"
        self.servers = [start(data=self.data, flags=flags) for _ in range(count)]
        work = folder / "work"
        work.mkdir()
        self.hangar = CommandLine(binary, ",".join(self.uris), work)

    @property
    def uris(self):
        return [server.uri for server in self.servers]

    def restart(self, index):
        """Begins the server of this number anew at the same address."""
        self.servers[index] = self._start(data=self.data, flags=self._flags,
                                          listen=self.uris[index])

    def notice(self, failed, next_one):
        return f"hangar: {self.uris[failed]} does not answer; going on at {self.uris[next_one]}\n"


@pytest.fixture
def cluster(hangar_binary, start_server, tmp_path):
    return lambda count=2, flags=(): Cluster(hangar_binary, start_server, tmp_path, count, flags)


@contextlib.contextmanager
def in_the_middle(hangar, *arguments):
    """A `hangar get` to the file "out" that has begun to write it; of 8 partitions the others come
    at the same time."""
    process = hangar.start("get", "big.parquet", "-o", "out", *arguments, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)

    def written():
        assert process.poll() is None, process.communicate()
        parts = list(hangar.folder.glob(".out.*.part"))
        return parts and parts[0].stat().st_size > 1 << 20

    try:
        eventually(written, "a part of it has come")
        yield process
    finally:
        process.kill()


def ended(process):
    """Standard error of a process that has to succeed."""
    _, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, errors
    return errors


def arrow_file(path):
    with pa.memory_map(str(path)) as file:
        return ipc.open_file(file).read_all()


WAYS_TO_END = {"killed": lambda server: server.kill(),
               "stopped": lambda server: server.stop(),
               "paused": lambda server: server.process.send_signal(signal.SIGSTOP)}


@pytest.mark.parametrize("way", WAYS_TO_END)
@pytest.mark.parametrize("partitions", [1, 8])
def test_rows_go_on_at_another_server(cluster, table, parquet, way, partitions):
    servers = cluster(flags=(*SLOW, "--grace", "0s"))
    servers.hangar("put", "big.parquet", parquet)
    with in_the_middle(servers.hangar, "--format", "arrow", "--partitions", partitions) as process:
        WAYS_TO_END[way](servers.servers[0])
        errors = ended(process)
    if way == "paused":
        servers.servers[0].process.send_signal(signal.SIGCONT)
    assert arrow_file(servers.hangar.folder / "out").equals(table)
    assert errors == servers.notice(0, 1)


@pytest.mark.parametrize("partitions", [1, 8])
def test_files_go_on_at_another_server(cluster, parquet, partitions):
    servers = cluster(flags=SLOW)
    servers.hangar("put", "big.parquet", parquet)
    with in_the_middle(servers.hangar, "--format", "parquet", "--partitions",
                       partitions) as process:
        servers.servers[0].kill()
        errors = ended(process)
    assert (servers.hangar.folder / "out").read_bytes() == parquet.read_bytes()
    assert errors == servers.notice(0, 1)


def test_a_read_that_loses_its_last_server_says_so_and_leaves_nothing(cluster, parquet):
    servers = cluster(flags=SLOW)
    servers.hangar("put", "big.parquet", parquet)
    with in_the_middle(servers.hangar, "--format", "arrow", "-q") as process:
        for server in servers.servers:
            server.kill()
        _, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1
    assert "cannot reach" in errors and "broke off after" in errors, errors
    assert list(servers.hangar.folder.iterdir()) == []


def versions(hangar, name):
    return [entry["version"] for entry in hangar.json("versions", name)]


@pytest.mark.parametrize("name", ["big.parquet", "big.arrow"])
def test_uploads_begin_again_at_another_server(cluster, table, parquet, name):
    servers = cluster(flags=SLOW)
    folder = servers.hangar.folder
    file = parquet if name == "big.parquet" else folder / name
    if name == "big.arrow":
        with ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=65_536)
    process = servers.hangar.start("put", name, file, "--mode", "create", stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
    staging = servers.data / "_hangar" / "staging"
    eventually(lambda: sum(entry.stat().st_size for entry in staging.rglob("*")
                           if entry.is_file()) > 4 << 20, "a part of it has come")
    servers.servers[0].kill()
    assert ended(process) == servers.notice(0, 1)
    assert len(versions(servers.hangar, name)) == 1
    servers.hangar("get", name, "-o", "back.arrow", "-q")
    assert arrow_file(folder / "back.arrow").equals(table)
    servers.restart(0)  # It removes what it had begun.


def test_an_upload_that_hears_nothing_any_more_begins_again(cluster, table, parquet):
    servers = cluster(flags=SLOW)
    process = servers.hangar.start("put", "big.parquet", parquet, stderr=subprocess.PIPE, text=True,
                                   stdout=subprocess.DEVNULL)
    staging = servers.data / "_hangar" / "staging"
    eventually(lambda: any(entry.stat().st_size for entry in staging.rglob("*")
                           if entry.is_file()), "a part of it has come")
    servers.servers[0].process.send_signal(signal.SIGSTOP)
    errors = ended(process)
    servers.servers[0].process.send_signal(signal.SIGCONT)
    assert errors == servers.notice(0, 1)
    assert len(versions(servers.hangar, "big.parquet")) == 1


def test_a_sync_goes_on_at_another_server(cluster, parquet):
    servers = cluster(flags=SLOW)
    hangar, folder = servers.hangar, servers.hangar.folder / "exports"
    folder.mkdir()
    names = [f"{number}.parquet" for number in range(4)]
    for name in names:
        (folder / name).write_bytes(parquet.read_bytes())
    process = hangar.start("sync", "./exports", "copies", "-q", stderr=subprocess.PIPE, text=True)
    staging = servers.data / "_hangar" / "staging"
    eventually(lambda: any(entry.stat().st_size for entry in staging.rglob("*")
                           if entry.is_file()), "a part of it has come")
    servers.servers[0].kill()
    assert ended(process) == ""
    for name in names:
        assert (servers.data / "copies" / name).read_bytes() == parquet.read_bytes()
        assert len(versions(hangar, f"copies/{name}")) == 1
    servers.restart(0)


def test_a_profile_may_hold_several_servers(cluster):
    servers = cluster()
    hangar = servers.hangar
    several = f"{NOBODY},{servers.uris[1]}"
    assert hangar.lines("login", "--profile", "both", "--server", several) == [
        f"profile both is {several}, stored in {hangar.folder.parent}/config/hangar/config.toml"]
    assert hangar("ls", "--profile", "both").stderr == (
        f"hangar: {NOBODY} does not answer; going on at {servers.uris[1]}\n")


class Gate:
    """Passes connections on to a server; after `quiet_after` bytes of a client the server's answers
    are kept back, and `close` ends all connections."""

    def __init__(self, uri, quiet_after):
        host, port = uri.removeprefix("grpc://").split(":")
        self._server, self._quiet_after = (host, int(port)), quiet_after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.uri = f"grpc://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                sent = [0]
                for pump in (self._upward, self._downward):
                    threading.Thread(target=pump, args=(client, server, sent), daemon=True).start()

    def _upward(self, client, server, sent):
        with contextlib.suppress(OSError):
            while piece := client.recv(1 << 16):
                sent[0] += len(piece)
                server.sendall(piece)

    def _downward(self, client, server, sent):
        with contextlib.suppress(OSError):
            while piece := server.recv(1 << 16):
                if sent[0] < self._quiet_after:
                    client.sendall(piece)

    def close(self):
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
@pytest.mark.parametrize("how", ["create", "if-version", "overwrite"])
def test_an_upload_whose_answer_is_lost_is_stored_once(cluster, tmp_path, kind, how):
    servers = cluster()
    small = rows(1_000)  # 16 kB, which need no window of the server's.
    file = tmp_path / f"small.{kind}"
    if kind == "parquet":
        pq.write_table(small, file)
    else:
        with ipc.new_file(file, small.schema) as writer:
            writer.write_table(small)
    hangar, before = servers.hangar, []
    if how != "create":
        (tmp_path / "other.csv").write_text("x\n1\n")
        hangar("put", "a", tmp_path / "other.csv")
        before = versions(hangar, "a")
    flags = {"create": ["--mode", "create"], "if-version": ["--if-version", *before[:1]],
             "overwrite": []}[how]
    gate = Gate(servers.uris[0], quiet_after=8_000)
    try:
        process = hangar.start("put", "a", file, *flags, "--output", "json",
                               "--server", f"{gate.uri},{servers.uris[1]}",
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        eventually(lambda: (servers.data / "a").exists() and versions(hangar, "a") != before,
                   "it is stored")
        assert process.poll() is None
    finally:
        gate.close()
    output, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, errors) == (0, "")
    answer = json.loads(output)
    assert answer["rows"] == 1_000 and "repeated" not in answer
    assert versions(hangar, "a") == [answer["version"], *before]
    hangar("get", "a", "-o", "back.arrow")
    assert arrow_file(hangar.folder / "back.arrow").equals(small)


def test_standard_input_cannot_be_sent_again_and_the_error_says_so(cluster, table):
    servers = cluster(flags=SLOW)
    process = servers.hangar.start("put", "a", "-", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    writer = ipc.new_stream(process.stdin, table.schema)
    writer.write_table(table.slice(0, 500_000), max_chunksize=65_536)
    servers.servers[0].kill()
    with contextlib.suppress(OSError):
        writer.write_table(table, max_chunksize=65_536)
        writer.close()
    with contextlib.suppress(OSError):
        process.stdin.close()
    errors = process.stderr.read().decode()
    assert process.wait(timeout=DEADLINE_SECONDS) == 1
    assert "no other server was tried" in errors and "file" in errors, errors
    assert servers.hangar.json("ls") == []
    servers.restart(0)


def test_commands_pass_over_a_server_that_is_not_there(cluster, tmp_path):
    servers = cluster()
    hangar = servers.hangar
    (tmp_path / "a.csv").write_text("x\n1\n2\n")
    notice = f"hangar: {NOBODY} does not answer; going on at {servers.uris[1]}\n"
    server = ("--server", f"{NOBODY},{servers.uris[1]},{servers.uris[0]}")
    for command in (["put", "a", tmp_path / "a.csv"], ["ls"], ["info", "a"], ["schema", "a"],
                    ["head", "a"], ["versions", "a"], ["get", "a", "-o", "a.arrow"], ["check"],
                    ["actions"], ["mv", "a", "b"], ["rm", "b"], ["trash"], ["undrop", "b"]):
        assert hangar(*command, *server).stderr == notice, command
    for command in (["ls", "--output", "json"], ["rm", "-q", "b"]):
        assert hangar(*command, *server).stderr == "", command


def test_a_check_goes_on_at_another_server_and_tells_each_dataset_once(cluster):
    servers = cluster(flags=("--grace", "0s"))
    names = sorted(f"{number}.parquet" for number in range(500))
    for name in names:
        pq.write_table(pa.table({"x": [1]}), servers.data / name)
    process = servers.hangar.start("check", "--output", "json", stdout=subprocess.PIPE, text=True)
    told = [process.stdout.readline()]
    servers.servers[0].stop()
    told += process.stdout
    assert process.wait(timeout=DEADLINE_SECONDS) == 0
    assert [json.loads(line)["dataset"] for line in told] == names


def test_a_wrong_list_of_servers_is_refused(cluster):
    hangar = cluster(1).hangar
    for servers, said in (("grpc://a:1,", "is not the address of a server"),
                          ("grpc://a:1,b:2", "is not the address of a server"),
                          ("grpc://a:1,grpc://a:1", "is named twice")):
        assert said in hangar.fails("ls", "--server", servers)
    assert hangar.fails("ls", "-q", "--server", f"{NOBODY},{NOBODY}x").startswith(
        "none of the 2 servers answers: cannot reach ")


def test_a_rolling_restart_fails_no_call(cluster, tmp_path):
    servers = cluster(3)
    (tmp_path / "a.csv").write_text("x\n" + "\n".join(map(str, range(1_000))))
    servers.hangar("put", "seed", tmp_path / "a.csv")
    stop, failures, counts = threading.Event(), [], [0, 0, 0, 0]

    def work(number):
        # Each begins at another server.
        uris = servers.uris[number % 3:] + servers.uris[:number % 3]
        server = ("--server", ",".join(uris), "-q")
        try:
            while not stop.is_set():
                servers.hangar("put", f"t{number}", tmp_path / "a.csv", *server)
                for name in ("seed", f"t{number}"):
                    done = servers.hangar("get", name, "-o", "-", "--format", "csv", *server)
                    assert len(done.stdout.splitlines()) == 1_001
                servers.hangar("rm", f"t{number}", *server)
                counts[number] += 1
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    for index in range(3):
        before = list(counts)
        eventually(lambda: failures or all(now > then for now, then in zip(counts, before)),
                   "all have done something")
        assert servers.servers[index].stop() == 0
        before = list(counts)
        eventually(lambda: failures or all(now > then for now, then in zip(counts, before)),
                   "all have done something without it")
        servers.restart(index)
    stop.set()
    for thread in threads:
        thread.join(timeout=DEADLINE_SECONDS)
    assert not failures, failures[0]
