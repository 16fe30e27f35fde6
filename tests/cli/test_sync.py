"""`hangar sync`: what differs between a folder and the datasets under a name."""

import fcntl
import hashlib
import json
import os
import signal
import subprocess

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import eventually


def table(start, rows=1000):
    return pa.table({"id": pa.array(range(start, start + rows), pa.int64())})


def write(path, start, rows=1000):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(start, rows), path)


def write_of_same_size(path, seed):
    """Files of one size whatever the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": pa.array([seed] * 10, pa.int64())}), path, compression="none",
                   use_dictionary=False, write_statistics=False)


def contents(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*.parquet")
            if not any(part.startswith((".", "_hangar")) for part in path.relative_to(folder).parts)}


@pytest.fixture
def local(hangar):
    folder = hangar.folder / "local"
    for i, name in enumerate(["a.parquet", "b/c.parquet", "b/d/e.parquet"]):
        write(folder / name, i * 1000)
    return folder


def sync(hangar, *arguments, **options):
    """Path to (action, outcome) of all that is not left as it is."""
    lines = hangar.lines("sync", *arguments, "--output", "json", **options)
    return {line["file"]: (line["action"], line.get("outcome"))
            for line in map(json.loads, lines)}


def test_a_folder_goes_up_and_comes_down_byte_for_byte(hangar, server, local):
    assert sync(hangar, "./local", "sales") == {
        name: ("upload", "done") for name in ["a.parquet", "b/c.parquet", "b/d/e.parquet"]}
    assert contents(server.data / "sales") == contents(local)
    assert set(sync(hangar, "sales", "./copy").values()) == {("download", "done")}
    assert contents(hangar.folder / "copy") == contents(local)


def test_what_did_not_change_is_not_copied_again(hangar, server, local):
    sync(hangar, "./local", "sales")
    assert sync(hangar, "./local", "sales") == {}
    assert hangar.lines("sync", "./local", "sales") == [
        "0 uploaded (0 B), 0 removed, 3 unchanged"]
    os.utime(local / "a.parquet")
    write(local / "b/c.parquet", 7)
    assert sync(hangar, "./local", "sales") == {"b/c.parquet": ("upload", "done")}
    assert contents(server.data / "sales") == contents(local)


def test_what_is_the_same_is_recognised_without_a_memory_of_it(hangar, server, local):
    sync(hangar, "./local", "sales")
    versions = hangar.json("ls", "sales/**")
    subprocess.run(["rm", "-r", local / ".hangar-sync"], check=True)
    assert set(sync(hangar, "./local", "sales").values()) == {("compare", "same")}
    assert hangar.json("ls", "sales/**") == versions
    subprocess.run(["rm", "-r", local / ".hangar-sync"], check=True)
    before = contents(local)
    assert set(sync(hangar, "sales", "./local").values()) == {("compare", "same")}
    assert contents(local) == before
    assert sync(hangar, "sales", "./local") == {}


def test_what_changed_on_the_server_is_not_overwritten_unknowingly(hangar, server, local):
    sync(hangar, "./local", "sales")
    write(hangar.folder / "other.parquet", 5, rows=7)
    hangar("put", "sales/a.parquet", "other.parquet")
    write(local / "a.parquet", 8, rows=9)
    done = hangar("sync", "./local", "sales", exit_code=1)
    assert "'a.parquet' changed in the target since the last sync" in done.stderr
    assert done.stdout.splitlines()[-1] == (
        "0 uploaded (0 B), 0 removed, 2 unchanged, 1 conflict")
    assert pq.read_table(server.data / "sales/a.parquet").equals(table(5, 7))
    assert sync(hangar, "./local", "sales", "--force") == {"a.parquet": ("upload", "done")}
    assert contents(server.data / "sales") == contents(local)


def test_what_changed_in_the_folder_is_not_overwritten_unknowingly(hangar, local):
    sync(hangar, "./local", "sales")
    sync(hangar, "sales", "./copy")
    copy = hangar.folder / "copy"
    write(copy / "a.parquet", 8, rows=9)
    hangar("sync", "sales", "./copy", exit_code=1)
    assert pq.read_table(copy / "a.parquet").equals(table(8, 9))
    sync(hangar, "sales", "./copy", "--force")
    assert contents(copy) == contents(local)


def test_files_of_one_size_are_compared_by_what_they_hold(hangar, server, local):
    write_of_same_size(local / "s.parquet", 1)
    write_of_same_size(server.data / "sales/s.parquet", 2)
    assert (local / "s.parquet").stat().st_size \
        == (server.data / "sales/s.parquet").stat().st_size
    assert sync(hangar, "./local", "sales", exit_code=1)["s.parquet"] == ("compare", "conflict")
    assert sync(hangar, "sales", "./local", exit_code=1)["s.parquet"] == ("compare", "conflict")
    assert pq.read_table(local / "s.parquet")["id"][0].as_py() == 1
    assert sync(hangar, "sales", "./local", "--force") == {"s.parquet": ("compare", "done")}
    assert pq.read_table(local / "s.parquet")["id"][0].as_py() == 2


def test_delete_removes_what_an_earlier_sync_brought_and_nothing_else(hangar, server, local):
    sync(hangar, "./local", "sales")
    write(hangar.folder / "other.parquet", 5)
    hangar("put", "sales/foreign.parquet", "other.parquet")
    hangar("put", "sales2.parquet", "other.parquet")
    (local / "b/c.parquet").unlink()
    assert sync(hangar, "./local", "sales") == {}
    assert "b/c.parquet" in contents(server.data / "sales")
    result = sync(hangar, "./local", "sales", "--delete", exit_code=1)
    assert result == {"b/c.parquet": ("remove", "done"),
                      "foreign.parquet": ("conflict", "conflict")}
    assert sync(hangar, "./local", "sales", "--delete", "--force") == {
        "foreign.parquet": ("remove", "done")}
    assert contents(server.data / "sales") == contents(local)
    # Dropped, not destroyed; and what only begins with the same letters is something else.
    assert hangar.lines("trash", "-q") == ["sales/b/c.parquet", "sales/foreign.parquet"]
    assert hangar.lines("ls", "-q", "--prefix", "sales2") == ["sales2.parquet"]


def test_delete_removes_local_files_and_their_folders(hangar, local):
    sync(hangar, "./local", "sales")
    sync(hangar, "sales", "./copy")
    write(hangar.folder / "copy/mine.parquet", 1)
    hangar("rm", "sales/b/d/e.parquet")
    assert sync(hangar, "sales", "./copy", "--delete", exit_code=1) == {
        "b/d/e.parquet": ("remove", "done"), "mine.parquet": ("conflict", "conflict")}
    assert not (hangar.folder / "copy/b/d").exists()
    assert (hangar.folder / "copy/mine.parquet").exists()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(hangar, server, local):
    assert hangar.lines("sync", "./local", "sales", "--dry-run") == [
        "would upload a.parquet", "would upload b/c.parquet", "would upload b/d/e.parquet"]
    assert hangar.lines("ls", "-q") == []
    assert not (local / ".hangar-sync").exists()
    assert hangar.lines("sync", "sales", "./local", "--dry-run", "--delete")[0] == (
        "would leave a.parquet, which is in the target only, and no sync has put it there")


def test_a_run_that_was_interrupted_is_finished_by_the_next(hangar, server):
    local = hangar.folder / "local"
    for i in range(40):
        path = local / f"{i}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"x": [os.urandom(1 << 20)]}), path, compression="none",
                       use_dictionary=False, write_statistics=False)
    for how in (signal.SIGKILL, signal.SIGINT):
        before = len(contents(server.data))
        running = hangar.start("sync", "./local", "sales", "-q", "--jobs", "1")
        eventually(lambda: len(contents(server.data)) > before, "something was copied")
        running.send_signal(how)
        assert running.wait(timeout=60) in (-how, 0)
    copied = set(contents(server.data / "sales"))
    result = sync(hangar, "./local", "sales")
    assert not [path for path, outcome in result.items()
                if path in copied and outcome == ("upload", "done")]
    assert contents(server.data / "sales") == contents(local)


def test_an_interrupted_download_leaves_nothing_half_done(hangar, server):
    for i in range(20):
        pq.write_table(pa.table({"x": [os.urandom(1 << 20)]}), server.data / f"{i}.parquet",
                       compression="none", use_dictionary=False, write_statistics=False)
    copy = hangar.folder / "copy"
    running = hangar.start("sync", "", "./copy", "-q")
    eventually(lambda: copy.is_dir() and contents(copy), "something was copied")
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=60) in (-signal.SIGTERM, 0)
    whole = contents(server.data)
    for path, digest in contents(copy).items():
        assert whole[path] == digest
    assert not list((copy / ".hangar-sync").glob("*.part"))
    sync(hangar, "", "./copy")
    assert contents(copy) == whole


def test_links_lead_nowhere(hangar, server, local):
    outside = hangar.folder / "outside"
    write(outside / "secret.parquet", 1)
    (local / "linked").symlink_to(outside)
    (local / "link.parquet").symlink_to(outside / "secret.parquet")
    assert set(sync(hangar, "./local", "sales")) == {"a.parquet", "b/c.parquet", "b/d/e.parquet"}
    write(hangar.folder / "other.parquet", 5)
    hangar("put", "sales/linked/new.parquet", "other.parquet")
    hangar("put", "sales/link.parquet", "other.parquet")
    result = sync(hangar, "sales", "./local", exit_code=1)
    assert {outcome for _, outcome in result.values()} <= {"conflict", "failed"}
    assert set(contents(outside)) == {"secret.parquet"}
    assert pq.read_table(outside / "secret.parquet").equals(table(1))


class HostileServer(flight.FlightServerBase):
    """Lists datasets whose names would lead out of a folder."""

    def list_flights(self, context, criteria):
        for name in ["p/../../evil.parquet", "p//etc/evil.parquet", "p/.hangar-sync/state.json",
                     "p/.ssh/evil.parquet", "other/evil.parquet"]:
            yield flight.FlightInfo(
                table(0).schema, flight.FlightDescriptor.for_path(name), [], 1, 10,
                app_metadata=json.dumps({"dataset": name, "version": "v"}).encode())


def test_names_of_a_hostile_server_lead_nowhere(hangar):
    with HostileServer("grpc://127.0.0.1:0") as hostile:
        done = hangar("sync", "p", "./deep/er", "--server", f"grpc://127.0.0.1:{hostile.port}",
                      exit_code=1)
    assert done.stderr.count("leads nowhere") == 3
    assert [path.name for path in hangar.folder.rglob("*") if path.is_file()] == [
        "lock", "state.json"]


def test_sides_that_cannot_be_told_apart_are_refused(hangar, local):
    assert "./" in hangar.fails("sync", "local", "sales")
    assert "./" in hangar.fails("sync", "./local", "/tmp")
    assert "no folder" in hangar.fails("sync", "./missing", "sales")


def test_a_second_sync_of_the_folder_waits_its_turn(hangar, local):
    sync(hangar, "./local", "sales")
    with open(local / ".hangar-sync/lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another sync" in hangar.fails("sync", "./local", "sales")


def test_a_server_that_cannot_be_reached_is_told_once(hangar, server, local):
    server.kill()
    assert hangar.fails("sync", "./local", "sales").startswith("cannot reach ")
