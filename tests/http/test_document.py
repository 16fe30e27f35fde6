"""What docs/http.md tells its reader to type works as it stands."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from hangar_fixtures import DEADLINE_SECONDS, clean_environment

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "http.md"
ADDRESS = "http://127.0.0.1:8816"
COMMANDS = {
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "python": [sys.executable, "-c"],
    "sql": ["duckdb", "-csv", "-bail", "-c",
            "SET extension_directory='/usr/lib/duckdb/extensions'; LOAD httpfs;", "-c"],
}


def blocks():
    """Language and text of each fenced block, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)


def type_all(http, folder, variables):
    """Runs block after block, as a reader does, and gives what each printed."""
    printed = []
    for language, text in blocks():
        done = subprocess.run(
            [*COMMANDS[language], text.replace(ADDRESS, http.uri)], cwd=folder, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE_SECONDS,
            env=clean_environment() | variables)
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        printed.append((text, done.stdout))
    return printed


@pytest.fixture
def printed(http, tmp_path):
    """What the block that contains a text printed."""
    all_ = type_all(http, tmp_path, {"HANGAR_TOKEN": "unused"})

    def of(containing):
        [output] = [output for text, output in all_ if containing in text]
        return output
    return of


def test_every_block_of_the_document_works(printed, http, tmp_path):
    assert printed("columns=city,fare").endswith(
        '{"city":"Oslo","fare":12.5}\n{"city":"Bergen","fare":7.0}\n')
    assert "Oslo,12.5\n" in printed("avg(fare)") and "Bergen,7.0\n" in printed("avg(fare)")
    assert "Bergen" in printed("read_parquet") and "pyarrow.Table" in printed("read_parquet")
    assert printed("Accept: text/csv").startswith('id,city,fare\n1,Oslo,12.5\n')
    assert printed("etag-save").endswith("PAR1")
    assert '"repeated":true' in printed("Idempotency-Key: \"nightly")
    assert (tmp_path / "trips.parquet").read_bytes() == (
        http.get("/v1/datasets/trips.parquet").body)
    assert http.get("/v1/datasets/archive/zipped?format=csv").status == 200


def test_the_block_with_a_token_shows_who_is_asking(start_http, hangar_binary, tmp_path):
    tokens = tmp_path / "tokens.toml"
    created = subprocess.run(
        [hangar_binary, "token", "create", "--name", "reader", "--token-file", tokens, "--grant",
         "read:**"], check=True, capture_output=True, text=True, timeout=DEADLINE_SECONDS,
        env=clean_environment())
    http = start_http(flags=["--token-file", str(tokens)], authorization="Bearer " +
                      created.stdout.strip()).http
    [text] = [text for _, text in blocks() if "$HANGAR_TOKEN" in text]
    for token, exit_code in ((created.stdout.strip(), 0), ("another", 22)):
        done = subprocess.run(
            [*COMMANDS["sh"], text.replace(ADDRESS, http.uri)], text=True, capture_output=True,
            timeout=DEADLINE_SECONDS, env=clean_environment() | {"HANGAR_TOKEN": token})
        assert done.returncode == exit_code, done.stdout


def test_every_route_and_status_is_in_the_document(http):
    description = http.get("/v1/openapi.json").json()
    text = DOCUMENT.read_text()
    for path, operations in description["paths"].items():
        named = path.replace("{name}", "NAME")
        assert f"`{named}`" in text or path == "/", path
        for operation in operations.values():
            for status in operation["responses"]:
                assert re.search(rf"\b{status}\b", text), (path, status)
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    assert re.search(rf"`{parameter['name']}\b", text), parameter["name"]
