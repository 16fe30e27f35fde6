"""A disk that fills up at every part of a file: a clear error, nothing lost, nothing left."""

import os
import random
import subprocess
import sys
import threading

import pyarrow as pa
import pytest

import private_mount
from dataset_model import Content, Violation, observe
from flight_steps import act, command, finish, get
from hangar_fixtures import DEADLINE_SECONDS, eventually

LONG = os.environ.get("HANGAR_FAULT") == "long"
LEVELS = 100 if LONG else 10

# Blocks of a tmpfs, which is what the space of one is counted in.
BLOCK_BYTES = 4096
KEPT = "kept.parquet"
OLD = "old.parquet"
NEW = "folder/new.parquet"


@pytest.fixture
def small_disk(start_server, tmp_path):
    mount = [sys.executable, private_mount.__file__]
    probe = subprocess.run([*mount, "probe"], capture_output=True, timeout=DEADLINE_SECONDS)
    if probe.returncode != 0:
        pytest.skip("this system lets this user mount nothing")
    data = tmp_path / "small"
    data.mkdir()
    return start_server(data=data, wrapper=[*mount, "tmpfs", str(data), "size=64m"])


def _free_bytes(server):
    space = os.statvfs(server.seen_data)
    return space.f_bavail * space.f_frsize


class _Filler:
    """A file beside the datasets that takes all space but so many bytes."""

    def __init__(self, server):
        self._server = server
        self._file = server.seen_data / ".filler"

    def leave(self, free_bytes):
        self.remove()
        with open(self._file, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, _free_bytes(self._server) - free_bytes)

    def remove(self):
        self._file.unlink(missing_ok=True)


def _upload(client, name, content):
    table = content.table()
    writer, replies = client.do_put(command(name, row_group_rows=content.row_group_rows),
                                    table.schema)
    writer.write_table(table, max_chunksize=1000)
    return finish(writer, replies)


class _Reader(threading.Thread):
    """Reads one dataset again and again; `finish` gives how often, and raises what went wrong."""

    def __init__(self, client, content):
        super().__init__(daemon=True)
        self._client, self._content = client, content
        self._done, self._reads, self._error = threading.Event(), 0, None
        self.start()

    def run(self):
        try:
            while not self._done.is_set():
                if Content.of(get(self._client, KEPT)) != self._content:
                    raise Violation("other rows than those that were put")
                self._reads += 1
        except Exception as error:  # raised by finish
            self._error = error

    def finish(self):
        self._done.set()
        self.join(timeout=DEADLINE_SECONDS)
        if self._error is not None:
            raise self._error
        return self._reads


def _levels(stored_bytes, random_source):
    """How much space to leave: from none over each part of the file to a little more than enough,
    with the last blocks, where the footer is, among them."""
    enough = -(-stored_bytes // BLOCK_BYTES)
    ends = [0, 1, enough - 1, enough, enough + 4]
    between = random_source.sample(range(2, enough - 1), LEVELS - len(ends))
    return [blocks * BLOCK_BYTES for blocks in sorted(ends + between)]


def _contents(client):
    return {name: content for name, (_, content) in observe(client, []).items()}


def test_an_upload_that_fills_the_disk_anywhere_fails_and_changes_nothing(
        small_disk, seed, tally):
    random_source = random.Random(seed)
    client, filler = small_disk.client(), _Filler(small_disk)
    here = {KEPT: Content(random_source.getrandbits(60), 10_000, 2000),
            OLD: Content(random_source.getrandbits(60), 3000, 1000)}
    for name, content in here.items():
        _upload(client, name, content)
    upload = Content(random_source.getrandbits(60), 40_000, 5000)
    stored_bytes = _upload(client, NEW, upload)["bytes"]
    act(client, "drop_dataset", NEW)
    reader = _Reader(small_disk.client(), here[KEPT])
    for free_bytes in _levels(stored_bytes, random_source):
        for name in (OLD, NEW):
            filler.leave(free_bytes)
            try:
                _upload(client, name, upload)
            except pa.ArrowCapacityError as error:
                assert "disk is full" in str(error)
                tally["uploads that were refused"] += 1
                # To the last byte: what was staged is gone.
                eventually(lambda: _free_bytes(small_disk) >= free_bytes, "the space is given back")
                assert small_disk.staged() == []
                assert _contents(client) == here
                continue
            tally["uploads that fitted"] += 1
            assert free_bytes >= stored_bytes
            assert _contents(client) == {**here, name: upload}
            filler.remove()
            if name == OLD:
                _upload(client, OLD, here[OLD])
            else:
                act(client, "drop_dataset", NEW)
    tally["reads meanwhile"] += reader.finish()
    filler.remove()
    _upload(client, NEW, upload)
    assert _contents(client) == {**here, NEW: upload}
