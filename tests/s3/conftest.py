"""Hangar over a real S3 server. HANGAR_BINARY names the program to test.

Ceph is started for the run. Where HANGAR_S3_BUCKET is set, the server that AWS_ENDPOINT_URL and the
other AWS_* variables name is taken instead, which is how `make test-s3` lets all suites share one.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import pytest  # noqa: E402

from fault_proxy import FaultProxy  # noqa: E402
from hangar_fixtures import hangar_binary, start_server  # noqa: E402, F401
from s3_fixtures import bucket, ceph  # noqa: E402, F401


@pytest.fixture
def bucket_uri(bucket):
    """What --data takes to serve `bucket`."""
    return bucket.uri()


@pytest.fixture
def proxy(ceph):
    """A `FaultProxy` before the S3 server; `bucket.uri(proxy.uri)` leads through it."""
    with FaultProxy(ceph.endpoint) as standing:
        yield standing


@pytest.fixture
def start_s3_server(start_server, ceph, bucket):
    """A function that starts servers on `bucket`: `start_s3_server(through=proxy)`. Options are
    those of `hangar_fixtures.Server`."""
    def start(*, through=None, environment=None, **options):
        uri = bucket.uri(through.uri if through else None)
        return start_server(data=uri, environment={**ceph.environment(), **(environment or {})},
                            **options)
    return start
