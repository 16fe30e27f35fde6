"""The S3 server that tests run against, and a look at what it stores that does not pass through
Hangar.

    with running_ceph() as server:
        part = server.part("some-test")
        part.put("trips.parquet", data)
        hangar serve --data part.uri()       # in the environment server.environment()
"""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import urllib.parse
import uuid

import boto3
import botocore.config
import botocore.exceptions

_STAGING = "_hangar/staging/"
_CEPH = pathlib.Path(__file__).resolve().parent.parent / "s3" / "ceph.sh"
# Prints what ceph.sh puts into the environment, and lives until its standard input ends.
_TELL_AND_WAIT = 'env | grep -E "^(AWS_|HANGAR_S3_)"; echo; exec cat'


class S3Server:
    """Where a server is and who may use it, from AWS_ENDPOINT_URL and its like."""

    def __init__(self, environment):
        self.endpoint = environment["AWS_ENDPOINT_URL"]
        self.region = environment["AWS_REGION"]
        self.access_key = environment["AWS_ACCESS_KEY_ID"]
        self.secret_key = environment["AWS_SECRET_ACCESS_KEY"]
        self.bucket = environment["HANGAR_S3_BUCKET"]

    def environment(self):
        """The variables that let a program in. Others of the one who runs the tests are masked."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "AWS_REGION": self.region, "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null",
                "AWS_EC2_METADATA_DISABLED": "true"}

    def client(self, endpoint=None):
        """boto3's client, which tries everything once. One thread at a time is the safe use of what
        it answers with; the client itself may be shared."""
        config = botocore.config.Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1},
            max_pool_connections=32, proxies={}, connect_timeout=10, read_timeout=60)
        return boto3.client("s3", endpoint_url=endpoint or self.endpoint, region_name=self.region,
                            aws_access_key_id=self.access_key,
                            aws_secret_access_key=self.secret_key, config=config)

    def part(self, name):
        """A new part of the bucket, whose prefix begins with `name`."""
        return BucketPart(self, f"{name}-{uuid.uuid4().hex[:12]}/")


class BucketPart:
    """The objects below a prefix. Keys are given and taken without it."""

    def __init__(self, server, prefix):
        self.server = server
        self.bucket = server.bucket
        self.prefix = prefix
        self.client = server.client()

    def uri(self, endpoint=None, **options):
        """What --data takes: s3://BUCKET/PREFIX?endpoint=..., at the server or at another endpoint,
        that of a proxy for example."""
        options = urllib.parse.urlencode(
            {"endpoint": endpoint or self.server.endpoint, "region": self.server.region, **options},
            safe=":/")
        return f"s3://{self.bucket}/{self.prefix}?{options}"

    def at(self, key):
        """The arguments with which boto3 names an object: `client.head_object(**part.at(key))`."""
        return {"Bucket": self.bucket, "Key": self.prefix + key}

    def put(self, key, data, **conditions):
        """Stores bytes as any other program would, and gives the ETag, without quotes."""
        return self.client.put_object(**self.at(key), Body=data, **conditions)["ETag"].strip('"')

    def get(self, key):
        return self.client.get_object(**self.at(key))["Body"].read()

    def etag(self, key):
        """The ETag, without quotes; None when there is no such object."""
        try:
            return self.client.head_object(**self.at(key))["ETag"].strip('"')
        except botocore.exceptions.ClientError as error:
            if status_of(error) != 404:
                raise
            return None

    def delete(self, key, **conditions):
        self.client.delete_object(**self.at(key), **conditions)

    def keys(self):
        """All keys, in the order of the listing."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix)
        return [entry["Key"].removeprefix(self.prefix)
                for page in pages for entry in page.get("Contents", [])]

    def etags(self):
        """The ETag of each key."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix)
        return {entry["Key"].removeprefix(self.prefix): entry["ETag"]
                for page in pages for entry in page.get("Contents", [])}

    def unpublished(self):
        """What Hangar has begun to store and not published. An upload without parts, such as one
        whose beginner was not told that it had begun, holds nothing."""
        staged = [key for key in self.keys() if key.startswith(_STAGING)]
        return staged + [key for key, upload in self.uploads() if self._has_parts(key, upload)]

    def _has_parts(self, key, upload):
        try:
            return "Parts" in self.client.list_parts(**self.at(key), UploadId=upload, MaxParts=1)
        except botocore.exceptions.ClientError as error:
            if status_of(error) != 404:
                raise
            return False  # It ended meanwhile.

    def uploads(self):
        """The (key, upload id) of every multipart upload that was begun and not ended."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.bucket, Prefix=self.prefix)
        return [(entry["Key"].removeprefix(self.prefix), entry["UploadId"])
                for page in pages for entry in page.get("Uploads", [])]

    def sweep(self):
        """Removes what was begun and is not published, as a server does a day later."""
        self._remove(key for key in self.keys() if key.startswith(_STAGING))

    def clear(self):
        """Deletes all objects and ends all uploads."""
        self._remove(self.keys())

    def _remove(self, keys):
        for key, upload_id in self.uploads():
            self.client.abort_multipart_upload(**self.at(key), UploadId=upload_id)
        for key in keys:
            self.delete(key)


def status_of(error):
    """The HTTP status of what boto3 raised."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


@contextlib.contextmanager
def running_ceph():
    """An S3Server that is there: the one that the environment names, else a Ceph of our own that
    ends with the block, or with this process."""
    if "HANGAR_S3_BUCKET" in os.environ:
        yield S3Server(os.environ)
        return
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([_CEPH, "run", "sh", "-c", _TELL_AND_WAIT], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
        with process:
            told = {}
            # An empty line is the last one.
            while line := process.stdout.readline().rstrip("\n"):
                name, _, told[name] = line.partition("=")
            if "AWS_ENDPOINT_URL" not in told:
                said.seek(0)
                raise RuntimeError("Ceph did not start: " + said.read().decode(errors="replace"))
            yield S3Server(told)
