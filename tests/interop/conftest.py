"""Real clients against the real server. HANGAR_BINARY names the program to test."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import pytest  # noqa: E402

from hangar_fixtures import (  # noqa: E402, F401
    hangar_binary, module_server, server, shared_server, start_server)
from raw_flight import RawFlight  # noqa: E402


@pytest.fixture
def raw(server):
    with RawFlight(server) as connection:
        yield connection
