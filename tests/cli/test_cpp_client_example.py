"""examples/cpp-client, built as its own project against an installed client library."""

import os
import pathlib
import subprocess

import pytest

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "cpp-client"


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    build = os.environ.get("HANGAR_BUILD")
    if not build:
        pytest.skip("HANGAR_BUILD is not set: it names the build folder to install from")
    folder = tmp_path_factory.mktemp("cpp-client")
    prefix = folder / "prefix"

    def run(*command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    run("cmake", "--install", build, "--prefix", prefix, "--component", "development")
    assert (prefix / "include/hangar/client.h").is_file()
    run("cmake", "-S", EXAMPLE, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_CXX_COMPILER=clang++")
    run("cmake", "--build", folder / "build")
    return folder / "build" / "cpp-client"


def test_it_stores_lists_reads_and_drops(example, server):
    done = subprocess.run([example, server.uri], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("stored 3 rows as examples/cpp-client.parquet, version ")
    assert lines[1] == "examples/cpp-client.parquet: 3 rows"
    assert lines[2:4] == ["degrees: double", "city: string"]
    assert "Pune" in done.stdout
    assert not (server.data / "examples").exists()


def test_it_says_when_there_is_no_server(example):
    done = subprocess.run([example, "grpc+unix:///no-such-folder/socket"], capture_output=True,
                          text=True)
    assert done.returncode == 1
    assert done.stderr == ("UNAVAILABLE: cannot reach grpc+unix:///no-such-folder/socket "
                           '(No such file or directory): is "hangar serve" running there?\n')


def test_it_goes_on_at_the_next_of_several_servers(example, server):
    servers = f"grpc+unix:///no-such-folder/socket,{server.uri}"
    done = subprocess.run([example, servers], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("stored 3 rows as examples/cpp-client.parquet, version ")
