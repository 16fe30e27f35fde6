"""The operations that the tests of single system calls try, and a server to try them on.

What is stored is described as a dictionary from names to contents, which are tables: an operation
takes the store from one to another. Calls go through gRPC, which shows the status codes.
"""

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import shutil
import signal
from collections.abc import Callable

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq

import flight_steps
from hangar_fixtures import eventually
from raw_flight import (
    RawFlight, action_message, assert_fit_for_clients, bytes_field, command_descriptor,
    ipc_messages, parse, path_descriptor, ticket_message)
from syscall_shim import SyscallShim

ROW_GROUP_ROWS = 2000


def content(seed, rows=5000):
    """A table that compresses badly, whose rows follow from the numbers."""
    random = np.random.default_rng([seed, rows])
    text = [f"{value:x}" for value in random.integers(0, 2**62, rows)]
    return pa.table({"number": random.integers(0, 2**62, rows),
                     "text": pa.array(text, pa.string())})


@dataclasses.dataclass(frozen=True)
class Failure:
    code: grpc.StatusCode
    sentence: str


@dataclasses.dataclass(frozen=True)
class Operation:
    """`run(bench)` takes the store from `before` to `after`; it raises grpc.RpcError, or returns
    what a read gave, which is then `gives`."""

    name: str
    before: dict
    after: dict
    run: Callable
    prepare: Callable = lambda bench: None
    gives: object = None
    # What a power loss may show beside `before` and `after`, where entries of two folders change.
    between: tuple = ()
    # The name whose version in `before` is to be kept as a past one.
    retires: str | None = None

    def __str__(self):
        return self.name


class Bench:
    """A server with the shim under it, one after the other over the same data folder."""

    def __init__(self, start_server, folder):
        build = pathlib.Path(os.environ["HANGAR_BUILD"])
        self.library = build / "tests/fault/hangar_syscall_shim.so"
        assert self.library.exists(), f"{self.library} is missing; build hangar_syscall_shim"
        self.data = folder / "data"
        self.data.mkdir()
        self.shim = SyscallShim(self.library, folder, self.data)
        self._start_server = start_server
        self.server = self.raw = self.client = None

    def start(self):
        self.server = self._start_server(data=self.data, wrapper=self.shim.wrapper,
                                         flags=["--cache-memory", "0"])
        self._idle_descriptors = self._descriptors()
        self.client = self.server.client()
        self.raw = RawFlight(self.server)

    def leave(self):
        """Closes the connections."""
        self.raw.__exit__()
        self.server.close_clients()

    def stop(self):
        self.leave()
        assert self.server.stop() == 0, self.server.log()

    def restart_after_kill(self):
        """Waits for the server that is being killed, and starts the next one."""
        self.leave()
        assert self.server.wait() == -signal.SIGKILL, self.server.log()
        self.start()

    # ---- operations, as bytes

    def put(self, name, table, **keys):
        command = json.dumps({"dataset": name, "row_group_rows": ROW_GROUP_ROWS, **keys})
        self.raw.put(command_descriptor(command),
                     ipc_messages(table.to_batches(1000), table.schema))

    def put_file(self, name, table, **keys):
        """Puts a Parquet file, which is to be stored byte for byte."""
        command = json.dumps({"dataset": name, "format": "parquet", **keys})
        blocks = file_blocks(table)
        self.raw.put(command_descriptor(command), ipc_messages(blocks.to_batches(), blocks.schema))

    def act(self, kind, body):
        body = body if isinstance(body, str) else json.dumps(body)
        return list(self.raw.stream("DoAction", action_message(kind, body)))

    def rows(self, name):
        return decode(self.raw.stream("DoGet", ticket_message(name)))

    def file_rows(self, name):
        """The rows of the stored file itself, as it comes over the wire."""
        command = json.dumps({"dataset": name, "format": "parquet"})
        found = flight.FlightInfo.deserialize(self.raw.get_info(command_descriptor(command)))
        blocks = decode(self.raw.stream("DoGet", bytes_field(1, found.endpoints[0].ticket.ticket)))
        return pq.read_table(io.BytesIO(b"".join(blocks["parquet"].to_pylist())))

    def described(self, name):
        """The row count that GetFlightInfo tells."""
        found = flight.FlightInfo.deserialize(self.raw.get_info(path_descriptor(name)))
        return found.total_records

    def listed(self):
        return [flight.FlightInfo.deserialize(item).descriptor.path[0].decode()
                for item in self.raw.stream("ListFlights", b"")]

    def version(self, name):
        return flight_steps.version(self.client, name)

    def versions(self, name):
        """The current version, if there is one, and those that are kept of the past."""
        current, past = None, []
        with contextlib.suppress(KeyError):  # What pyarrow makes of NOT_FOUND.
            for body in flight_steps.act(self.client, "list_versions", name):
                described = json.loads(body)
                if described["current"]:
                    current = described["version"]
                else:
                    past.append(described["version"])
        return current, past

    def files(self, names):
        """What tells the file of each name from every other one that was or will be there."""
        states = {name: (self.data / name).stat() for name in names}
        return {name: (state.st_ino, state.st_mtime_ns, state.st_size)
                for name, state in states.items()}

    def make_cold(self, name):
        """Lets what the server remembers of a file be of no use: it is another file afterwards."""
        file = self.data / name
        copy = file.with_name(".copy")
        shutil.copyfile(file, copy)
        copy.rename(file)

    # ---- states

    def state(self):
        """All datasets that are listed, with the rows that reads of them give."""
        return {name: self.rows(name) for name in self.listed()}

    def bring(self, wanted):
        """Makes the store hold exactly this, without a past, so that the next operation makes the
        folders of its history again."""
        for name in self.listed():
            if name not in wanted:
                self.act("drop_dataset", name)
        present = set(self.listed())
        for name, table in wanted.items():
            if name not in present or self.rows(name) != table:
                self.put(name, table)
        shutil.rmtree(self.data / "_hangar" / "history", ignore_errors=True)

    def attempt(self, operation):
        """Runs it. Gives what it gave, or the Failure."""
        try:
            return operation.run(self)
        except grpc.RpcError as error:
            return Failure(error.code(), error.details())

    def check_alive(self):
        assert self.server.process.poll() is None, f"the server died; log:\n{self.server.log()}"

    def count_calls(self, operation):
        """How many calls of each kind the operation makes when all goes well, closes included."""
        self.bring(operation.before)
        operation.prepare(self)
        with self.shim.counting() as counts:
            assert not isinstance(result := self.attempt(operation), Failure), result
            eventually(lambda: self._descriptors() <= self._idle_descriptors,
                       "the server closes what the operation opened")
        return counts

    def _descriptors(self):
        """How many files and folders of the data folder the server has open."""
        links = []
        for entry in os.scandir(f"/proc/{self.server.process.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(entry.path))
        return sum(f"{link}/".startswith(f"{self.data}/") for link in links)


def file_blocks(table):
    """A Parquet file of the table, as Flight carries files: some bytes a batch."""
    written = io.BytesIO()
    pq.write_table(table, written, row_group_size=ROW_GROUP_ROWS)
    data = written.getvalue()
    blocks = [pa.record_batch({"parquet": pa.array([data[at:at + 16_384]], pa.binary())})
              for at in range(0, len(data), 16_384)]
    return pa.Table.from_batches(blocks)


def decode(messages):
    """The table of the FlightData messages of a DoGet."""
    stream = b""
    for message in messages:
        fields = parse(message)
        header = fields.get(2, [b""])[0]
        header += bytes(-len(header) % 8)
        stream += b"\xff\xff\xff\xff" + len(header).to_bytes(4, "little") + header
        stream += fields.get(1000, [b""])[0]
    return pa.ipc.open_stream(stream).read_all()


def assert_says_it_well(server, sentence):
    """Fit for clients, and in words of its own."""
    assert_fit_for_clients(server, sentence)
    for text in ("Errno", "Input/output", "No space left", "Permission denied", "Interrupted",
                 "EIO", "ENOSPC", "EACCES", "EINTR", "EROFS", "ENOMEM", "EDQUOT", "EMFILE",
                 "ENOLCK", "EPERM"):
        assert text not in sentence, sentence


def _rename(source, target, **keys):
    return lambda bench: bench.act("rename_dataset", {"from": source, "to": target, **keys})


def _make_empty_folder(bench):
    (bench.data / "f.parquet").mkdir(exist_ok=True)


def _replace(bench, name, old, new):
    bench.put(name, old)
    bench.wanted_version = bench.version(name)
    bench.put(name, new)


def _put_and_drop(bench, name, table):
    bench.put(name, table)
    bench.act("drop_dataset", name)


def operations(seed=0, rows=5000):
    """One of each kind. `other` is there all the time and must never change."""
    old, new, other = (content(3 * seed + number, rows) for number in range(3))
    base = {"other.parquet": other}

    def cold(bench):
        bench.make_cold("a/r.parquet")

    read = {"before": base | {"a/r.parquet": old}, "after": base | {"a/r.parquet": old},
            "prepare": cold}
    return [
        Operation("put_new", base, base | {"n/e/w.parquet": new},
                  lambda bench: bench.put("n/e/w.parquet", new)),
        Operation("put_replace", base | {"x/r.parquet": old}, base | {"x/r.parquet": new},
                  lambda bench: bench.put("x/r.parquet", new), retires="x/r.parquet"),
        Operation("put_if_version", base | {"v.parquet": old}, base | {"v.parquet": new},
                  lambda bench: bench.put("v.parquet", new, if_version=bench.wanted_version),
                  prepare=lambda bench: setattr(bench, "wanted_version",
                                                bench.version("v.parquet"))),
        Operation("put_create", base, base | {"c.parquet": new},
                  lambda bench: bench.put("c.parquet", new, mode="create")),
        Operation("put_file", base | {"p.parquet": old}, base | {"p.parquet": new},
                  lambda bench: bench.put_file("p.parquet", new), retires="p.parquet"),
        Operation("put_over_empty_folder", base, base | {"f.parquet": new},
                  lambda bench: bench.put("f.parquet", new), prepare=_make_empty_folder),
        Operation("drop", base | {"d/d.parquet": old}, base,
                  lambda bench: bench.act("drop_dataset", "d/d.parquet"), retires="d/d.parquet"),
        Operation("rename", base | {"r/a.parquet": old}, base | {"s/t/b.parquet": old},
                  _rename("r/a.parquet", "s/t/b.parquet"),
                  between=(base | {"r/a.parquet": old, "s/t/b.parquet": old},)),
        Operation("rename_in_folder", base | {"r/a.parquet": old}, base | {"r/b.parquet": old},
                  _rename("r/a.parquet", "r/b.parquet"),
                  between=(base | {"r/a.parquet": old, "r/b.parquet": old},)),
        Operation("rename_onto", base | {"r/a.parquet": new, "s/b.parquet": old},
                  base | {"s/b.parquet": new},
                  _rename("r/a.parquet", "s/b.parquet", overwrite=True), retires="s/b.parquet",
                  between=(base | {"r/a.parquet": new, "s/b.parquet": new},)),
        Operation("restore", base | {"h/h.parquet": new}, base | {"h/h.parquet": old},
                  lambda bench: bench.act("restore_dataset", {
                      "dataset": "h/h.parquet", "version": bench.wanted_version}),
                  prepare=lambda bench: _replace(bench, "h/h.parquet", old, new),
                  retires="h/h.parquet"),
        Operation("undrop", base, base | {"u/u.parquet": old},
                  lambda bench: bench.act("undrop_dataset", "u/u.parquet"),
                  prepare=lambda bench: _put_and_drop(bench, "u/u.parquet", old)),
        Operation("get", run=lambda bench: bench.rows("a/r.parquet"), gives=old, **read),
        Operation("get_file", run=lambda bench: bench.file_rows("a/r.parquet"), gives=old, **read),
        Operation("info", run=lambda bench: bench.described("a/r.parquet"), gives=rows, **read),
        Operation("list", run=lambda bench: bench.listed(),
                  gives=["a/r.parquet", "other.parquet"], **read),
    ]
