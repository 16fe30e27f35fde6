"""What /metrics shows: judged by promtool, and exact after calls that are known."""

import collections
import pathlib
import re
import subprocess
import urllib.request

import numpy
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_steps import command, get, path, put
from hangar_fixtures import eventually

ALERTS = (pathlib.Path(__file__).resolve().parents[2] / "packaging" / "prometheus" /
          "hangar-alerts.yml")
SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')

TABLE = pa.table({"number": pa.array(range(1000), pa.int64())})
TABLE_BYTES = 8 * TABLE.num_rows


class Metrics:
    """One look at the metrics."""

    def __init__(self, url):
        with urllib.request.urlopen(url, timeout=60) as answer:
            self.content_type = answer.headers["content-type"]
            self.text = answer.read().decode()
        self.samples = {}
        for line in self.text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = SAMPLE.match(line).groups()
            self.samples[name, frozenset(LABEL.findall(labels or ""))] = float(value)

    def __call__(self, name, **labels):
        return self.samples[name, frozenset(labels.items())]

    def calls(self, method, code="OK", door="flight"):
        return self("hangar_calls_total", door=door, method=method, code=code)


@pytest.fixture
def measured(start_server):
    """A server, and a function that looks at its metrics."""
    server = start_server(flags=["--metrics", "127.0.0.1:0"])
    url = server.next_uri()
    return server, lambda: Metrics(url)


def test_promtool_finds_nothing_to_complain_about(measured):
    server, look = measured
    client = server.client()
    put(client, "a.parquet", TABLE)
    get(client, "a.parquet")
    checked = subprocess.run(["promtool", "check", "metrics"], input=look().text,
                             capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_content_type_names_the_format(measured):
    _, look = measured
    assert look().content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_a_put_and_a_get_count_once_with_their_rows_and_bytes(measured):
    server, look = measured
    client = server.client()
    before = look()
    put(client, "a.parquet", TABLE)
    assert get(client, "a.parquet").num_rows == TABLE.num_rows
    get(client, command("a.parquet", limit=10))
    after = look()

    def grown(name, **labels):
        return after(name, **labels) - before(name, **labels)

    assert after.calls("DoPut") - before.calls("DoPut") == 1
    assert after.calls("DoGet") - before.calls("DoGet") == 2
    assert after.calls("GetFlightInfo") - before.calls("GetFlightInfo") == 2
    assert grown("hangar_received_rows_total", door="flight") == TABLE.num_rows
    assert grown("hangar_received_bytes_total", door="flight") == TABLE_BYTES
    assert grown("hangar_sent_rows_total", door="flight") == TABLE.num_rows + 10
    assert grown("hangar_sent_bytes_total", door="flight") == TABLE_BYTES + 10 * 8


def test_a_failure_counts_under_its_code(measured):
    server, look = measured
    client = server.client()
    with pytest.raises(pa.ArrowKeyError):
        client.get_flight_info(path("missing"))
    with pytest.raises(pa.ArrowInvalid):
        client.get_flight_info(path("../up"))
    with pytest.raises(pa.ArrowKeyError):
        list(client.do_action(flight.Action("drop_dataset", b"missing")))
    metrics = look()
    assert metrics.calls("GetFlightInfo", "NOT_FOUND") == 1
    assert metrics.calls("GetFlightInfo", "INVALID_ARGUMENT") == 1
    assert metrics.calls("GetFlightInfo") == 0
    assert metrics.calls("DoAction", "NOT_FOUND") == 1


def test_every_code_is_there_before_it_happens(measured):
    _, look = measured
    assert look().calls("DoGet", "INTERNAL") == 0


def test_a_read_that_its_client_breaks_off_was_cancelled(measured):
    server, look = measured
    client = server.client()
    big = pa.table({"number": pa.array(range(20_000_000), pa.int64())})
    put(client, "big.parquet", big)
    reader = client.do_get(client.get_flight_info(path("big.parquet")).endpoints[0].ticket)
    reader.read_chunk()
    reader.cancel()
    eventually(lambda: look().calls("DoGet", "CANCELLED") == 1, "the read is counted as cancelled")
    assert look().calls("DoGet") == 0


def test_histograms_agree_with_themselves_and_with_the_counters(measured):
    server, look = measured
    client = server.client()
    for _ in range(3):
        put(client, "a.parquet", TABLE)
    metrics = look()
    buckets = collections.defaultdict(list)
    for (name, labels), value in metrics.samples.items():
        if name.endswith("_bucket"):
            bound = float(dict(labels)["le"])
            series = frozenset(label for label in labels if label[0] != "le")
            buckets[name.removesuffix("_bucket"), series].append((bound, value))
    assert {"hangar_call_duration_seconds", "hangar_fsync_duration_seconds",
            "hangar_memory_wait_seconds"} <= {name for name, _ in buckets}
    for (name, series), counts in buckets.items():
        counts = [count for _, count in sorted(counts)]
        assert counts == sorted(counts)
        assert counts[-1] == metrics.samples[name + "_count", series]
    assert metrics("hangar_call_duration_seconds_count", door="flight", method="DoPut") == 3
    assert metrics("hangar_call_duration_seconds_sum", door="flight", method="DoPut") > 0
    assert metrics("hangar_fsync_duration_seconds_count", of="file") == 3
    assert metrics("hangar_fsync_duration_seconds_count", of="folder") >= 3
    assert metrics("hangar_memory_wait_seconds_count") == 3


def test_an_upload_shows_while_it_runs(measured):
    server, look = measured
    client = server.client()
    writer, replies = client.do_put(path("a.parquet"), TABLE.schema)
    writer.write_table(TABLE)
    eventually(lambda: look()("hangar_received_rows_total", door="flight") == TABLE.num_rows,
               "rows count before the upload ends")
    metrics = look()
    assert metrics("hangar_calls_in_progress", door="flight", method="DoPut") == 1
    assert metrics("hangar_staged_uploads") == 1
    assert metrics.calls("DoPut") == 0
    writer.done_writing()
    replies.read()
    writer.close()
    metrics = look()
    assert metrics("hangar_calls_in_progress", door="flight", method="DoPut") == 0
    assert metrics("hangar_staged_uploads") == 0
    assert metrics("hangar_staged_bytes") == 0
    assert metrics("hangar_received_rows_total", door="flight") == TABLE.num_rows
    assert metrics.calls("DoPut") == 1


def test_staged_bytes_are_those_on_the_disk(measured):
    server, look = measured
    client = server.client()
    numbers = numpy.random.default_rng(1).integers(2**62, size=2_000_000)
    table = pa.table({"number": numbers})
    writer, _ = client.do_put(command("a.parquet", row_group_rows=100_000), table.schema)
    writer.write_table(table, max_chunksize=10_000)

    def staged_on_disk():
        staging = server.data / "_hangar" / "staging"
        return sum(file.stat().st_size for file in staging.iterdir())

    eventually(lambda: look()("hangar_staged_bytes") == staged_on_disk() > 0,
               "the staged bytes are those of the file")
    writer.close()


def test_what_is_read_again_comes_from_the_cache(measured):
    server, look = measured
    client = server.client()
    put(client, "a.parquet", TABLE)
    get(client, "a.parquet")
    first = look()
    get(client, "a.parquet")
    second = look()
    assert first("hangar_cache_misses_total", cache="columns") == 1
    assert second("hangar_cache_misses_total", cache="columns") == 1
    assert second("hangar_cache_hits_total", cache="columns") == 1
    assert second("hangar_cache_bytes", cache="columns") >= TABLE_BYTES
    assert second("hangar_memory_bytes", user="cache") >= TABLE_BYTES
    assert second("hangar_cache_hits_total", cache="footers") > first(
        "hangar_cache_hits_total", cache="footers")


def test_what_is_stored_is_counted_at_the_start(start_server):
    server = start_server()
    client = server.client()
    for name in ("a.parquet", "b/c.parquet", "a.parquet"):
        put(client, name, TABLE)
    server.close_clients()
    assert server.stop() == 0
    server = start_server(data=server.data, flags=["--metrics", "127.0.0.1:0"])
    metrics = Metrics(server.next_uri())
    files = [server.data / "a.parquet", server.data / "b" / "c.parquet"]
    assert metrics("hangar_datasets") == 2
    assert metrics("hangar_dataset_bytes") == sum(file.stat().st_size for file in files)
    assert metrics("hangar_history_versions") == 1
    assert metrics("hangar_history_bytes") == files[0].stat().st_size
    assert metrics("hangar_storage_size_bytes") > metrics("hangar_storage_free_bytes") > 0


def test_connections_are_those_that_clients_hold(measured):
    server, look = measured
    before = look()("hangar_connections", door="flight")
    client = server.client()
    assert look()("hangar_connections", door="flight") == before + 1
    client.close()
    eventually(lambda: look()("hangar_connections", door="flight") == before,
               "a connection that is closed does not count")


def test_no_label_holds_what_a_client_chooses(measured):
    server, look = measured
    client = server.client()
    put(client, "only-here.parquet", TABLE)
    get(client, "only-here.parquet")
    metrics = look()
    assert "only-here" not in metrics.text
    names = collections.Counter(name for name, _ in metrics.samples)
    assert names["hangar_calls_total"] == len(
        {labels for name, labels in metrics.samples if name == "hangar_calls_total"})
    known = {"door", "method", "code", "le", "of", "cache", "user",
             "version", "arrow", "grpc", "compiler"}
    assert {key for _, labels in metrics.samples for key, _ in labels} == known


def test_the_alerts_are_rules_about_metrics_that_there_are(measured):
    _, look = measured
    checked = subprocess.run(["promtool", "check", "rules", "--lint=all", "--lint-fatal", ALERTS],
                             capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    asked_for = set(re.findall(r"\b(?:hangar|process)_[a-z_]+\b", ALERTS.read_text()))
    assert len(asked_for) > 8
    # Shown where there are peers: tests/replicas/test_peers.py.
    of_peers = {"hangar_peers"}
    assert asked_for - of_peers <= {name for name, _ in look().samples}


def test_the_process_and_its_build_are_shown(measured):
    server, look = measured
    metrics = look()
    assert metrics("process_threads") > 1
    # Of the server's descriptors, those of this look's own connection included.
    assert abs(metrics("process_open_fds") - server.descriptor_count()) <= 2
    assert metrics("process_resident_memory_bytes") > 2**20
    build, = (dict(labels) for name, labels in metrics.samples if name == "hangar_build_info")
    assert re.fullmatch(r"\d+\.\d+\.\d+", build["version"])
    assert build["arrow"].startswith("25.")
    assert re.fullmatch(r"\d+\.\d+\.\d+", build["grpc"])
    assert build["compiler"]
