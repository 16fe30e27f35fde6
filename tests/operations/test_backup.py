"""A backup as docs/operations.md has it: plain copies, taken while the server works."""

import json
import shutil

from flight_steps import act, get, listed, numbers, put


def copy(source, target, leave_out=()):
    """What rsync -a does: contents, modes and times."""
    shutil.copytree(source, target, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns(*leave_out) if leave_out else None)


def test_a_restored_copy_has_the_datasets_and_the_past(start_server, tmp_path):
    server = start_server()
    client = server.client()
    put(client, "sales/eu.parquet", numbers(10))
    put(client, "sales/eu.parquet", numbers(20))
    put(client, "dropped.parquet", numbers(30))
    act(client, "drop_dataset", "dropped.parquet")
    backup = tmp_path / "backup"
    copy(server.data, backup / "datasets", leave_out=(".*", "_hangar"))
    copy(server.data / "_hangar/history", backup / "history")

    copy(backup / "datasets", tmp_path / "restored")
    copy(backup / "history", tmp_path / "restored/_hangar/history")
    restored = start_server(data=tmp_path / "restored").client()
    assert listed(restored) == ["sales/eu.parquet"]
    assert get(restored, "sales/eu.parquet") == numbers(20)
    act(restored, "undrop_dataset", "dropped.parquet")
    assert get(restored, "dropped.parquet") == numbers(30)
    past = [one for one in map(json.loads, act(restored, "list_versions", "sales/eu.parquet"))
            if not one["current"]]
    act(restored, "restore_dataset", {"dataset": "sales/eu.parquet", "version": past[0]["version"]})
    assert get(restored, "sales/eu.parquet") == numbers(10)
