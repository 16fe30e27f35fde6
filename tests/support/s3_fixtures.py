"""Pytest fixtures of the S3 server and of a test's own part of it. See s3_server.py."""

import re

import pytest

from s3_server import running_ceph


@pytest.fixture(scope="session")
def ceph():
    """The S3 server of this run, an `S3Server`."""
    with running_ceph() as server:
        yield server


@pytest.fixture
def bucket(ceph, request):
    """A part of a bucket that is this test's own, a `BucketPart`; nothing stays of it."""
    part = ceph.part(re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:60])
    yield part
    part.clear()
