"""The command line against the real server. HANGAR_BINARY names the program to test."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import json  # noqa: E402
import subprocess  # noqa: E402

import pytest  # noqa: E402

from hangar_fixtures import (  # noqa: E402, F401
    DEADLINE_SECONDS, clean_environment, hangar_binary, module_server, server, shared_server,
    start_server)
from tls_certificates import Authority  # noqa: E402


class CommandLine:
    """Runs `hangar` against one server, in a folder of its own."""

    def __init__(self, binary, uri, folder):
        self.binary = binary
        self.folder = folder
        # Profiles of whoever runs the tests are not theirs.
        self.environment = clean_environment({"HANGAR_SERVER": uri,
                                              "XDG_CONFIG_HOME": str(folder.parent / "config")})

    def __call__(self, *arguments, exit_code=0, **options):
        """The completed process, whose exit code has to be `exit_code`."""
        options = {"text": True, "cwd": self.folder, "env": self.environment, **options}
        done = subprocess.run([self.binary, *map(str, arguments)], capture_output=True,
                              timeout=DEADLINE_SECONDS, **options)
        assert done.returncode == exit_code, (done.returncode, done.stdout, done.stderr)
        return done

    def lines(self, *arguments, **options):
        """Standard output, line by line."""
        return self(*arguments, **options).stdout.splitlines()

    def json(self, *arguments):
        """The objects that the command prints with --output json."""
        return [json.loads(line) for line in self.lines(*arguments, "--output", "json")]

    def fails(self, *arguments, exit_code=1, **options):
        """The one sentence of a command that fails, without "hangar: "."""
        done = self(*arguments, exit_code=exit_code, **options)
        assert done.stdout == ""
        assert done.stderr.startswith("hangar: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr.removeprefix("hangar: ").removesuffix("\n")

    def start(self, *arguments, **options):
        """A process that runs on."""
        options = {"cwd": self.folder, "env": self.environment, **options}
        return subprocess.Popen([self.binary, *map(str, arguments)], **options)


@pytest.fixture
def hangar(hangar_binary, server, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return CommandLine(hangar_binary, server.uri, folder)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "ca")
