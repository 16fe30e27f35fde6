"""The HTTP door of the real server. HANGAR_BINARY names the program to test."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import pytest  # noqa: E402

from hangar_fixtures import (  # noqa: E402, F401
    ServerFactory, hangar_binary, start_server)
from http_steps import Http  # noqa: E402


def read_announcement(server):
    """Where the next door listens, as the server says line by line."""
    line = server._read_line()
    assert line.startswith("listening on http"), line
    return line.removeprefix("listening on ")


def _with_http(start):
    def start_with_http(*, flags=(), **options):
        server = start(flags=["--http", "127.0.0.1:0", *flags], **options)
        server.http = Http(read_announcement(server))
        return server
    return start_with_http


@pytest.fixture
def start_http(start_server):
    """A function that starts servers that speak HTTP, each with `http`, a way to talk to it."""
    return _with_http(start_server)


@pytest.fixture
def http_server(start_http):
    return start_http()


@pytest.fixture
def http(http_server):
    return http_server.http


@pytest.fixture(scope="module")
def module_http_server(hangar_binary, tmp_path_factory):
    """One server for all tests of a module that need no store of their own."""
    factory = ServerFactory(hangar_binary, tmp_path_factory.mktemp("shared"))
    yield _with_http(factory)()
    factory.finish()
