"""The case `s3`: Hangar over a bucket, against itself over a folder and against curl and DuckDB on
the same object.

Runs where tests/s3/ceph.sh has set the environment, which is what tools/bench.sh does for it.
"""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pyarrow.parquet as pq

from cases import case

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/support"))

# What curl fetches and sends at a time, and how many of them at once.
RANGE_BYTES = 8 << 20
AT_ONCE = 16

HANGARS = ("hangar", "base")


@dataclasses.dataclass(frozen=True)
class Subject:
    """A dataset: `file` is what Hangar stores of it, `put` what the client takes to upload it."""
    title: str
    name: str
    file: pathlib.Path
    rows: int
    arrow_bytes: int
    put: tuple


@contextlib.contextmanager
def _subject(bench, dataset):
    """A dataset of the benchmark, or `big`: the rows of `trips` over and over, 1 GiB."""
    name = f"{dataset}.parquet"
    if dataset != "big":
        rows, size = bench.size(dataset)
        yield Subject(dataset, name, bench.stored(dataset, "hangar"), rows, size,
                      (bench.data.source(dataset),))
        return
    put = (bench.data.source("trips"), "--bytes", bench.scaled(2**30, at_least=2**20))
    with bench.folder() as folder:
        with bench.serve("local", {}) as server:
            sent = bench.client("c++", "put", server.uri, name, *put)
            shutil.move(server.folder / name, folder / name)
        yield Subject("1 GiB of trips", name, folder / name, sent["rows"], sent["bytes"], put)


class Store:
    """The bucket, as others than Hangar see it."""

    def __init__(self):
        if "HANGAR_S3_BUCKET" not in os.environ:
            sys.exit("the case s3 needs a bucket: run it with 'make bench CASE=s3'")
        # Here, as no other case needs boto3.
        from s3_server import S3Server
        self._server = S3Server(os.environ)
        self.part = self._server.part("bench")

    def url(self, key):
        return f"{self._server.endpoint}/{self.part.bucket}/{self.part.prefix}{key}"

    def _transfer(self, *lines):
        server = self._server
        return [f'user = "{server.access_key}:{server.secret_key}"',
                f'aws-sigv4 = "aws:amz:{server.region}:s3"', *lines]

    @staticmethod
    def _curl(transfers):
        """Seconds for all of them, over connections that are kept."""
        config = "\nnext\n".join("\n".join(lines) for lines in transfers)
        begin = time.perf_counter()
        subprocess.run(["curl", "--silent", "--show-error", "--fail-early", "--parallel",
                        "--parallel-max", str(AT_ONCE), "--config", "-"], input=config, text=True,
                       check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin

    def curl_get(self, key, size):
        return self._curl([
            self._transfer(f'url = "{self.url(key)}"', 'output = "/dev/null"', "fail",
                           f"range = {begin}-{min(begin + RANGE_BYTES, size) - 1}")
            for begin in range(0, size, RANGE_BYTES)])

    def curl_put(self, key, file, folder):
        """A multipart upload of a file, whose parts lie in the page cache."""
        client, at = self.part.client, self.part.at(key)
        data = file.read_bytes()
        parts = [data[begin:begin + RANGE_BYTES] for begin in range(0, len(data), RANGE_BYTES)]
        for number, part in enumerate(parts, start=1):
            (folder / f"{number}").write_bytes(part)
            (folder / f"{number}.etag").touch()
        begin = time.perf_counter()
        upload = client.create_multipart_upload(**at)["UploadId"]
        self._curl([
            self._transfer(f'url = "{self.url(key)}?partNumber={number}&uploadId={upload}"',
                           f'upload-file = "{folder / str(number)}"', "fail",
                           f'dump-header = "{folder / str(number)}.etag"',
                           'header = "Content-Type: application/octet-stream"')
            for number in range(1, len(parts) + 1)])
        tags = [re.search(r'(?im)^etag: *"?([^"\r\n]+)', (folder / f"{number}.etag").read_text())[1]
                for number in range(1, len(parts) + 1)]
        client.complete_multipart_upload(
            **at, UploadId=upload, MultipartUpload={"Parts": [
                {"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, start=1)]})
        return time.perf_counter() - begin

    def duckdb_get(self, key):
        """Seconds until DuckDB holds all rows in memory, without its start."""
        server = self._server
        host = server.endpoint.removeprefix("http://")
        run = subprocess.run(
            ["duckdb", "-c", "SET extension_directory='/usr/lib/duckdb/extensions'; LOAD httpfs;",
             "-c", f"CREATE SECRET (TYPE s3, KEY_ID '{server.access_key}', "
             f"SECRET '{server.secret_key}', REGION '{server.region}', ENDPOINT '{host}', "
             "USE_SSL false, URL_STYLE 'path')", "-c", ".timer on", "-c",
             f"CREATE TEMP TABLE t AS FROM 's3://{self.part.bucket}/{self.part.prefix}{key}'"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        seconds = re.findall(r"(?:real|Run Time[^\n]*?real)\s+([0-9.]+)", run.stdout)
        if run.returncode != 0 or not seconds:
            raise RuntimeError(f"DuckDB does not read {key}: {run.stdout}{run.stderr}")
        return float(seconds[-1])


def _read(bench, server, name, rows):
    read = bench.client("c++", "get", server.uri, name)["reads"][-1]
    assert read["rows"] == rows, f"{server.name} gave {read['rows']} rows of {name}"
    return read["seconds"]


def _decode(file):
    """Seconds in which pyarrow decodes the file from the page cache, with all processors."""
    begin = time.perf_counter()
    pq.read_table(file)
    return time.perf_counter() - begin


def _add(bench, subject, contender, seconds, size):
    bench.results.add("s3", subject, "c++", contender, seconds=seconds,
                      mib_per_second=size / 2**20 / seconds)


@case("s3")
def s3(bench):
    """Over a bucket: whole reads from the store, memory and the local disk; uploads; listings."""
    store = Store()
    with contextlib.ExitStack() as stack:
        stack.callback(store.part.clear)
        for dataset in bench.shapes(usual=["big", "wide"]):
            with _subject(bench, dataset) as subject:
                _reads(bench, store, subject)
                _puts(bench, store, subject)
        _listings(bench, store)


def _reads(bench, store, subject):
    name, file, rows = subject.name, subject.file, subject.rows
    store.part.put(name, file.read_bytes())
    stored_bytes = file.stat().st_size
    with bench.folder() as cache:
        for number in range(-1, bench.rounds(5)):
            seconds = {}
            for contender in bench.order(number, (*HANGARS, "local", "curl", "duckdb")):
                if contender == "curl":
                    seconds["cold", contender] = (
                        store.curl_get(name, stored_bytes) + _decode(file))
                elif contender == "duckdb":
                    seconds["cold", contender] = store.duckdb_get(name)
                elif contender == "local":
                    with bench.serve("local", {name: file}) as server:
                        for state in ("cold", "second read, memory"):
                            seconds[state, contender] = _read(bench, server, name, rows)
                else:
                    with bench.serve_at(contender, store.part.uri()) as server:
                        for state in ("cold", "second read, memory"):
                            seconds[state, contender] = _read(bench, server, name, rows)
                    on_disk = ("--cache-disk", cache / contender)
                    if number < 0:  # The first one fills the cache.
                        with bench.serve_at(contender, store.part.uri(), on_disk) as server:
                            _read(bench, server, name, rows)
                    with bench.serve_at(contender, store.part.uri(), on_disk) as server:
                        seconds["disk cache", contender] = _read(bench, server, name, rows)
            if ("cold", "local") in seconds:
                seconds["disk cache", "local"] = seconds["cold", "local"]
            if number >= 0:
                for (state, contender), value in seconds.items():
                    _add(bench, f"{subject.title}, {state}", contender, value,
                         subject.arrow_bytes)


def _puts(bench, store, subject):
    name, file = subject.name, subject.file
    with contextlib.ExitStack() as stack:
        servers = {contender: stack.enter_context(
            bench.serve_at(contender, store.part.uri(), ("--keep-versions", "0")))
            for contender in bench.order(0, HANGARS)}
        servers["local"] = stack.enter_context(bench.serve("local", {}))
        parts = stack.enter_context(bench.folder())
        for number in range(-1, bench.rounds(3)):
            seconds = {}
            for contender in bench.order(number, (*HANGARS, "local", "curl")):
                store.part.clear()
                if contender == "curl":
                    seconds[contender] = store.curl_put(name, file, parts)
                    continue
                if contender == "local":
                    (servers["local"].folder / name).unlink(missing_ok=True)
                sent = bench.client("c++", "put", servers[contender].uri, name,
                                    *subject.put)
                assert sent["rows"] == subject.rows
                seconds[contender] = sent["seconds"]
            if number >= 0:
                for contender, value in seconds.items():
                    _add(bench, f"put {subject.title}", contender, value, subject.arrow_bytes)
                # The slower of the two is what an upload is measured by.
                if "local" in seconds and "curl" in seconds:
                    _add(bench, f"put {subject.title}, the slower of both", "curl",
                         max(seconds["local"], seconds["curl"]), subject.arrow_bytes)
    store.part.clear()


def _marked(data, number):
    """The same file, with a page's bytes that nobody reads here changed by the number."""
    return data[:4] + number.to_bytes(4, "little") + data[8:]


def _listings(bench, store):
    files = bench.data.many()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        # A footer is known by its version, which is that of the bytes: each has to be its own.
        list(pool.map(lambda at: store.part.put(at[1].name, _marked(at[1].read_bytes(), at[0])),
                      enumerate(files)))
    stored = {path.name: path for path in files}
    for number in range(bench.rounds(3)):
        for contender in bench.order(number, (*HANGARS, "local")):
            with (bench.serve("local", stored) if contender == "local"
                  else bench.serve_at(contender, store.part.uri())) as server:
                seen = bench.client("c++", "list", server.uri, "--repeat", 2)
                assert seen["datasets"] == len(files), f"{contender}: {seen['datasets']}"
                for state, value in zip(("first", "again"), seen["seconds"]):
                    bench.results.add("s3", f"list {len(files):,} datasets, {state}", "c++",
                                      contender, seconds=value)
