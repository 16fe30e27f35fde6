"""Files in and out: every format, conditions on them, and what happens when it goes wrong."""

import gzip
import os
import pathlib
import signal
import subprocess

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import eventually

ROWS = 10_000
TABLE = pa.table({"id": pa.array(range(ROWS), pa.int64()),
                  "half": pa.array([i / 2 for i in range(ROWS)]),
                  "text": pa.array([None if i % 7 == 0 else f'"{i}", ä\n' for i in range(ROWS)]),
                  "even": pa.array([i % 2 == 0 for i in range(ROWS)])})


def write(table, path):
    suffixes = "".join(path.suffixes)
    if suffixes == ".parquet":
        pq.write_table(table, path)
    elif suffixes == ".arrow":
        with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table, max_chunksize=1000)
    elif suffixes == ".arrows":
        with pa.OSFile(str(path), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table, max_chunksize=1000)
    elif suffixes == ".feather":
        write(table, path.with_suffix(".arrow"))
        path.with_suffix(".arrow").rename(path)
    elif suffixes in (".csv", ".tsv"):
        delimiter = "\t" if suffixes == ".tsv" else ","
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(delimiter=delimiter))
    elif suffixes == ".csv.gz":
        with gzip.open(path, "wb") as out:
            pyarrow.csv.write_csv(table, out)
    elif suffixes == ".jsonl":
        table.to_pandas().to_json(path, orient="records", lines=True)
    else:
        raise ValueError(suffixes)


def read(path):
    suffixes = "".join(path.suffixes)
    if suffixes == ".parquet":
        return pq.read_table(path)
    if suffixes in (".arrow", ".feather", ".ipc"):
        return pa.ipc.open_file(path).read_all()
    if suffixes == ".arrows":
        return pa.ipc.open_stream(path).read_all()
    if suffixes in (".csv", ".tsv", ".csv.gz", ".csv.zst"):
        return pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(
                delimiter="\t" if suffixes == ".tsv" else ",", newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]))
    if suffixes in (".jsonl", ".ndjson", ".json"):
        return pyarrow.json.read_json(path)
    if suffixes == ".jsonl.gz":
        with gzip.open(path) as lines:
            return pyarrow.json.read_json(lines)
    raise ValueError(suffixes)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows", ".feather", ".csv", ".tsv",
                                    ".csv.gz", ".jsonl"])
def test_files_go_in(hangar, server, suffix):
    write(TABLE, hangar.folder / f"t{suffix}")
    (stored,) = hangar.json("put", "t", f"t{suffix}")
    assert stored["rows"] == ROWS
    assert pq.read_table(server.data / "t").equals(TABLE)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".ipc", ".arrows", ".csv", ".tsv",
                                    ".csv.gz", ".csv.zst", ".jsonl", ".ndjson", ".json",
                                    ".jsonl.gz"])
def test_files_come_out(hangar, server, suffix):
    pq.write_table(TABLE, server.data / "t")
    (written,) = hangar.json("get", "t", "-o", f"out{suffix}")
    assert (written["rows"], written["file"]) == (ROWS, f"out{suffix}")
    assert [path.name for path in hangar.folder.iterdir()] == [f"out{suffix}"]
    assert read(hangar.folder / f"out{suffix}").equals(TABLE)


def test_the_format_can_be_given(hangar, server):
    write(TABLE, hangar.folder / "t.csv")
    (hangar.folder / "t.csv").rename(hangar.folder / "t.data")
    assert "--format" in hangar.fails("put", "t", "t.data")
    hangar("put", "t", "t.data", "--format", "csv")
    assert "--format" in hangar.fails("get", "t", "-o", "t.other")
    hangar("get", "t", "-o", "t.other", "--format", "parquet")
    assert pq.read_table(hangar.folder / "t.other").equals(TABLE)


def test_standard_streams(hangar, server):
    write(TABLE, hangar.folder / "t.arrows")
    stream = (hangar.folder / "t.arrows").read_bytes()
    hangar("put", "t", "-", input=stream, text=False)
    out = hangar("get", "t", "-o", "-", text=False).stdout
    assert pa.ipc.open_stream(out).read_all().equals(TABLE)
    hangar("put", "c", "-", "--format", "csv", input="a,b\n1,x\n")
    assert hangar("get", "c", "-o", "-", "--format", "csv").stdout == "a,b\n1,x\n"
    assert hangar("get", "c", "-o", "-", "--format", "jsonl").stdout == '{"a":1,"b":"x"}\n'
    assert "file" in hangar.fails("put", "c", "-", "--format", "parquet", input="")
    out = hangar("get", "c", "-o", "-", "--format", "parquet", text=False).stdout
    assert pq.read_table(pa.BufferReader(out)).to_pydict() == {"a": [1], "b": ["x"]}


def test_a_pipe_as_a_file(hangar, server):
    os.mkfifo(hangar.folder / "pipe.csv")
    put = hangar.start("put", "p", "pipe.csv", "-q")
    (hangar.folder / "pipe.csv").write_text("a\n1\n")
    assert put.wait(timeout=60) == 0
    assert pq.read_table(server.data / "p").to_pydict() == {"a": [1]}


def test_files_are_joined_in_order(hangar, server):
    for i, start in enumerate([0, 4000, 9000]):
        write(TABLE.slice(start, [4000, 5000, 1000][i]), hangar.folder / f"{i}.csv")
    hangar("put", "t", "0.csv", "1.csv", "2.csv")
    assert pq.read_table(server.data / "t").equals(TABLE)


def test_files_that_differ_are_refused_before_anything_is_sent(hangar):
    (hangar.folder / "a.csv").write_text("x,y\n1,a\n")
    (hangar.folder / "b.csv").write_text("x,z\n1,a\n")
    pq.write_table(pa.table({"x": [1], "y": [2]}), hangar.folder / "c.parquet")
    assert "'b.csv'" in (message := hangar.fails("put", "t", "a.csv", "b.csv"))
    assert "'z'" in message and "'y'" in message
    message = hangar.fails("put", "t", "a.csv", "c.parquet")
    assert "'c.parquet'" in message and "'y' is int64 rather than string" in message
    assert "'missing.csv'" in hangar.fails("put", "t", "a.csv", "missing.csv")
    assert "standard input" in hangar.fails("put", "t", "a.csv", "-")
    assert hangar.lines("ls", "-q") == []


def test_a_file_that_breaks_in_the_middle_stores_nothing(hangar, server):
    # The types are guessed from the first 16 MiB; the text is behind them.
    with open(hangar.folder / "t.csv", "w") as out:
        out.write("number\n")
        for _ in range(40):
            out.write("1234567\n" * (1 << 16))
        out.write("text\n")
    assert "'t.csv'" in (message := hangar.fails("put", "t", "t.csv"))
    assert "text" in message
    assert hangar.lines("ls", "-q") == []
    eventually(lambda: not server.staged(), "the upload is given up")


def test_bad_files(hangar):
    for name in ["t.parquet", "t.arrow", "t.csv", "t.jsonl"]:
        (hangar.folder / name).write_bytes(b"x\n\xff,\x00 nothing of the kind")
        assert f"'{name}'" in hangar.fails("put", "t", name)
    (hangar.folder / "t.csv").write_text("")
    assert "'t.csv'" in hangar.fails("put", "t", "t.csv")
    (hangar.folder / "t.json").write_text('[{"a": 1}]')
    assert "jq" in hangar.fails("put", "t", "t.json")
    assert "No such file" in hangar.fails("put", "t", "missing.parquet")
    assert hangar.lines("ls", "-q") == []


def test_narrow_reads(hangar, server):
    pq.write_table(TABLE, server.data / "t", row_group_size=1000)
    hangar("get", "t", "-o", "n.parquet", "--columns", "even,id", "--offset", "2500", "--limit",
           "3000")
    assert pq.read_table(hangar.folder / "n.parquet").equals(
        TABLE.select(["even", "id"]).slice(2500, 3000))
    hangar("get", "t", "-o", "z.parquet", "--limit", "0")
    assert pq.read_table(hangar.folder / "z.parquet").equals(TABLE.slice(0, 0))


@pytest.mark.parametrize("partitions", [2, 3, 64])
@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_partitions_keep_the_order(hangar, server, partitions, compression):
    pq.write_table(TABLE, server.data / "t", row_group_size=1000)
    hangar("get", "t", "-o", "p.parquet", "--partitions", partitions, "--compression", compression)
    assert pq.read_table(hangar.folder / "p.parquet").equals(TABLE)


def test_get_without_o_names_the_file_like_the_dataset(hangar, server):
    (server.data / "a").mkdir()
    for name in ["a/t.parquet", "a/plain"]:
        pq.write_table(TABLE, server.data / name)
    hangar("get", "a/t.parquet")
    hangar("get", "a/plain")
    (hangar.folder / "folder").mkdir()
    hangar("get", "a/plain", "-o", "folder", "--format", "csv")
    files = sorted(str(path.relative_to(hangar.folder))
                   for path in hangar.folder.rglob("*") if path.is_file())
    assert files == ["folder/plain", "plain.parquet", "t.parquet"]
    assert pq.read_table(hangar.folder / "plain.parquet").equals(TABLE)


def test_get_replaces_a_file_only_when_it_is_whole(hangar, server):
    (hangar.folder / "t.csv").write_text("old")
    hangar.fails("get", "missing", "-o", "t.csv")
    assert (hangar.folder / "t.csv").read_text() == "old"
    pq.write_table(TABLE, server.data / "t")
    hangar("get", "t", "-o", "t.csv")
    assert read(hangar.folder / "t.csv").equals(TABLE)
    assert [path.name for path in hangar.folder.iterdir()] == ["t.csv"]


def test_get_into_a_device_or_a_missing_folder(hangar, server):
    pq.write_table(TABLE, server.data / "t")
    hangar("get", "t", "-o", "/dev/null", "--format", "csv")
    assert pathlib.Path("/dev/null").is_char_device()
    assert "No such file" in hangar.fails("get", "t", "-o", "missing/t.csv")
    assert "No space left" in hangar.fails("get", "t", "-o", "/dev/full", "--format", "csv")


@pytest.fixture
def big(server):
    """A dataset that takes long enough to write as text to be caught in the middle."""
    column = pa.array(["some text that is not short" * 4] * 1_000_000).dictionary_encode()
    table = pa.table({str(i): column for i in range(8)})
    pq.write_table(table, server.data / "big")
    return "big"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_download_leaves_nothing(hangar, big, how):
    get = hangar.start("get", big, "-o", "big.jsonl", "-q")
    eventually(lambda: any(path.stat().st_size > 0 for path in hangar.folder.iterdir()),
               "the download has begun")
    assert get.poll() is None
    get.send_signal(how)
    assert get.wait(timeout=60) == -how
    assert list(hangar.folder.iterdir()) == []


def test_a_server_that_dies_in_the_middle_leaves_nothing(hangar, big, server):
    get = hangar.start("get", big, "-o", "big.jsonl", "-q", stderr=subprocess.PIPE, text=True)
    eventually(lambda: any(path.stat().st_size > 0 for path in hangar.folder.iterdir()),
               "the download has begun")
    server.kill()
    _, message = get.communicate(timeout=60)
    assert get.returncode == 1
    assert message.startswith("hangar: ") and server.uri in message
    assert list(hangar.folder.iterdir()) == []


def test_an_interrupted_upload_stores_nothing(hangar, server):
    put = hangar.start("put", "t", "-", "--format", "csv", stdin=subprocess.PIPE)
    put.stdin.write(b"x\n" + b"1234567\n" * (6 << 20))
    put.stdin.flush()
    eventually(server.staged, "the upload has begun")
    put.send_signal(signal.SIGINT)
    assert put.wait(timeout=60) == -signal.SIGINT
    put.stdin.close()
    eventually(lambda: not server.staged(), "the upload is given up")
    assert hangar.lines("ls", "-q") == []


def test_a_reader_that_goes_away_ends_it_quietly(hangar, big):
    for arguments in [["get", big, "-o", "-", "--format", "csv"],
                      ["head", big, "-n", "100000", "--output", "json"]]:
        process = hangar.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == -signal.SIGPIPE
        assert process.stderr.read() == b""
        process.stderr.close()


def test_types_that_text_formats_do_not_have(hangar, server):
    table = pa.table({
        "when": pa.array([0, None], pa.timestamp("ms", "Europe/Berlin")),
        "price": pa.array(["1.20", None], pa.string()).cast(pa.decimal128(10, 2)),
        "raw": pa.array([b"\x00\xff", b""]),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
        "nested": pa.array([{"x": [1.5, float("nan")]}, None]),
        "pairs": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int8())),
    })
    pq.write_table(table, server.data / "t")
    assert hangar("get", "t", "-o", "-", "--format", "jsonl").stdout.splitlines() == [
        '{"when":"1970-01-01T00:00:00.000Z","price":"1.20","raw":"AP8=","kind":"a",'
        '"nested":{"x":[1.5,null]},"pairs":{"k":1}}',
        '{"when":null,"price":null,"raw":"","kind":"b","nested":null,"pairs":{}}']
    assert hangar("get", "t", "-o", "-", "--format", "csv").stdout.splitlines() == [
        "when,price,raw,kind,nested,pairs",
        '1970-01-01T00:00:00.000Z,1.20,AP8=,a,"{""x"":[1.5,null]}","{""k"":1}"',
        ',,"",b,,{}']
    for name in ["t.parquet", "t.arrow"]:
        hangar("get", "t", "-o", name)
        copied = read(hangar.folder / name)
        assert copied.schema.equals(table.schema)
        assert pc.all(pc.equal(copied["raw"], table["raw"])).as_py()


def test_dictionaries_that_differ_between_batches_fit_an_arrow_file(hangar, server):
    values = [f"{i // 2500}-{i % 11}" for i in range(ROWS)]
    table = pa.table({"kind": pa.array(values).dictionary_encode()})
    pq.write_table(table, server.data / "t", row_group_size=2500)
    for name in ["t.arrow", "t.arrows", "t.parquet"]:
        hangar("get", "t", "-o", name, "--partitions", "4")
        assert read(hangar.folder / name)["kind"].to_pylist() == values
