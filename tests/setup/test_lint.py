"""The checks of `make lint` find what they are there for, and nothing in what is right."""

import pathlib
import subprocess
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


def write_project(folder: pathlib.Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def check_includes(folder: pathlib.Path) -> subprocess.CompletedProcess:
    command = [sys.executable, TOOLS / "check_includes.py", folder]
    return subprocess.run(command, capture_output=True, text=True)


def check_text(folder: pathlib.Path, *names: str) -> subprocess.CompletedProcess:
    command = [sys.executable, TOOLS / "check_text.py"]
    return subprocess.run(
        command, cwd=folder, input="\n".join(names), capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("file", "include"),
    [
        ("src/flight/door.cc", '"service/dataset_service.h"'),
        ("src/service/service.cc", '"read/scan_plan.h"'),
        ("src/catalog/catalog.cc", '"store/object_store.h"'),
        ("src/catalog/catalog.cc", '"metrics/counter.h"'),
        ("src/catalog/catalog_test.cc", '"tests/support/memory.h"'),
        ("src/read/scan_test.cc", '"store/memory_store.h"'),
        ("src/write/dataset_writer_test.cc", '"read/scan_stream.h"'),
        ("src/flight/door.cc", "<arrow/flight/server.h>"),
        ("src/client/client.cc", "<arrow/flight/client.h>"),
        ("src/cli/put.cc", '"sync/sync_run.h"'),
        ("src/main.cc", '"app/serve_command.h"'),
        ("src/base/error.cc", '"base/text.h"'),
        ("src/base/error.cc", '"version.h"'),
        ("src/store/store.cc", "<vector>"),
    ],
)
def test_an_include_along_the_design_passes(tmp_path, file, include):
    write_project(tmp_path, {file: f"#include {include}\n"})
    found = check_includes(tmp_path)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize(
    ("file", "include"),
    [
        ("src/base/error.h", '"store/object_store.h"'),
        ("src/base/error.h", '"metrics/counter.h"'),
        ("src/store/local_store.cc", '"catalog/catalog.h"'),
        ("src/catalog/catalog.h", '"read/scan_plan.h"'),
        ("src/read/scan_plan.cc", '"write/dataset_writer.h"'),
        ("src/write/dataset_writer.cc", '"read/scan_stream.h"'),
        ("src/service/dataset_service.cc", '"flight/command.h"'),
        ("src/flight/door.cc", '"read/scan_plan.h"'),
        ("src/flight/door.cc", '"catalog/catalog.h"'),
        ("src/flight/door.cc", '"http/server.h"'),
        ("src/http/server.cc", '"flight/status_table.h"'),
        ("src/client/client.cc", '"flight/command.h"'),
        ("src/cli/list.cc", '"service/dataset_service.h"'),
        ("src/sync/sync_run.cc", '"cli/commands.h"'),
        ("src/main.cc", '"flight/door.h"'),
        ("src/catalog/catalog.cc", '"tests/support/memory.h"'),
        ("src/service/dataset_service.cc", "<arrow/flight/types.h>"),
        ("src/app/wire.cc", "<grpcpp/grpcpp.h>"),
        ("src/flight/door.cc", '"../read/scan_plan.h"'),
        ("src/newcomer/thing.cc", '"base/error.h"'),
    ],
)
def test_an_include_against_the_design_is_named_with_its_place(tmp_path, file, include):
    write_project(tmp_path, {file: f"// Comment.\n  #  include {include}\n"})
    found = check_includes(tmp_path)
    assert found.returncode == 1
    assert len(found.stderr.splitlines()) == 1
    if "newcomer" in file:
        assert "does not say what newcomer/ may use" in found.stderr
    else:
        assert found.stderr.startswith(f"{file}:2: ")
        assert include.strip('"<>') in found.stderr


def test_a_link_against_the_design_is_found(tmp_path):
    lists = """
hangar_library(flight
  SOURCES door.cc
  LINK hangar_service hangar_read  # the reader is not for doors
)
hangar_test(flight SOURCES door_test.cc LINK hangar_flight hangar_store hangar_test_support)
"""
    write_project(tmp_path, {"src/flight/CMakeLists.txt": lists})
    found = check_includes(tmp_path)
    assert found.returncode == 1
    assert found.stderr == "src/flight/CMakeLists.txt: hangar_library(flight) may not link hangar_read\n"


def test_this_project_keeps_to_the_design():
    found = check_includes(TOOLS.parent)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.cc", "int a;\t// x\n", "a.cc:1: a tab"),
        ("a.cc", "int a;\nint b; \n", "a.cc:2: blanks"),
        ("a.cc", "int a;", "a.cc: no newline"),
        ("a.cc", "int a;\n\n", "a.cc: empty lines"),
        ("a.py", "def f(:\n", "a.py:1: "),
        ("a.md", "[x](missing.md)\n", "the link to missing.md leads nowhere"),
        ("a.md", "# One\n\n[x](#two)\n", "has no heading for #two"),
        ("packaging/debian-packages.txt", "cmake\nccache\n", "not sorted"),
        ("packaging/debian-packages.txt", "cmake\ncmake\n", "a name twice"),
    ],
)
def test_untidy_text_is_named_with_its_place(tmp_path, name, text, complaint):
    write_project(tmp_path, {name: text})
    found = check_text(tmp_path, name)
    assert found.returncode == 1
    assert complaint in found.stderr


def test_tidy_text_passes(tmp_path):
    files = {
        "a.cc": "int a;\n",
        "Makefile": "all:\n\ttrue\n",
        "a.py": "print('hello')\n",
        "a.md": "# One two: `three`\n\n[x](b.md#more) [y](#one-two-three) [z](https://example.org)\n",
        "b.md": "## More\n\n```\n[not](a-link)\n```\n",
        "empty": "",
    }
    write_project(tmp_path, files)
    (tmp_path / "data.bin").write_bytes(b"\xff\xfe \t")
    found = check_text(tmp_path, *files, "data.bin", "deleted.cc")
    assert (found.returncode, found.stderr) == (0, "")
