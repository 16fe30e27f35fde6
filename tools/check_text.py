#!/usr/bin/env python3
"""Checks the text files named on standard input, one a line: check_text.py < LIST.

No tabs (but in a Makefile) and no blanks at a line's end, a newline at the end of each file, Python
that parses, links in documents that lead somewhere, and a sorted package list without doubles.
"""

import ast
import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PACKAGE_LIST = "packaging/debian-packages.txt"


def check_lines(path: pathlib.Path, text: str) -> list[str]:
    problems = []
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line and path.name != "Makefile":
            problems.append(f"{path}:{number}: a tab")
        if line != line.rstrip():
            problems.append(f"{path}:{number}: blanks at the end of the line")
    if text and not text.endswith("\n"):
        problems.append(f"{path}: no newline at the end")
    elif text.endswith("\n\n"):
        problems.append(f"{path}: empty lines at the end")
    return problems


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, spelled as the common Markdown viewers do."""
    spelled = set()
    for heading in HEADING.findall(FENCED.sub("", text)):
        words = re.sub(r"[^\w\- ]", "", heading.lower())
        spelled.add(words.replace(" ", "-"))
    return spelled


def check_links(path: pathlib.Path, text: str) -> list[str]:
    problems = []
    for target in LINK.findall(FENCED.sub("", text)):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        if not linked.exists():
            problems.append(f"{path}: the link to {target} leads nowhere")
        elif anchor and linked.suffix == ".md" and anchor not in anchors(linked.read_text()):
            problems.append(f"{path}: {linked} has no heading for #{anchor}")
    return problems


def check_python(path: pathlib.Path, text: str) -> list[str]:
    try:
        ast.parse(text, str(path))
    except SyntaxError as error:
        return [f"{path}:{error.lineno}: {error.msg}"]
    return []


def check_package_list(path: pathlib.Path, text: str) -> list[str]:
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [] if names == sorted(set(names)) else [f"{path}: not sorted, or a name twice"]


def check(path: pathlib.Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []  # binary: sample data
    problems = check_lines(path, text)
    if path.suffix == ".md":
        problems += check_links(path, text)
    if path.suffix == ".py":
        problems += check_python(path, text)
    if str(path) == PACKAGE_LIST:
        problems += check_package_list(path, text)
    return problems


def main() -> None:
    paths = [pathlib.Path(line) for line in sys.stdin.read().splitlines()]
    problems = [problem for path in paths if path.is_file() for problem in check(path)]
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
