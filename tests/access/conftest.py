"""Who gets in, and how connections are kept private. HANGAR_BINARY names the program to test."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import pytest  # noqa: E402

from hangar_fixtures import (  # noqa: E402, F401
    hangar_binary, module_server, server, shared_server, start_server)
from tls_certificates import Authority  # noqa: E402


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "ca")
