"""The servers that are compared, each started on a free port with a folder of its own."""

import contextlib
import functools
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

TITLES = {
    "hangar": "Hangar",
    "base": "Hangar, base",
    "streaming": "recipe, streaming",
    "table": "recipe, whole table",
    "bare": "bare Flight",
    "local": "Hangar over a folder",
    "curl": "curl",
    "duckdb": "DuckDB",
}

_ANNOUNCEMENT = "listening on "


class Contender:
    """A running server: `uri` reaches it, `folder` holds its files."""

    def __init__(self, name, command, folder, log):
        self.name = name
        self.folder = folder
        # A benchmark that is killed takes its servers with it.
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=log, text=True)
        line = self._process.stdout.readline().strip()
        if not line.startswith(_ANNOUNCEMENT):
            self.stop()
            raise RuntimeError(f"{name} did not start; it said {line!r}, and its log {log.name}")
        self.uri = line.removeprefix(_ANNOUNCEMENT)

    def reset_peak(self):
        """Counts the peak of resident memory anew from here."""
        pathlib.Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def peak_mib(self):
        """The most memory that was resident at any time since the start or the last reset."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        return int(kib) / 1024

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@functools.cache
def has_flag(binary, flag):
    """Whether this build of Hangar knows a flag of `serve`; a base of older times may not."""
    run = subprocess.run([binary, "serve", "--help"], capture_output=True, text=True)
    return flag in run.stdout


def _hangar_command(binary, folder, flags, no_cache):
    command = [binary, "serve", "--data", folder, "--listen", "grpc://127.0.0.1:0",
               "--log-level", "warning", *flags]
    if no_cache and has_flag(binary, "--cache-memory"):
        command += ["--cache-memory", "0"]
    return command


class Starter:
    """Knows how to start each contender that takes part in this run."""

    def __init__(self, binaries, names, hangar_flags, log_path):
        """`binaries` maps hangar, base and bare_flight_server to their programs."""
        self._binaries = binaries
        self.names = names
        self._hangar_flags = hangar_flags
        self._log_path = log_path

    def _command(self, name, folder, no_cache, flags):
        if name in ("hangar", "base", "local"):
            binary = self._binaries["hangar" if name == "local" else name]
            return _hangar_command(binary, folder, [*self._hangar_flags, *flags], no_cache)
        if name == "bare":
            return [self._binaries["bare_flight_server"], folder]
        return [sys.executable, HERE / "recipe_server.py", name, folder]

    @contextlib.contextmanager
    def start(self, name, folder, *, no_cache=False, flags=()):
        """`folder` may be the address of a bucket, and `flags` are further ones, where it is
        Hangar."""
        with open(self._log_path, "a") as log:
            server = Contender(name, self._command(name, folder, no_cache, flags), folder, log)
        try:
            yield server
        finally:
            server.stop()
