"""The command line on a machine of its own before three servers on three machines over one bucket,
of which one dies, hangs or is cut off in the middle of a transfer."""

import signal
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from conftest import FLIGHT_PORT, as_peers
from hangar_fixtures import DEADLINE_SECONDS, clean_environment, eventually
from flight_steps import put

ROWS = 2_000_000
NAME = "big.parquet"

WAYS_TO_FAIL = {"killed": lambda node: node.server.kill(),
                "paused": lambda node: node.server.process.send_signal(signal.SIGSTOP),
                "cut off": lambda node: node.machine.cut()}


def recover(node, way):
    if way == "paused":
        node.server.process.send_signal(signal.SIGCONT)
    if way == "cut off":
        node.machine.join()


@pytest.fixture(scope="module")
def table():
    """Rows that tell where they stand, and do not compress."""
    random = np.random.default_rng(7)
    return pa.table({"at": pa.array(np.arange(ROWS)),
                     "noise": pa.array(random.integers(0, 2**63, ROWS))})


@pytest.fixture
def nodes(network, start_node):
    """Slow ones, so that a transfer takes a second at least."""
    machines = [network.machine() for _ in range(3)]
    uris = [machine.uri_of(FLIGHT_PORT) for machine in machines]
    return [start_node(machine, ["--grace", "0s", "--max-caller-bytes-per-second", "6MiB",
                                 *as_peers(uri, uris)])
            for machine, uri in zip(machines, uris)]


class ClientMachine:
    """Runs the command line against all nodes, in a folder of its own."""

    def __init__(self, machine, binary, folder, nodes):
        self._machine, self._binary = machine, binary
        self.folder = folder
        self._environment = clean_environment({
            "HANGAR_SERVER": ",".join(node.uri for node in nodes),
            "XDG_CONFIG_HOME": str(folder / "config")})

    def start(self, *arguments):
        return self._machine.popen([str(self._binary), *map(str, arguments)], cwd=self.folder,
                                   env=self._environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)

    def __call__(self, *arguments):
        return self.ended(self.start(*arguments))

    @staticmethod
    def ended(process):
        output, errors = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 0, errors
        return output


@pytest.fixture
def hangar(client_machine, hangar_binary, tmp_path, nodes):
    folder = tmp_path / "work"
    folder.mkdir()
    return ClientMachine(client_machine, hangar_binary, folder, nodes)


def arrow_file(path):
    with pa.memory_map(str(path)) as file:
        return ipc.open_file(file).read_all()


def received(machine):
    """How many bytes have come to a machine."""
    lines = machine.run(["cat", "/proc/net/dev"], capture_output=True, text=True).stdout
    fields = [line.split() for line in lines.splitlines()[2:]]
    return sum(int(field[1]) for field in fields if field[0] != "lo:")


@pytest.mark.parametrize("partitions", [1, 8])
@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_a_read_goes_on_with_exactly_the_right_rows(nodes, hangar, table, way, partitions):
    put(nodes[1].server.client(), NAME, table)
    process = hangar.start("get", NAME, "-o", "out.arrow", "--partitions", partitions)

    def has_begun():
        assert process.poll() is None, process.communicate()
        parts = list(hangar.folder.glob(".out.arrow.*.part"))
        return parts and parts[0].stat().st_size > 1 << 20

    eventually(has_begun, "a part of it has come")
    WAYS_TO_FAIL[way](nodes[0])
    hangar.ended(process)
    recover(nodes[0], way)
    read = arrow_file(hangar.folder / "out.arrow")
    assert read.num_rows == ROWS
    assert read.equals(table)


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_an_upload_is_stored_once(nodes, hangar, table, way):
    file = hangar.folder / NAME
    pq.write_table(table, file, row_group_size=200_000, compression="none", use_dictionary=False)
    before = received(nodes[0].machine)
    process = hangar.start("put", NAME, file, "--mode", "create", "--output", "json")
    eventually(lambda: received(nodes[0].machine) > before + (4 << 20), "a part of it was sent")
    assert process.poll() is None, process.communicate()
    WAYS_TO_FAIL[way](nodes[0])
    hangar.ended(process)
    recover(nodes[0], way)
    assert len(hangar("versions", NAME, "--output", "json").splitlines()) == 1
    hangar("get", NAME, "-o", "back.parquet", "-q")
    assert (hangar.folder / "back.parquet").read_bytes() == file.read_bytes()
