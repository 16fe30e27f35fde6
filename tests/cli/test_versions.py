"""Going back: versions, NAME@VERSION, restore, undrop, the trash, and check."""

import json
import re
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import eventually

NAME = "a/t.parquet"
VERSION = r"[0-9a-f]{32}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def rows(count):
    return pa.table({"id": pa.array(range(count), pa.int64())})


@pytest.fixture
def stored(hangar):
    """Three versions of NAME, of 1, 2 and 3 rows: what put answered for each."""
    answers = []
    for count in (1, 2, 3):
        # With checksums, without which damage of a page cannot be told.
        pq.write_table(rows(count), hangar.folder / f"{count}.parquet", use_dictionary=False,
                       write_page_checksum=True)
        answers += hangar.json("put", NAME, f"{count}.parquet")
    return answers


def test_versions_lists_what_is_kept_the_latest_first(hangar, stored):
    lines = hangar.lines("versions", NAME)
    assert re.fullmatch(r"VERSION +MODIFIED +ROWS +SIZE  STATE", lines[0])
    for line, answer, state in zip(lines[1:], reversed(stored),
                                   ["current", f"replaced {TIME}", f"replaced {TIME}"]):
        assert re.fullmatch(rf"{answer['version']}  {TIME}     {answer['rows']}  [0-9.]+ K?i?B  "
                            rf"{state}", line), line
    assert hangar.lines("versions", "-q", NAME) == [answer["version"] for answer in stored[::-1]]
    found = hangar.json("versions", NAME)
    assert [entry["state"] for entry in found] == ["current", "replaced", "replaced"]
    assert "retired" not in found[0] and "retired" in found[1]
    assert found[2].items() >= stored[0].items()
    hangar("rm", NAME, "-q")
    assert re.search(rf"  dropped {TIME}$", hangar.lines("versions", NAME)[1])
    assert hangar.json("versions", NAME)[0]["state"] == "dropped"
    assert hangar.fails("versions", "none") == "there is no dataset 'none'"


@pytest.mark.parametrize("how", ["suffix", "flag"])
def test_every_reading_command_takes_a_version(hangar, stored, how):
    def run(command, version, *arguments):
        chosen = [f"{NAME}@{version}"] if how == "suffix" else [NAME, "--version", version]
        return hangar(command, *chosen, *arguments)

    for count, answer in enumerate(stored, start=1):
        version = answer["version"]
        info = json.loads(run("info", version, "--output", "json").stdout)
        assert (info["name"], info["version"], info["rows"]) == (NAME, version, count)
        assert ("retired" in info) == (count < 3)
        assert ("\nretired " in run("info", version).stdout) == (count < 3)
        assert run("head", version).stdout.splitlines()[1:] == [f" {i}" for i in range(count)]
        assert run("schema", version, "-q").stdout == "id\n"
        run("get", version, "-q")
        assert pq.read_table(hangar.folder / "t.parquet") == rows(count)


def test_every_reading_command_takes_a_time(hangar, stored):
    when = hangar.json("versions", NAME)[1]["retired"]
    for arguments in ([f"{NAME}@{when}"], [NAME, "--as-of", when]):
        assert hangar.json("info", *arguments)[0]["version"] == stored[2]["version"]
        assert [line.strip() for line in hangar.lines("head", *arguments)] == ["id", "0", "1", "2"]
        assert hangar("schema", *arguments, "-q").stdout == "id\n"
        hangar("get", *arguments, "-q")
        assert pq.read_table(hangar.folder / "t.parquet") == rows(3)
    (first,) = [entry for entry in hangar.json("versions", NAME) if entry["rows"] == 1]
    assert hangar.json("info", f"{NAME}@{first['modified']}")[0]["rows"] == 1
    assert hangar.json("info", f"{NAME}@2100-01-01")[0]["rows"] == 3
    message = hangar.fails("info", f"{NAME}@2001-01-01")
    assert message.startswith(f"'{NAME}' was not there at 2001-01-01T00:00:00")


def test_any_other_at_belongs_to_the_name(hangar, stored):
    for name in ("me@example.org", "a@b@c", "t@2026-01-01.parquet", "t@latest"):
        hangar("put", name, "1.parquet", "-q")
        assert hangar.json("info", name)[0]["name"] == name
    # With a flag the whole is the name.
    odd = "t@2026-01-01"
    hangar("put", odd, "2.parquet", "-q")
    assert hangar.fails("info", odd).startswith("'t' was not there at 2026-01-01")
    assert hangar.json("info", odd, "--as-of", "2100-01-01")[0]["name"] == odd


def test_a_wrong_time_is_a_usage_error(hangar, stored):
    for wrong in ("yesterday", "2026-13-01", "2026-01-01T00:00:00"):
        assert f"'{wrong}'" in hangar.fails("info", NAME, "--as-of", wrong, exit_code=2)
    hangar.fails("get", NAME, "--as-of", "2026-01-01", "--version", "x", exit_code=2)


def test_restore_makes_a_version_the_current_one(hangar, stored):
    version = stored[0]["version"]
    out = hangar("restore", f"{NAME}@{version}").stdout
    assert out == f"restored {NAME}, version {version}\n"
    assert hangar.json("info", NAME)[0]["version"] == version
    assert hangar.json("restore", NAME, "--version", stored[1]["version"]) == [
        {"dataset": NAME, "version": stored[1]["version"]}]
    when = hangar.json("versions", NAME)[1]["retired"]
    assert hangar("restore", f"{NAME}@{when}", "-q").stdout == ""
    assert "names no version" in hangar.fails("restore", NAME)
    assert "'none'" in hangar.fails("restore", f"none@{version}")
    assert NAME in hangar.fails("restore", f"{NAME}@{version}", "--if-version", version)
    assert hangar.json("info", NAME)[0]["version"] == stored[1]["version"]


def test_undrop_brings_datasets_back(hangar, stored):
    hangar("put", "b", "1.parquet", "-q")
    hangar("rm", NAME, "b")
    assert hangar.lines("ls", "-q") == []
    done = hangar("undrop", NAME, "none", "b", exit_code=1)
    assert re.fullmatch(rf"undropped {NAME}, version {stored[2]['version']}\n"
                        rf"undropped b, version {VERSION}\n", done.stdout)
    assert done.stderr == "hangar: nothing that was dropped of 'none' is kept\n"
    assert hangar.lines("ls", "-q") == [NAME, "b"]
    hangar("rm", "b", "-q")
    hangar("put", "b", "2.parquet", "-q")
    assert "'b'" in hangar.fails("undrop", "b")
    hangar("rm", "b", "-q")
    assert hangar.json("undrop", "b")[0]["dataset"] == "b"


def test_rm_with_a_condition_and_for_good(hangar, stored):
    assert NAME in hangar.fails("rm", NAME, "--if-version", stored[0]["version"])
    hangar("rm", NAME, "--if-version", stored[2]["version"])
    assert hangar.lines("trash", "-q") == [NAME]
    hangar("undrop", NAME, "-q")
    assert hangar("rm", NAME, "--purge").stdout == f"dropped {NAME} for good\n"
    assert hangar.lines("trash", "-q") == []
    hangar.fails("versions", NAME)
    assert "one dataset" in hangar.fails("rm", "a", "b", "--if-version", "x", exit_code=2)


def test_the_trash_shows_what_can_come_back_and_how_much_is_kept(hangar, stored):
    for name in ("b/1", "b/2", "c"):
        hangar("put", name, "1.parquet", "-q")
    hangar("rm", NAME, "b/1", "b/2", "-q")
    lines = hangar.lines("trash")
    assert re.fullmatch(r"NAME +ROWS +SIZE  DROPPED", lines[0])
    assert re.fullmatch(rf"a/t\.parquet     3  [0-9.]+ K?i?B  {TIME}", lines[1])
    assert [line.split()[0] for line in lines[1:4]] == [NAME, "b/1", "b/2"]
    assert lines[4] == ""
    assert re.fullmatch(r"kept: 5 versions, [0-9.]+ K?i?B, with those that were replaced", lines[5])
    assert re.fullmatch(r"limits: 10 versions of a dataset, 7d, [0-9.]+ .iB in all", lines[6])
    assert len(lines) == 7
    assert hangar.lines("trash", "-q", "--prefix", "b/") == ["b/1", "b/2"]
    assert hangar.lines("trash", "-q", "*/1") == ["b/1"]
    assert hangar.lines("trash", "-q", "--limit", "1") == [NAME]
    found = hangar.json("trash")
    assert found[0].keys() == {"name", "version", "dropped", "rows", "bytes"}
    assert (found[0]["name"], found[0]["version"]) == (NAME, stored[2]["version"])


def test_emptying_the_trash_wants_a_yes(hangar, stored):
    hangar("put", "b", "1.parquet", "-q")
    hangar("rm", NAME, "b", "-q")
    for given in (subprocess.DEVNULL, subprocess.PIPE):
        assert "--yes" in hangar.fails("trash", "--empty", stdin=given)
    hangar.fails("trash", "--yes", exit_code=2)
    assert hangar.lines("trash", "-q") == [NAME, "b"]
    out = hangar("trash", "--empty", "--yes", "--prefix", "a/").stdout
    assert re.fullmatch(rf"removed {NAME}: 3 versions, [0-9.]+ K?i?B\n", out)
    assert hangar.lines("trash", "-q") == ["b"]
    assert hangar.json("trash", "--empty", "--yes")[0].items() >= {
        "dataset": "b", "versions": 1}.items()
    assert hangar.lines("trash", "-q") == []
    assert hangar("trash", "--empty").stdout == ""
    assert "kept: 0 versions, 0 B, with those that were replaced" in hangar.lines("trash")


def test_a_repeated_upload_says_so(hangar, stored):
    first = hangar.json("put", "b", "1.parquet", "--upload-id", "nightly")[0]
    assert "repeated" not in first
    again = hangar.json("put", "b", "1.parquet", "--upload-id", "nightly")[0]
    assert again == {**first, "repeated": True}
    out = hangar("put", "b", "1.parquet", "--upload-id", "nightly").stdout
    assert re.fullmatch(r"b was stored by an earlier upload: 1 rows, .*, version "
                        rf"{first['version']}\n", out)
    assert len(hangar.json("versions", "b")) == 1


def damage(file):
    """Changes a byte of the first page."""
    column = pq.ParquetFile(file).metadata.row_group(0).column(0)
    content = bytearray(file.read_bytes())
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    file.write_bytes(content)


def test_check_names_what_is_damaged(hangar, server, stored):
    hangar("put", "b", "3.parquet", "-q")
    out = hangar("check").stdout
    assert re.fullmatch(r"checked 2 datasets, [0-9.]+ K?i?B: no problem found\n", out)
    assert hangar("check", "-q").stdout == ""
    damage(server.data / "b")
    (server.data / "c.parquet").write_text("no Parquet file")
    lines = hangar.lines("check", exit_code=1)
    assert "'b'" in lines[0] and "'c.parquet'" in lines[1]
    assert re.fullmatch(r"checked 3 datasets, [0-9.]+ K?i?B: 2 problems", lines[2])
    assert len(hangar.lines("check", "-q", exit_code=1)) == 2
    found = [json.loads(line)
             for line in hangar.lines("check", "--output", "json", exit_code=1)]
    assert [(entry["dataset"], "problem" in entry) for entry in found] == [
        (NAME, False), ("b", True), ("c.parquet", True)]
    assert found[0]["version"] == stored[2]["version"] and found[0]["rows"] == 3


def test_check_of_some_goes_on_after_a_name_that_is_not_there(hangar, stored):
    done = hangar("check", "none", NAME, exit_code=1)
    assert done.stderr == "hangar: there is no dataset 'none'\n"
    assert re.fullmatch(r"checked 1 dataset, .*: no problem found\n", done.stdout)
    assert hangar("check", NAME).stderr == ""
    hangar.fails("check", "none")


def test_settings_decide_how_long_versions_are_kept(hangar_binary, start_server, tmp_path):
    from conftest import CommandLine
    server = start_server(flags=["--ticket-ttl", "1s", "--keep-versions", "1"])
    hangar = CommandLine(hangar_binary, server.uri, tmp_path)
    pq.write_table(rows(1), tmp_path / "t.parquet")
    for _ in range(3):
        hangar("put", "t", "t.parquet", "-q")
    eventually(lambda: len(hangar.lines("versions", "-q", "t")) == 2, "one past version is kept")
    assert hangar.lines("trash")[-1].startswith("limits: 1 version of a dataset, 7d, ")
