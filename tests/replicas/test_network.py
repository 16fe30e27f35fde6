"""Three servers on three machines over one bucket, of which one is cut off, hangs or dies."""

import signal

import pyarrow.parquet as pq
import pytest

from flight_steps import get, numbers, put
from hangar_fixtures import DEADLINE_SECONDS
from replica_steps import await_named


@pytest.fixture
def nodes(three_nodes):
    put(three_nodes[0].server.client(), "t.parquet", numbers(1000))
    await_named(three_nodes[0].server.client(), "t.parquet", [node.uri for node in three_nodes])
    return three_nodes


def test_who_is_cut_off_is_left_out_and_knows_that_it_is_alone(nodes):
    a, b, c = nodes
    client = a.server.client()
    b.machine.cut()
    await_named(client, "t.parquet", [a.uri, c.uri])
    put(client, "u.parquet", numbers(10))
    b.machine.join()
    await_named(client, "t.parquet", [a.uri, b.uri, c.uri])
    # What it missed it knows, as it asks the bucket and nobody else.
    assert get(b.server.client(), "u.parquet") == numbers(10)


def test_who_hangs_or_dies_is_left_out(nodes):
    a, b, c = nodes
    client = a.server.client()
    b.server.process.send_signal(signal.SIGSTOP)
    c.server.kill()
    await_named(client, "t.parquet", [a.uri])
    b.server.process.send_signal(signal.SIGCONT)
    await_named(client, "t.parquet", [a.uri, b.uri])


def test_a_program_on_another_machine_reads_from_all_of_them(nodes, client_machine, hangar_binary,
                                                             tmp_path):
    file = tmp_path / "read.parquet"
    done = client_machine.run(
        [hangar_binary, "get", "t.parquet", "--partitions", 8, "--out", file, "--server",
         nodes[0].uri], capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(file) == numbers(1000)
