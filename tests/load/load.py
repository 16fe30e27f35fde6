"""What load tests share: how much to do, data to move, and what a server holds."""

import os
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight

LONG = os.environ.get("HANGAR_FAULT") == "long"


def amount(short, long):
    """How many of something the test does: `short` unless HANGAR_FAULT=long."""
    return long if LONG else short


def seed():
    """What random choices of a test begin with: new each time, said, and given back by
    HANGAR_SEED."""
    chosen = int(os.environ.get("HANGAR_SEED") or int.from_bytes(os.urandom(4)))
    print(f"HANGAR_SEED={chosen}")
    return chosen


def numbers(megabytes, seed=1):
    """A table of about that many megabytes of Arrow, incompressible."""
    rows = megabytes * (1 << 20) // 16
    random = np.random.default_rng(seed)
    return pa.table({"id": pa.array(range(rows)), "x": random.random(rows)})


def put(client, name, table):
    writer, _ = client.do_put(flight.FlightDescriptor.for_path(name), table.schema)
    with writer:
        writer.write_table(table, max_chunksize=1 << 16)


def get(client, name):
    return client.do_get(flight.Ticket(name)).read_all()


def resident_bytes(server):
    """What the server's process holds in memory now."""
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the process has no VmRSS")


def open_files(server, name):
    """How often the server has the dataset's file open."""
    count = 0
    for entry in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir():
        try:
            count += os.readlink(entry) == str(server.data / name)
        except FileNotFoundError:
            pass  # Closed meanwhile.
    return count
