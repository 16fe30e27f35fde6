"""Pytest fixtures that start the real server.

A conftest.py puts this folder on sys.path and imports the fixtures. The environment's HANGAR_BINARY
names the program.

    def test_a_table_comes_back(server):
        client = server.client()

Each server has a data folder of its own and a free port. When a test is over its server must still
serve, end with exit code 0 on SIGTERM, and leave nothing in its staging folder.

With HANGAR_TEST_STORE=s3 servers that are given no folder get a part of a bucket instead, at the
server that the environment names, see s3_server.py; tests that are `not_on_s3` are then left out.
"""

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import time

import pyarrow.flight as flight
import pytest

from flight_steps import folder_contents

# How long anything may take before a test fails. Nothing waits for it to pass.
DEADLINE_SECONDS = 60

_ANNOUNCEMENT = "listening on "
ON_S3 = os.environ.get("HANGAR_TEST_STORE") == "s3"
if ON_S3:  # boto3 takes its time to be imported.
    from s3_server import S3Server


def not_on_s3(reason):
    return pytest.mark.skipif(ON_S3, reason=reason)


of_folders = not_on_s3("is about a folder's files")


def eventually(condition, what, deadline_seconds=DEADLINE_SECONDS):
    """Waits until `condition()` is true and returns its value; fails, saying `what`, or what that
    gives when it is called, when it does not become true before the deadline."""
    deadline = time.monotonic() + deadline_seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, (
            f"waited {deadline_seconds} s in vain: {what() if callable(what) else what}")
        time.sleep(0.01)


class Server:
    """A running `hangar serve`."""

    def __init__(self, binary, data, log_path, *, flags=(), environment=None, wrapper=(),
                 listen="grpc://127.0.0.1:0", client_options=None, authorization=None, bucket=None):
        """`wrapper` is a command that ends in running the one given after it, such as setpriv.
        `bucket` is the BucketPart that `data` names, if any.
        `client_options` are what clients need to connect, `tls_root_certs` for example, and
        `authorization` is the header of somebody who may list what there is."""
        # An s3:// URI stays as it is: a path would lose one of its slashes.
        self.data = data if _is_uri(data) else pathlib.Path(data)
        self.bucket = bucket
        self.environment = environment
        self._client_options = client_options or {}
        self._authorization = authorization
        self._log_path = log_path
        self._clients = []
        command = [str(binary), "serve", "--data", str(self.data), "--listen", listen, *flags]
        # A test run that is killed takes its servers with it.
        command = ["setpriv", "--pdeathsig", "KILL", *wrapper, *command]
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=clean_environment(environment))
        try:
            self.first_line = self._read_line()
            assert self.first_line.startswith(_ANNOUNCEMENT), (
                f"expected the listening line, got {self.first_line!r}; log:\n{self.log()}")
        except BaseException:
            self.kill()
            raise
        self.uri = self.first_line.removeprefix(_ANNOUNCEMENT)

    def _read_line(self):
        line = b""
        deadline = time.monotonic() + DEADLINE_SECONDS
        descriptor = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([descriptor], [], [], deadline - time.monotonic())
            assert readable, f"the server did not say where it listens; log:\n{self.log()}"
            byte = os.read(descriptor, 1)
            assert byte, f"the server ended before it listened; log:\n{self.log()}"
            line += byte
        return line.decode().removesuffix("\n")

    def next_uri(self):
        """Where else it listens: the address of the next door, in the order in which it says them."""
        line = self._read_line()
        assert line.startswith(_ANNOUNCEMENT), line
        return line.removeprefix(_ANNOUNCEMENT)

    @property
    def target(self):
        """The address as gRPC spells it."""
        scheme, rest = self.uri.split("://", 1)
        return f"unix:{rest}" if scheme == "grpc+unix" else rest

    @property
    def seen_data(self):
        """The data folder as the server sees it, with the mounts that only it has."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{self.data}")

    def log(self):
        """What the server wrote to standard error so far."""
        return self._log_path.read_text(errors="replace")

    def client(self, **options):
        client = flight.connect(self.uri, **{**self._client_options, **options})
        self._clients.append(client)
        eventually(lambda: _answers(client), "the client gets a connection")
        return client

    def staged(self):
        """The names of all files that are in staging now; on an object store of uploads that were
        begun, too, as far as it is known which part of a bucket that is."""
        if not _is_uri(self.data):
            return _staged_in(self.seen_data)
        return self.bucket.unpublished() if self.bucket else []

    def stored(self, name):
        """The bytes that are stored as a dataset; None when there are none."""
        if self.bucket:
            return self.bucket.get(name) if self.bucket.etag(name) else None
        file = self.data / name
        return file.read_bytes() if file.is_file() else None

    def place(self, name, data):
        """Lets another program store a file among the datasets, or in the place of one of them."""
        if self.bucket:
            self.bucket.put(name, data)
            return
        file = self.data / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (self.data / ".placed").write_bytes(data)
        os.replace(self.data / ".placed", file)

    def remove(self, name):
        """Lets another program remove what is stored as a dataset."""
        if self.bucket:
            self.bucket.delete(name)
        else:
            (self.data / name).unlink()

    def places(self):
        """What clients must never be told of where the datasets are."""
        if self.bucket:
            store = self.bucket.server
            return [self.bucket.prefix, store.endpoint, store.access_key, store.secret_key]
        return [str(self.data), str(self.data.parent)]

    def await_upload(self):
        """Waits until an upload has begun to be stored. An object store shows that of large ones
        alone, so there nothing is waited for."""
        if not self.bucket:
            eventually(self.staged, "the upload has begun")

    def contents(self):
        """All that is stored and kept, with what tells whether it changed."""
        if self.bucket:
            return self.bucket.etags()
        return folder_contents(self.data)

    def thread_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, how=signal.SIGTERM):
        """Asks the server to stop and gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait()

    def wait(self):
        code = self.process.wait(timeout=DEADLINE_SECONDS)
        self.process.stdout.close()
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def close_clients(self):
        while self._clients:
            self._clients.pop().close()

    def check_and_stop(self):
        """What must hold of every server at the end of every test."""
        assert self.process.poll() is None, f"the server died; log:\n{self.log()}"
        headers = [(b"authorization", self._authorization.encode())] if self._authorization else []
        list(self.client().list_flights(options=flight.FlightCallOptions(headers=headers)))
        self.close_clients()
        eventually(lambda: not self.staged(),
                   lambda: f"staging is empty once no upload runs, but for {self.staged()}")
        assert self.stop() == 0, f"log:\n{self.log()}"
        assert _is_uri(self.data) or not _staged_in(self.data)


def _is_uri(data):
    return "://" in str(data)


def _staged_in(folder):
    staging = folder / "_hangar" / "staging"
    return sorted(entry.name for entry in staging.iterdir()) if staging.is_dir() else []


def _answers(client):
    # gRPC connects at the first call and does not try again for that call.
    try:
        return list(client.list_actions())
    except flight.FlightUnavailableError:
        return False


def clean_environment(changes=None):
    """The environment without settings of Hangar, which would change what is tested."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HANGAR_")}
    environment.update(changes or {})
    return environment


class ServerFactory:
    """Starts servers and looks after their ends. See `Server` for the options."""

    def __init__(self, binary, folder):
        self._binary = binary
        self._folder = folder
        self._servers = []

    def __call__(self, data=None, **options):
        number = len(self._servers)
        known = next((server for server in self._servers if server.bucket and server.data == data),
                     None)
        if ON_S3 and (data is None or known):
            part = known.bucket if known else S3Server(os.environ).part(self._folder.name[:60])
            environment = {**part.server.environment(), **(options.pop("environment", None) or {})}
            options |= {"bucket": part, "environment": environment}
            data = part.uri()
        server = Server(self._binary, data or self._folder / f"data-{number}",
                        self._folder / f"log-{number}.txt", **options)
        self._servers.append(server)
        return server

    def finish(self):
        with contextlib.ExitStack() as stack:
            for server in self._servers:
                if server.bucket:
                    stack.callback(server.bucket.clear)
                stack.callback(server.kill)
                stack.callback(server.close_clients)
            for server in self._servers:
                # A test that stopped its server looked at the exit code itself.
                if server.process.returncode is None:
                    server.check_and_stop()


@pytest.fixture(scope="session")
def hangar_binary():
    path = os.environ.get("HANGAR_BINARY")
    if not path:
        pytest.exit("HANGAR_BINARY is not set: give the path of the hangar program", returncode=2)
    if not os.access(path, os.X_OK):
        pytest.exit(f"HANGAR_BINARY is {path}, which is no program", returncode=2)
    return pathlib.Path(path).resolve()


@pytest.fixture
def start_server(hangar_binary, tmp_path):
    """A function that starts servers with options of their own."""
    factory = ServerFactory(hangar_binary, tmp_path)
    yield factory
    factory.finish()


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture(scope="module")
def module_server(hangar_binary, tmp_path_factory):
    """One server for all tests of a module that need no store of their own."""
    factory = ServerFactory(hangar_binary, tmp_path_factory.mktemp("shared"))
    yield factory()
    factory.finish()


@pytest.fixture
def shared_server(module_server):
    """`module_server`, with the connections of each test closed at its end."""
    yield module_server
    module_server.close_clients()
