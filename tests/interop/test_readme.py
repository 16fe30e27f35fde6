"""What README.md tells a newcomer to type works as it stands."""

import os
import pathlib
import re
import subprocess
import sys

README = pathlib.Path(__file__).parents[2] / "README.md"
DEFAULT_SERVER = "grpc://127.0.0.1:8815"
DEFAULT_HTTP = "http://127.0.0.1:8816"


def block(language, containing):
    """The one fenced block of README.md in that language that holds the text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.M | re.S)
    [found] = [text for text in blocks if containing in text]
    return found


def test_five_minutes_with_pyarrow(server, tmp_path):
    code = block("python", "flight.connect").replace(DEFAULT_SERVER, server.uri)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "uploaded.parquet 3 rows" in done.stdout
    assert "Mario" in done.stdout
    assert "{'Character': ['Luigi', 'Peach']}" in done.stdout


def test_five_minutes_with_the_command_line(server, hangar_binary, tmp_path):
    code = block("sh", "printf").replace("$PWD/build/release",
                                             str(pathlib.Path(hangar_binary).parent))
    done = subprocess.run(["bash", "-euxc", code], cwd=tmp_path, text=True, capture_output=True,
                          env=os.environ | {"HANGAR_SERVER": server.uri}, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"heroes\.parquet\s+2\s", done.stdout)
    assert (tmp_path / "heroes.jsonl").read_text() == '{"name":"Mario"}\n'


def test_from_anywhere_else(start_server, tmp_path):
    server = start_server(flags=["--http", "127.0.0.1:0"])
    (tmp_path / "heroes.csv").write_text("id,name\n1,Mario\n2,Luigi\n")
    code = block("sh", "curl -T").replace(DEFAULT_HTTP, server.next_uri())
    done = subprocess.run(["bash", "-euxc", code], cwd=tmp_path, text=True, capture_output=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "Luigi" in done.stdout
    assert "Mario" not in done.stdout
