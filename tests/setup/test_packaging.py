"""The container file and the toolchain stand on the same package list and existing files."""

import pathlib
import re

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
LIST = "packaging/debian-packages.txt"
CONTAINERFILE = (PROJECT / "packaging/Containerfile").read_text()


def test_the_container_and_dev_install_the_same_list_of_the_same_suite():
    dev = (PROJECT / "dev").read_text()
    suite = re.search(r"^readonly suite=(\w+)$", dev, re.MULTILINE)[1]
    assert f"$project/{LIST}" in dev
    assert f"COPY {LIST} /tmp/" in CONTAINERFILE
    images = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)
    assert images == [f"docker.io/library/debian:{suite}-slim"] * 2


def test_no_package_is_named_outside_the_list():
    installs = re.findall(r"apt-get install ([^\\\n&]*)", CONTAINERFILE)
    assert installs == ["-y --no-install-recommends "]


@pytest.mark.parametrize("line", re.findall(r"^COPY (?!--from)(.*)$", CONTAINERFILE, re.MULTILINE))
def test_what_is_copied_exists(line):
    *sources, _ = line.split()
    assert [name for name in sources if not (PROJECT / name).exists()] == []
