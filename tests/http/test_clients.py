"""Programs that know nothing of Hangar read datasets over HTTP."""

import json
import re
import subprocess

import pandas
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import DEADLINE_SECONDS
from http_steps import numbers, parquet_bytes

TABLE = numbers(200_000)


@pytest.fixture(scope="module")
def url(module_http_server):
    http = module_http_server.http
    body = parquet_bytes(TABLE, row_group_size=20_000)
    assert http.put("/v1/datasets/shop/trips.parquet", body).status == 201
    return http.uri + "/v1/datasets/shop/trips.parquet"


def duckdb(sql):
    run = subprocess.run(
        ["duckdb", "-json", "-c", "SET extension_directory='/usr/lib/duckdb/extensions';"
         " LOAD httpfs; " + sql],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, run.stderr
    # Warnings may stand before the answer.
    return json.loads(re.search(r"\[\{.*\]$", run.stdout.strip(), re.DOTALL)[0])


def test_duckdb_reads_a_dataset_by_its_address(url):
    rows = duckdb(f"SELECT count(*) AS c, sum(n)::BIGINT AS s FROM '{url}'")
    assert rows == [{"c": TABLE.num_rows, "s": sum(range(TABLE.num_rows))}]


def test_duckdb_fetches_only_the_parts_that_it_needs(start_http):
    server = start_http(flags=["--log-format", "json"])
    body = parquet_bytes(TABLE, row_group_size=20_000)
    server.http.put("/v1/datasets/t.parquet", body)
    url = server.http.uri + "/v1/datasets/t.parquet"
    assert duckdb(f"SELECT text FROM '{url}' WHERE n = 123456") == [{"text": "row 123456"}]
    calls = [json.loads(line) for line in server.log().splitlines()]
    parts = [call for call in calls if call.get("http_status") == 206]
    assert parts
    assert sum(int(call.get("bytes_out", 0)) for call in calls if call.get("method") ==
               "GetDataset") < len(body) // 2


def test_pandas_reads_a_dataset_by_its_address(url):
    frame = pandas.read_parquet(url)
    assert len(frame) == TABLE.num_rows and frame["n"].sum() == sum(range(TABLE.num_rows))
    assert len(pandas.read_csv(url + "?format=csv&limit=10")) == 10
    assert len(pandas.read_json(url + "?format=jsonl&limit=10", lines=True)) == 10


def test_curl_resumes_and_checks_for_changes(url, tmp_path):
    curl = ["curl", "-sS", "--fail", "--max-time", str(DEADLINE_SECONDS)]
    tag = tmp_path / "tag"
    subprocess.run([*curl, "--etag-save", tag, "-o", tmp_path / "t.parquet", url], check=True)
    assert pq.read_table(tmp_path / "t.parquet").equals(TABLE)
    again = subprocess.run([*curl, "--etag-compare", tag, "-o", tmp_path / "again", "-w",
                            "%{http_code}", url], check=True, capture_output=True, text=True)
    assert again.stdout == "304" and not (tmp_path / "again").exists()
