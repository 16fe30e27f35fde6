#!/usr/bin/env python3
"""Checks that dependencies between the folders of src/ run one way: check_includes.py [PROJECT].

The table below is the design. An #include or a CMake link that it does not allow is reported with
its place, and the exit code is 1.
"""

import pathlib
import re
import sys

LOWER = {"catalog", "cache", "config", "schema", "store"}
USE_CASES = {"history", "read", "write", "access", "service"}

# folder -> the folders that it may include and link. OPEN_TO_ALL and the folder itself go without
# saying. A folder that is not here fails the check: its place has to be decided first.
MAY_USE = {
    "base": set(),
    "metrics": set(),
    "config": set(),
    "cache": set(),
    "schema": set(),
    "s3": set(),
    "store": {"s3"},
    "catalog": LOWER,
    "history": {"store"},
    "access": set(),
    "peers": {"access"},
    "decode": {"store"},
    "encode": set(),
    "read": LOWER | {"decode"},
    "write": LOWER | {"encode"},
    "service": LOWER | USE_CASES,
    "text": set(),
    "flight": {"service", "access", "peers", "text"},
    "http": {"service", "access", "text"},
    "app": LOWER | USE_CASES | {"flight", "http", "peers", "s3"},
    "admin": {"config", "access", "s3"},
    "client": set(),
    "files": set(),
    "sync": {"client", "files"},
    "cli": {"sync", "client", "files", "text"},
    "": {"app", "admin", "cli"},  # main.cc
}
OPEN_TO_ALL = {"base", "metrics"}

# A test needs something to work on: a store to hold it and what tests/support/ makes. That of the
# writer reads back what it wrote, that of the decoders has Arrow's reader for comparison.
TESTS_MAY_ALSO_USE = {"store", "support"}
TEST_OF_FOLDER_MAY_ALSO_USE = {"write": {"read"}, "decode": {"schema"}}
TEST_LIBRARIES = {"test_support", "test_arrays", "test_bucket"}

# Protocols end at the doors and begin at the client: nothing else may know them, but for peers,
# who ask each other how they are.
PROTOCOL_HEADER = re.compile(r"(arrow/flight/|grpc/|grpcpp/)")
SPEAK_PROTOCOL = {"flight", "client", "peers"}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
CMAKE_COMMENT = re.compile(r"#[^\n]*")
CMAKE_LINKS = re.compile(
    r"(hangar_library|hangar_test|hangar_benchmark|target_link_libraries)\s*\(\s*(\w+)([^)]*)\)"
)


def allowed_in(folder: str, is_test: bool) -> set[str]:
    allowed = MAY_USE[folder] | OPEN_TO_ALL | {folder}
    if folder == "base":
        allowed -= OPEN_TO_ALL - {"base"}
    if is_test:
        allowed |= TESTS_MAY_ALSO_USE | TEST_OF_FOLDER_MAY_ALSO_USE.get(folder, set())
    return allowed


def folder_of_include(name: str) -> str | None:
    """The folder of src/ that an included name lies in, or None where it lies elsewhere."""
    first, slash, rest = name.removeprefix("tests/").partition("/")
    return first if slash else None


def is_for_tests(path: pathlib.Path) -> bool:
    return path.stem.endswith(("_test", "_benchmark", "test_support"))


def check_source(path: pathlib.Path, folder: str, text: str) -> list[str]:
    allowed = allowed_in(folder, is_for_tests(path))
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        own, system = match.groups()
        used = folder_of_include(own) if own else None
        if own and ".." in own.split("/"):
            problems.append(f"{path}:{number}: \"{own}\": name the file from src/, without '..'")
        elif used is not None and used not in allowed:
            problems.append(f'{path}:{number}: {folder or "main.cc"} may not include "{own}"')
        elif (
            PROTOCOL_HEADER.match(system or own)
            and folder not in SPEAK_PROTOCOL
            and not is_for_tests(path)
        ):
            problems.append(f"{path}:{number}: {folder or 'main.cc'} may not know <{system or own}>")
    return problems


def check_links(path: pathlib.Path, folder: str, text: str) -> list[str]:
    problems = []
    for command, name, arguments in CMAKE_LINKS.findall(CMAKE_COMMENT.sub("", text)):
        is_test = command in ("hangar_test", "hangar_benchmark") or name.endswith("_test")
        allowed = allowed_in(folder, is_test) | {"options"} | (TEST_LIBRARIES if is_test else set())
        for link in re.findall(r"\bhangar_(\w+)", arguments):
            if link not in allowed:
                problems.append(f"{path}: {command}({name}) may not link hangar_{link}")
    return problems


def check(project: pathlib.Path) -> list[str]:
    source = project / "src"
    problems = []
    for path in sorted(source.rglob("*")):
        shown = path.relative_to(project)
        folder = shown.parts[1] if len(shown.parts) > 2 else ""
        is_cmake = path.name == "CMakeLists.txt"
        if not path.is_file() or not (is_cmake or path.suffix in (".h", ".cc")):
            continue
        if folder not in MAY_USE:
            problems.append(f"{shown}: tools/check_includes.py does not say what {folder}/ may use")
        elif is_cmake:
            problems += check_links(shown, folder, path.read_text())
        else:
            problems += check_source(shown, folder, path.read_text())
    return problems


def main() -> None:
    project = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    problems = check(project)
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
