#!/usr/bin/env python3
"""Packs the program with its libraries and loader: make_bundle.py PROGRAM OUTPUT.tar.gz.

The bundle runs on any Linux of the same architecture, from any folder, without root:

    NAME/bin/hangar          a launcher: starts the program with the bundle's own loader
    NAME/libexec/hangar      the program
    NAME/lib/                the loader and every shared library that the program needs
    NAME/licenses/           the copyright file of each Debian package that is in it
    NAME/README

The same inputs give the same bytes: entries are sorted, owners are root, and times are that of the
last commit (or SOURCE_DATE_EPOCH).
"""

import gzip
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent.parent
# Level 6 takes about twice the time of level 1 here and saves a quarter of the size.
GZIP_LEVEL = 6

LAUNCHER = """\
#!/bin/sh
# Starts the program with the loader and libraries that stand beside it.
case $0 in
  */*) self=$0 ;;
  *) self=./$0 ;;
esac
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=${{self%/*}}/$target ;;
  esac
done
home=$(CDPATH='' cd -- "${{self%/*}}/.." && pwd -P) || exit 1
exec "$home/lib/{loader}" --inhibit-cache --library-path "$home/lib" --argv0 "$0" "$home/libexec/hangar" "$@"
"""

README = """\
Hangar {version}: Parquet datasets over Arrow Flight.

    bin/hangar --help
    bin/hangar serve --data FOLDER

This folder holds everything that the program needs. It can be moved as a whole, and bin/hangar may
be linked to from a folder of your PATH. licenses/ holds the terms of the software in it.
"""


def fail(sentence: str) -> None:
    sys.exit(f"make_bundle: {sentence}")


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def shared_objects(program: pathlib.Path) -> dict[str, pathlib.Path]:
    """Every library that the program loads, by the name that it is asked for; with the loader."""
    found = {}
    for line in output_of("ldd", str(program)).splitlines():
        if "not found" in line:
            fail(f"{program} needs a library that is not there: {line.strip()}")
        named = re.match(r"\s*(\S+) => (/\S+) \(", line) or re.match(r"\s*()(/\S+) \(", line)
        if named:
            path = pathlib.Path(named[2])
            found[named[1] or path.name] = path.resolve()
    return found


def loader_name(libraries: dict[str, pathlib.Path]) -> str:
    names = [name for name in libraries if name.startswith("ld-linux")]
    if len(names) != 1:
        fail(f"expected one loader among the program's libraries, found {names}.")
    return names[0]


def owning_packages(paths: list[pathlib.Path]) -> set[str]:
    """The Debian packages that the files belong to."""
    packages = set()
    for path in paths:
        # A package may name its file below /lib, which is a link to /usr/lib.
        for spelling in (str(path), str(path).removeprefix("/usr")):
            asked = subprocess.run(["dpkg-query", "-S", spelling], capture_output=True, text=True)
            if asked.returncode == 0:
                packages.add(asked.stdout.split(":")[0])
                break
        else:
            fail(f"no Debian package owns {path}, so its licence is not known.")
    return packages


def built_in_packages() -> set[str]:
    """The development packages of the list: code of headers and static libraries is built in."""
    listed = (PROJECT / "packaging/debian-packages.txt").read_text().split("\n")
    return {line.strip() for line in listed if line.strip().endswith("-dev")}


def license_files(packages: set[str]) -> dict[str, pathlib.Path]:
    files = {}
    for package in packages:
        copyright_file = pathlib.Path("/usr/share/doc", package, "copyright")
        if not copyright_file.is_file():
            fail(f"{copyright_file} is missing; the bundle must carry it.")
        files[f"licenses/{package}.txt"] = copyright_file.resolve()
    # The copyright files refer to these instead of repeating them.
    for text in pathlib.Path("/usr/share/common-licenses").iterdir():
        files[f"licenses/common-licenses/{text.name}"] = text.resolve()
    own = PROJECT / "LICENSE"
    if own.is_file():
        files["LICENSE"] = own
    return files


def source_time() -> int:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    git = ["git", "-c", f"safe.directory={PROJECT}", "-C", str(PROJECT)]
    asked = subprocess.run([*git, "log", "-1", "--format=%ct"], capture_output=True, text=True)
    return int(asked.stdout) if asked.returncode == 0 and asked.stdout.strip() else 0


def project_version() -> str:
    text = (PROJECT / "CMakeLists.txt").read_text()
    return re.search(r"^project\(hangar VERSION ([0-9.]+)", text, re.MULTILINE)[1]


def gather(program: pathlib.Path, scratch: pathlib.Path) -> dict[str, tuple[pathlib.Path, int]]:
    """The bundle's entries: path within it -> (file, mode)."""
    libraries = shared_objects(program)
    stripped = scratch / "hangar"
    subprocess.run(["strip", "-o", str(stripped), str(program)], check=True)
    launcher = scratch / "launcher"
    launcher.write_text(LAUNCHER.format(loader=loader_name(libraries)))
    readme = scratch / "README"
    readme.write_text(README.format(version=project_version()))

    entries = {
        "README": (readme, 0o644),
        "bin/hangar": (launcher, 0o755),
        "libexec/hangar": (stripped, 0o755),
    }
    for name, path in libraries.items():
        entries[f"lib/{name}"] = (path, 0o755)
    packages = owning_packages(list(libraries.values())) | built_in_packages()
    for name, path in license_files(packages).items():
        entries[name] = (path, 0o644)
    return entries


def pack(entries: dict[str, tuple[pathlib.Path, int]], output: pathlib.Path) -> None:
    top = output.name.removesuffix(".tar.gz")
    time = source_time()
    unfinished = output.with_name(output.name + ".new")
    with open(unfinished, "wb") as raw, gzip.GzipFile(
        filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=raw, mtime=0
    ) as packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(entries):
            path, mode = entries[name]
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size = path.stat().st_size
            entry.mode = mode
            entry.mtime = time
            entry.uname = entry.gname = "root"
            with open(path, "rb") as content:
                tar.addfile(entry, content)
    unfinished.rename(output)


def main() -> None:
    if len(sys.argv) != 3:
        fail("usage: make_bundle.py PROGRAM OUTPUT.tar.gz")
    program, output = map(pathlib.Path, sys.argv[1:])
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        pack(gather(program, pathlib.Path(scratch)), output)
    print(f"{output}: {output.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
