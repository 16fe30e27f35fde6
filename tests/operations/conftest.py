"""What operators meet: settings, checks, packages, metrics, logs, proxies. HANGAR_BINARY names the
program to test."""

import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import pytest  # noqa: E402

from hangar_fixtures import (  # noqa: E402, F401
    DEADLINE_SECONDS, clean_environment, hangar_binary, module_server, server, shared_server,
    start_server)


@pytest.fixture
def hangar(hangar_binary, tmp_path):
    """Runs a command of the program, in an empty folder, to its end."""

    def run(*arguments, environment=None, wrapper=()):
        return subprocess.run(
            [*wrapper, hangar_binary, *map(str, arguments)], capture_output=True, text=True,
            cwd=tmp_path, timeout=DEADLINE_SECONDS, env=clean_environment(environment))

    return run
