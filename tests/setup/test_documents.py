"""What the documents name exists, and the commands that they mark `sh test` work."""

import os
import pathlib
import re
import shlex
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
# Where the documents say build/release, CTest means the build that it tests.
BUILD = os.environ.get("HANGAR_BUILD", "build/release")
DOCUMENTS = [
    path
    for path in [*sorted(PROJECT.glob("*.md")), *sorted(PROJECT.glob("docs/*.md"))]
    if path.is_file()
]
FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
FOLDERS = r"(?:\.ci|benchmarks|cmake|docs|examples|packaging|src|tests|tools)"
PATH = re.compile(rf"(?<![\w./-]){FOLDERS}/[\w./-]*\w")


def snippets(document: pathlib.Path) -> list[str]:
    """Everything that the document sets as code."""
    text = document.read_text()
    return [body for _, body in FENCED.findall(text)] + CODE.findall(FENCED.sub("", text))


def blocks_to_run() -> list:
    return [
        pytest.param(body, id=f"{document.relative_to(PROJECT)}-{number}")
        for document in DOCUMENTS
        for number, (info, body) in enumerate(FENCED.findall(document.read_text()), 1)
        if info.split() == ["sh", "test"]
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_make_targets_presets_and_files_that_are_named_exist(document):
    targets = set(re.findall(r"^([a-z0-9-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    presets = set(re.findall(r'"name": "([\w-]+)"', (PROJECT / "CMakePresets.json").read_text()))
    missing = []
    for snippet in snippets(document):
        named_targets = re.findall(r"(?:^|&& )make ([a-z0-9-]+)", snippet, re.MULTILINE)
        missing += [f"make {name}" for name in named_targets if name not in targets]
        named_presets = re.findall(r"--preset ([\w-]+)", snippet)
        missing += [f"--preset {name}" for name in named_presets if name not in presets]
        missing += [name for name in PATH.findall(snippet) if not (PROJECT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("block", blocks_to_run())
def test_the_commands_work(block):
    commands = block.replace("build/release", shlex.quote(BUILD))
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=PROJECT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
