"""What a person at a terminal sees: lines that fit it, and a progress bar."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import DEADLINE_SECONDS

NAME = "a/dataset/with/quite/a/long/name/of/many/segments.parquet"


def on_terminal(hangar, *arguments, width, streams=("stdout", "stderr")):
    """What the command writes to a terminal of this width, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    files = {stream: theirs if stream in streams else subprocess.DEVNULL
             for stream in ("stdout", "stderr")}
    process = hangar.start(*arguments, stdin=subprocess.DEVNULL, **files)
    os.close(theirs)
    out = b""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        readable, _, _ = select.select([ours], [], [], deadline - time.monotonic())
        assert readable, f"the command hangs after {out!r}"
        try:
            chunk = os.read(ours, 1 << 16)
        except OSError:  # How Linux tells that the other side is closed.
            chunk = b""
        if not chunk:
            break
        out += chunk
    os.close(ours)
    return out.decode(), process.wait(timeout=DEADLINE_SECONDS)


@pytest.fixture
def table(hangar):
    table = pa.table({f"column {i}": pa.array(range(2_000_000), pa.int64()) for i in range(4)})
    pq.write_table(table, hangar.folder / "t.parquet")
    hangar("put", NAME, "t.parquet")
    return table


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_lines_fit_the_terminal(hangar, table, width):
    hangar("put", "dropped/" + NAME, "t.parquet", "-q")
    hangar("rm", "dropped/" + NAME, "-q")
    for command in [["ls"], ["head", NAME], ["schema", NAME], ["versions", NAME],
                    ["trash", "--prefix", "dropped/"], ["actions"]]:
        text, exit_code = on_terminal(hangar, *command, width=width)
        assert exit_code == 0
        lines = text.replace("\r\n", "\n").splitlines()
        assert len(lines) > 1
        assert max(len(line) for line in lines) <= width, (command, lines)
    text, _ = on_terminal(hangar, "ls", width=width)
    assert (NAME in text) == (width >= 120)


def test_nothing_is_cut_in_a_pipe(hangar, table):
    assert NAME in hangar("ls").stdout
    assert "column 3" in hangar("head", NAME).stdout.splitlines()[0]


@pytest.mark.parametrize("command", [["put", NAME, "t.parquet"],
                                     ["get", NAME, "-o", "copy.csv"]])
def test_progress_is_shown_on_a_terminal_and_taken_away(hangar, table, command):
    text, exit_code = on_terminal(hangar, *command, width=80, streams=["stderr"])
    assert exit_code == 0
    drawn = re.findall(r"\r([^\r]*?)\x1b\[K", text)
    assert len(drawn) >= 2, text
    assert all(len(line) < 80 for line in drawn)
    assert any(re.search(r"\[[=> ]+\] +\d+%  [0-9.]+ .?i?B/s  eta ", line) for line in drawn), drawn
    assert text.endswith("\r\x1b[K")


@pytest.mark.parametrize("width", [10, 20, 40])
def test_progress_fits_a_narrow_terminal(hangar, table, width):
    text, _ = on_terminal(hangar, "get", NAME, "-o", "copy.csv", width=width, streams=["stderr"])
    drawn = re.findall(r"\r([^\r]*?)\x1b\[K", text)
    assert drawn and all(len(line) < width for line in drawn)


def test_progress_is_not_shown_when_it_is_not_wanted(hangar, table):
    assert hangar("get", NAME, "-o", "copy.parquet").stderr == ""
    text, _ = on_terminal(hangar, "get", NAME, "-o", "copy.parquet", "-q", width=80)
    assert text == ""


def test_binary_formats_do_not_go_to_a_terminal(hangar, table):
    text, exit_code = on_terminal(hangar, "get", NAME, "-o", "-", width=200)
    assert exit_code == 1
    assert text.startswith("hangar: this format would garble the terminal")
    text, exit_code = on_terminal(hangar, "get", NAME, "-o", "-", "--format", "csv", "--limit", "1",
                                  width=200)
    assert (exit_code, text) == (0, "column 0,column 1,column 2,column 3\r\n0,0,0,0\r\n")


@pytest.mark.parametrize("answer,removed", [("y", True), ("n", False), ("", False)])
def test_emptying_the_trash_asks_first(hangar, answer, removed):
    pq.write_table(pa.table({"id": [1]}), hangar.folder / "t.parquet")
    for name in ("a", "b"):
        hangar("put", name, "t.parquet", "-q")
        hangar("rm", name, "-q")
    ours, theirs = pty.openpty()
    process = hangar.start("trash", "--empty", stdin=theirs, stderr=theirs,
                           stdout=subprocess.PIPE)
    os.close(theirs)
    asked = b""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not asked.endswith(b"[y/N] "):
        readable, _, _ = select.select([ours], [], [], deadline - time.monotonic())
        assert readable, f"the command does not ask: {asked!r}"
        asked += os.read(ours, 1 << 16)
    assert asked == b"Remove 2 dropped datasets for good? [y/N] "
    assert process.poll() is None
    os.write(ours, answer.encode() + b"\n")
    out, _ = process.communicate(timeout=DEADLINE_SECONDS)
    os.close(ours)
    assert process.returncode == (0 if removed else 1)
    assert out.decode().count("removed ") == (2 if removed else 0)
    assert hangar.lines("trash", "-q") == ([] if removed else ["a", "b"])
