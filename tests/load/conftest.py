"""Many clients, and bad ones, against the real server. HANGAR_BINARY names the program to test.

What runs by default is short. HANGAR_FAULT=long makes it as much as `amount` says in each test.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent / "support"), str(_HERE)]

import pytest  # noqa: E402

from hangar_fixtures import hangar_binary, server, start_server  # noqa: E402, F401
from raw_flight import RawFlight  # noqa: E402


@pytest.fixture
def raw(server):
    with RawFlight(server) as connection:
        yield connection
