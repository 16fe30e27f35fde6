"""hangar doctor tries the bucket as a server does, and says what keeps it from working."""

import json
import subprocess

import pytest

from faults import ForgetConditions, s3_error
from hangar_fixtures import DEADLINE_SECONDS, clean_environment


@pytest.fixture
def examine(hangar_binary, ceph):
    """A function that gives the findings by check, {check: (verdict, finding, advice)}, and says
    nothing of a secret."""
    def run(uri, *flags, **environment):
        variables = clean_environment({**ceph.environment(), **environment})
        done = subprocess.run([hangar_binary, "doctor", "--json", "--data", uri, "--listen",
                               "grpc://127.0.0.1:0", *flags], env=variables, text=True,
                              capture_output=True, timeout=DEADLINE_SECONDS, check=False)
        assert done.stderr == ""
        assert variables["AWS_SECRET_ACCESS_KEY"] not in done.stdout
        found = {}
        for line in done.stdout.splitlines():
            one = json.loads(line)
            assert bool(one["advice"]) == (one["verdict"] != "ok"), one
            found[one["check"]] = (one["verdict"], one["finding"], one["advice"])
        assert done.returncode == any(verdict == "problem" for verdict, _, _ in found.values())
        return found
    return run


def test_nothing_is_wrong_with_a_good_bucket(examine, ceph, bucket, tmp_path):
    found = examine(bucket.uri(), "--cache-disk", tmp_path / "cache", "--cache-disk-bytes", "1MiB")
    assert {check: found[check][0] for check in ("credentials", "bucket", "writers", "cache_disk")
            } == {"credentials": "ok", "bucket": "ok", "writers": "ok", "cache_disk": "ok"}
    assert ceph.access_key in found["credentials"][1]
    assert "AWS_ACCESS_KEY_ID" in found["credentials"][1]
    assert bucket.keys() == [] and bucket.uploads() == []


def test_where_the_credentials_come_from_is_said(examine, ceph, bucket, tmp_path):
    (tmp_path / "file").write_text(f"[team]\naws_access_key_id = {ceph.access_key}\n"
                                   f"aws_secret_access_key = {ceph.secret_key}\n")
    found = examine(bucket.uri() + "&profile=team",
                    AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "file"))
    assert found["bucket"][0] == "ok"
    assert "'team'" in found["credentials"][1]


def test_missing_credentials_are_a_problem(examine, bucket):
    found = examine(bucket.uri(), AWS_ACCESS_KEY_ID="")
    assert found["credentials"][0] == "problem" and "AWS_ACCESS_KEY_ID" in found["credentials"][1]
    assert "bucket" not in found


def test_wrong_credentials_are_a_problem(examine, bucket):
    found = examine(bucket.uri(), AWS_SECRET_ACCESS_KEY="this-is-not-it")
    verdict, finding, advice = found["bucket"]
    assert verdict == "problem" and "credentials" in finding and "key" in advice


def test_a_bucket_that_is_not_there_is_a_problem(examine, bucket):
    uri = bucket.uri().replace(bucket.bucket, "no-such-bucket", 1)
    verdict, finding, advice = examine(uri)["bucket"]
    assert verdict == "problem" and "no such bucket" in finding and "make the bucket" in advice


def test_a_store_that_is_not_there_is_a_problem(examine, bucket):
    verdict, finding, advice = examine(bucket.uri("http://127.0.0.1:1"))["bucket"]
    assert verdict == "problem" and "does not answer" in finding and "endpoint" in advice


def test_a_clock_that_is_wrong_is_a_problem(examine, bucket, proxy):
    proxy.arm(s3_error(403, "RequestTimeTooSkewed"), times=None)
    verdict, finding, advice = examine(bucket.uri(proxy.uri))["bucket"]
    assert verdict == "problem" and "clock" in finding and "clock" in advice


def test_a_store_that_does_not_decide_is_a_problem_unless_one_server_writes(examine, ceph, bucket,
                                                                            proxy):
    proxy.arm(ForgetConditions(ceph), times=None)
    verdict, finding, _ = examine(bucket.uri(proxy.uri))["writers"]
    assert verdict == "problem" and "--single-writer" in finding
    assert examine(bucket.uri(proxy.uri), "--single-writer")["writers"][0] == "warning"


def test_a_single_writer_that_need_not_be_one_is_told(examine, bucket):
    verdict, _, advice = examine(bucket.uri(), "--single-writer")["writers"]
    assert verdict == "warning" and "leave single_writer out" in advice


def test_a_cache_folder_that_is_none_is_a_problem(examine, bucket, tmp_path):
    (tmp_path / "file").write_text("")
    assert examine(bucket.uri(), "--cache-disk", tmp_path / "file" / "cache")["cache_disk"][0] == \
        "problem"
