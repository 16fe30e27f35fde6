"""Every command, with what it prints and its exit code."""

import datetime
import re
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

TABLE = pa.table({"id": pa.array([1, 2, 3], pa.int64()),
                  "name": pa.array(["a", None, "ä\x1b[31m"]),
                  "tags": pa.array([["x"], [], None], pa.list_(pa.string()))})


@pytest.fixture
def stored(hangar):
    pq.write_table(TABLE, hangar.folder / "t.parquet")
    return hangar.json("put", "a/t.parquet", "t.parquet")[0]


def test_put_tells_what_it_stored(hangar, stored, server):
    assert stored["dataset"] == "a/t.parquet"
    assert stored["rows"] == 3
    assert stored["bytes"] == (server.data / "a/t.parquet").stat().st_size
    text = hangar("put", "b.parquet", "t.parquet").stdout
    assert re.fullmatch(r"stored b\.parquet: 3 rows, [0-9.]+ (B|KiB), version \S+\n", text)
    quiet = hangar("put", "b.parquet", "t.parquet", "-q")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_ls_lists_in_the_order_of_names(hangar, stored):
    for name in ["c", "b/2.parquet", "b/1.parquet"]:
        hangar("put", name, "t.parquet", "-q")
    assert hangar.lines("ls", "-q") == ["a/t.parquet", "b/1.parquet", "b/2.parquet", "c"]
    assert hangar.lines("ls", "-q", "b/*") == ["b/1.parquet", "b/2.parquet"]
    assert hangar.lines("ls", "-q", "**/1.*") == ["b/1.parquet"]
    assert hangar.lines("ls", "-q", "--prefix", "b/", "--limit", "1") == ["b/1.parquet"]
    assert hangar.lines("ls", "-q", "nothing*") == []
    lines = hangar.lines("ls")
    assert re.fullmatch(r"NAME +ROWS +SIZE  MODIFIED", lines[0])
    assert re.fullmatch(r"a/t\.parquet     3  [0-9.]+ KiB  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                        lines[1])
    described = hangar.json("ls")[0]
    assert described["name"] == "a/t.parquet"
    assert described["version"] == stored["version"]
    assert (described["rows"], described["bytes"]) == (3, stored["bytes"])
    modified = datetime.datetime.fromisoformat(described["modified"][:26] + "+00:00")
    assert modified.year >= 2026


def test_ls_of_more_datasets_than_a_page(hangar, server):
    pq.write_table(TABLE, server.data / "0000.parquet")
    for i in range(1, 1205):
        shutil.copy(server.data / "0000.parquet", server.data / f"{i:04}.parquet")
    assert hangar.lines("ls", "-q") == [f"{i:04}.parquet" for i in range(1205)]
    assert len(hangar.lines("ls")) == 1206


def test_info(hangar, stored):
    lines = dict(line.split(maxsplit=1) for line in hangar.lines("info", "a/t.parquet"))
    assert lines["name"] == "a/t.parquet"
    assert lines["version"] == stored["version"]
    assert lines["rows"] == "3"
    assert lines["columns"] == "3"
    (described,) = hangar.json("info", "a/t.parquet")
    assert described["columns"] == 3
    assert described["row_groups"] == 1
    assert hangar("info", "-q", "a/t.parquet").stdout == ""


def test_schema(hangar, stored):
    assert hangar.lines("schema", "a/t.parquet") == [
        "COLUMN  TYPE                NULLABLE",
        "id      int64               yes",
        "name    string              yes",
        "tags    list<item: string>  yes",
    ]
    (described,) = hangar.json("schema", "a/t.parquet")
    assert [field["name"] for field in described["fields"]] == ["id", "name", "tags"]
    assert described["fields"][2]["children"][0]["type"] == "string"
    assert hangar.lines("schema", "-q", "a/t.parquet") == ["id", "name", "tags"]


def test_schema_shows_metadata(hangar):
    field = pa.field("x", pa.int8(), nullable=False, metadata={"unit": "m"})
    table = pa.table({"x": pa.array([1], pa.int8())}, schema=pa.schema([field], {"k": "v"}))
    pq.write_table(table, hangar.folder / "m.parquet")
    hangar("put", "m.parquet", "m.parquet")
    (described,) = hangar.json("schema", "m.parquet")
    assert described["metadata"]["k"] == "v"
    assert described["fields"][0]["nullable"] is False
    assert described["fields"][0]["metadata"]["unit"] == "m"
    assert "Metadata: k (--output json shows it)" in hangar.lines("schema", "m.parquet")


def test_head_escapes_what_would_steer_a_terminal(hangar, stored):
    assert hangar.lines("head", "a/t.parquet") == [
        "id  name       tags",
        ' 1  a          ["x"]',
        " 2  null       []",
        " 3  ä\\x1b[31m  null",
    ]
    assert hangar.json("head", "a/t.parquet", "-n", "1") == [{"id": 1, "name": "a", "tags": ["x"]}]
    assert hangar.lines("head", "a/t.parquet", "-n", "0", "--columns", "tags,id") == ["tags  id"]


def test_rm_goes_on_after_a_failure(hangar, stored, server):
    hangar("put", "b", "t.parquet")
    done = hangar("rm", "missing", "a/t.parquet", "b", exit_code=1)
    assert done.stdout.splitlines() == ["dropped a/t.parquet", "dropped b"]
    assert done.stderr == "hangar: there is no dataset 'missing'\n"
    assert hangar.lines("ls", "-q") == []


def test_mv(hangar, stored):
    assert hangar("mv", "a/t.parquet", "b").stdout == "renamed a/t.parquet to b\n"
    hangar("put", "c", "t.parquet")
    assert "exists" in hangar.fails("mv", "b", "c")
    assert hangar.lines("ls", "-q") == ["b", "c"]
    hangar("mv", "b", "c", "--overwrite", "-q")
    assert hangar.lines("ls", "-q") == ["c"]
    hangar.fails("mv", "c", "d", "--if-version", "other")
    assert "'b'" in hangar.fails("mv", "b", "e")


def test_actions(hangar):
    assert {"drop_dataset", "rename_dataset"} <= set(hangar.lines("actions", "-q"))
    assert hangar.lines("actions")[0].split() == ["ACTION", "DESCRIPTION"]
    assert hangar.json("actions")[0].keys() == {"action", "description"}


def test_put_conditions(hangar, stored):
    assert "exists" in hangar.fails("put", "a/t.parquet", "t.parquet", "--mode", "create")
    hangar.fails("put", "a/t.parquet", "t.parquet", "--if-version", "other")
    assert hangar.json("ls")[0]["version"] == stored["version"]
    (replaced,) = hangar.json("put", "a/t.parquet", "t.parquet", "--if-version", stored["version"])
    assert replaced["version"] != stored["version"]
    hangar("get", "a/t.parquet", "--version", replaced["version"], "-o", "v.parquet")
    hangar.fails("get", "a/t.parquet", "--version", "0" * 32, "-o", "w.parquet")


def test_put_parquet_settings(hangar, stored, server):
    hangar("put", "s", "t.parquet", "--codec", "gzip", "--level", "9", "--row-group-rows", "2")
    metadata = pq.ParquetFile(server.data / "s").metadata
    assert metadata.num_row_groups == 2
    assert metadata.row_group(0).column(0).compression == "GZIP"
    assert "'nonsense'" in hangar.fails("put", "s", "t.parquet", "--codec", "nonsense")


def test_errors_of_the_server_are_one_sentence(hangar, stored):
    assert hangar.fails("info", "missing") == "there is no dataset 'missing'"
    for name in ["../x", "/x", "a//b", ".hidden", "_hangar", "a\\b", "x" * 300, "line\nbreak"]:
        message = hangar.fails("put", name, "t.parquet")
        assert "Flight" not in message and "gRPC" not in message and "Detail" not in message
    assert "'nope'" in hangar.fails("head", "a/t.parquet", "--columns", "nope")
    assert hangar.lines("ls", "-q") == ["a/t.parquet"]


def test_a_server_that_is_gone(hangar, server):
    assert server.stop() == 0
    for command in [["ls"], ["info", "a"], ["head", "a"], ["get", "a"], ["rm", "a", "b"],
                    ["mv", "a", "b"], ["versions", "a"], ["restore", "a@2026-01-31"],
                    ["undrop", "a", "b"], ["trash"], ["trash", "--empty", "--yes"], ["check"],
                    ["check", "a", "b"], ["actions"]]:
        assert hangar.fails(*command) == (
            f"cannot reach {server.uri} (Connection refused): is \"hangar serve\" running there? "
            "(--server or HANGAR_SERVER chooses another)")
    assert list(hangar.folder.iterdir()) == []
    assert "'nonsense'" in hangar.fails("ls", "--server", "nonsense")


def test_the_flag_wins_over_the_environment(hangar, server):
    environment = {**hangar.environment, "HANGAR_SERVER": "grpc://127.0.0.1:1"}
    hangar("ls", "--server", server.uri, env=environment)
    assert "grpc://127.0.0.1:1 " in hangar.fails("ls", env=environment)


@pytest.mark.parametrize("arguments", [
    ["fly"], ["ls", "--nonsense"], ["put", "a"], ["get"], ["mv", "a"], ["get", "a", "--limit", "-1"],
    ["get", "a", "--partitions", "65"], ["put", "a", "b", "--mode", "append"],
    ["completion", "csh"]])
def test_usage_errors(hangar, arguments):
    assert "--help" in hangar.fails(*arguments, exit_code=2)


@pytest.mark.parametrize("command", ["serve", "ls", "info", "schema", "head", "put", "get", "rm",
                                     "mv", "versions", "restore", "undrop", "trash", "check",
                                     "actions", "completion"])
def test_help_ends_with_an_example(hangar, command):
    text = hangar(command, "--help").stdout
    example = text[text.index("Example:\n  "):]
    assert f"hangar {command}" in example
    assert command in hangar("--help").stdout


def test_completion_scripts(hangar, stored):
    script = hangar("completion", "bash").stdout
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)

    def complete(*words):
        program = (script + "\nCOMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _hangar; "
                   "printf '%s\\n' \"${COMPREPLY[@]}\"")
        path = f"{hangar.binary.parent}:{hangar.environment['PATH']}"
        done = subprocess.run(["bash", "-c", program, "bash", "hangar", *words], text=True,
                              capture_output=True, check=True, cwd=hangar.folder,
                              env={**hangar.environment, "PATH": path})
        return done.stdout.split()

    assert complete("he") == ["head"]
    assert {"ls", "get", "serve"} <= set(complete(""))
    assert complete("info", "a/") == ["a/t.parquet"]
    assert complete("put", "x", "t.") == ["t.parquet"]
    assert complete("get", "a/t.parquet", "--format", "j") == ["jsonl"]
    assert "--columns" in complete("get", "--")
    assert complete("versions", "a/") == ["a/t.parquet"]
    assert complete("undrop", "a/") == []
    hangar("rm", "a/t.parquet")
    assert complete("undrop", "a/") == complete("undrop", "x", "a/") == ["a/t.parquet"]
    for shell in ["zsh", "fish"]:
        assert "_hangar" in hangar("completion", "zsh").stdout
        if shutil.which(shell):
            text = hangar("completion", shell).stdout
            subprocess.run([shell, "-n"], input=text, text=True, check=True)
