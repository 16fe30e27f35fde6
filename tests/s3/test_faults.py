"""Every request that an operation makes of the store goes wrong, in every way that it can: the
operation succeeds all the same or fails with a sentence, what is stored is what it was or what it
was to become, and nothing unfinished stays.

HANGAR_FAULT=long tries every fault at every request; otherwise some are drawn. A run says its seed,
and HANGAR_SEED gives it back.
"""

import dataclasses
import io
import json
import os
import random
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from faults import (
    CorruptedAnswer, CorruptedRequest, Delay, NoAnswer, ResetBeforeAnswer, ResetBeforeRequest,
    ResetInAnswer, ResetInRequest, StaleAnswer, TruncatedAnswer, s3_error)
from flight_steps import act, command, get, info, listed, path, put, put_file, version
from hangar_fixtures import eventually
from raw_flight import assert_fit_for_clients

LONG = os.environ.get("HANGAR_FAULT") == "long"
SEED = int(os.environ.get("HANGAR_SEED") or random.SystemRandom().randrange(2**32))
# How many faults each request gets in the short form.
DRAWN = 1

FAULTS = {
    "late": lambda: Delay(0.3),
    "reset before": ResetBeforeRequest,
    "reset before the answer": ResetBeforeAnswer,
    "500": lambda: s3_error(500, "InternalError"),
    "503": lambda: s3_error(503, "SlowDown"),
    "503 with Retry-After": lambda: s3_error(503, "SlowDown", {"Retry-After": "1"}),
    "429": lambda: s3_error(429, "TooManyRequests"),
    "500 and done": lambda: s3_error(500, "InternalError", forwarded=True),
    "no answer": NoAnswer,
    "no answer and done": lambda: NoAnswer(forwarded=True),
}
OF_GETS = {
    "reset in the answer": lambda: ResetInAnswer(20),
    "cut answer": lambda: TruncatedAnswer(20),
    # Within the first page, whose checksum tells.
    "corrupted answer": lambda: CorruptedAnswer(3000),
    "stale answer": StaleAnswer,
}
OF_PUTS = {
    "reset in the request": lambda: ResetInRequest(20),
    "corrupted request": lambda: CorruptedRequest(20),
}
# What a server must not answer with, whatever the store does.
UNEXPECTED = (flight.FlightInternalError, flight.FlightUnauthenticatedError,
              flight.FlightUnauthorizedError)


def noise(rows, seed):
    return pa.table({"x": np.random.default_rng(seed).integers(0, 2**62, rows)})


SMALL = 1_000
# Two parts of an upload.
LARGE = 1_300_000


class Bench:
    """A server behind a proxy, and another one that speaks with the store itself."""

    def __init__(self, start_server, bucket, proxy):
        environment = bucket.server.environment()
        # What it decodes is not kept, so that each read asks the store.
        self.harmed = start_server(data=bucket.uri(proxy.uri, timeout=2), environment=environment,
                                   flags=["--cache-memory", "0"], bucket=bucket)
        self.whole = start_server(data=bucket.uri(), environment=environment)
        self.bucket, self.proxy = bucket, proxy
        self.client = self.harmed.client()
        self.other = self.whole.client()

    def state(self):
        return {name: get(self.other, path(name)) for name in listed(self.other)}

    def bring(self, wanted):
        """Makes the bucket hold exactly this, in versions that nobody has seen."""
        self.proxy.disarm()
        for name in listed(self.other):
            if name not in wanted:
                act(self.other, "drop_dataset", name)
        for name, table in wanted.items():
            put(self.other, name, table)


@dataclasses.dataclass(frozen=True)
class Operation:
    """`run(bench)` takes the store from `before(seed)` to `after(seed)`; a read gives `gives`."""
    name: str
    before: Callable
    after: Callable
    run: Callable
    prepare: Callable = lambda bench, seed: None
    is_read: bool = False


def _kept(seed):
    return {"kept": noise(SMALL, 7), "t": noise(LARGE if seed % 2 else SMALL, 2 * seed)}


def _with(seed, **changes):
    state = {**_kept(seed), **changes}
    return {name: table for name, table in state.items() if table is not None}


def _new(rows, seed):
    return noise(rows, 2 * seed + 1)


def _file(seed):
    """A Parquet file that is stored as it is, in staging first when it is a large one; its rows."""
    table = _new(LARGE if seed % 2 else SMALL, seed)
    written = io.BytesIO()
    pq.write_table(table, written, compression="none", use_dictionary=False,
                   write_page_checksum=True)
    return written.getvalue(), table


OPERATIONS = {operation.name: operation for operation in [
    Operation("create", _kept, lambda seed: _with(seed, n=_new(SMALL, seed)),
              lambda bench, seed: put(bench.client, command("n", mode="create"),
                                      _new(SMALL, seed))),
    Operation("create large", _kept, lambda seed: _with(seed, n=_new(LARGE, seed)),
              lambda bench, seed: put(bench.client, command("n", mode="create"),
                                      _new(LARGE, seed))),
    Operation("create of a file", _kept, lambda seed: _with(seed, n=_file(seed)[1]),
              lambda bench, seed: put_file(bench.client, "n", _file(seed)[0], block=1 << 20,
                                           mode="create")),
    Operation("replace", _kept, lambda seed: _with(seed, t=_new(SMALL, seed)),
              lambda bench, seed: put(bench.client, "t", _new(SMALL, seed))),
    Operation("replace a version by a large one", _kept,
              lambda seed: _with(seed, t=_new(LARGE, seed)),
              lambda bench, seed: put(bench.client, command("t", if_version=bench.wanted),
                                      _new(LARGE, seed)),
              lambda bench, seed: setattr(bench, "wanted", version(bench.other, "t"))),
    Operation("drop", _kept, lambda seed: _with(seed, t=None),
              lambda bench, seed: act(bench.client, "drop_dataset", "t")),
    Operation("rename", _kept, lambda seed: _with(seed, t=None, u=_kept(seed)["t"]),
              lambda bench, seed: act(bench.client, "rename_dataset",
                                      json.dumps({"from": "t", "to": "u"}))),
    Operation("undrop", lambda seed: _with(seed, t=None), _kept,
              lambda bench, seed: act(bench.client, "undrop_dataset", "t"),
              lambda bench, seed: (put(bench.other, "t", _kept(seed)["t"]),
                                   act(bench.other, "drop_dataset", "t"))),
    Operation("get", _kept, _kept, lambda bench, seed: get(bench.client, path("t")), is_read=True),
    Operation("info", _kept, _kept, lambda bench, seed: info(bench.client, "t").total_records,
              is_read=True),
    Operation("list", _kept, _kept, lambda bench, seed: listed(bench.client), is_read=True),
]}


def _wanted_of(operation, seed):
    table = _kept(seed)["t"]
    return {"get": table, "info": table.num_rows, "list": ["kept", "t"]}[operation.name]


def _faults_of(request):
    faults = dict(FAULTS)
    if request.method == "GET":
        faults |= OF_GETS
    if request.method == "PUT" and int(request.headers.get("content-length", 0)) > 100:
        faults |= OF_PUTS
    if request.operation == "HeadObject":
        faults["stale answer"] = StaleAnswer
    return faults


def _requests_of(bench, operation, seed):
    """The requests of the operation when all goes well."""
    bench.bring(operation.before(seed))
    operation.prepare(bench, seed)
    bench.proxy.forget()
    bench.proxy.remember_answers()
    result = operation.run(bench, seed)
    assert not operation.is_read or result == _wanted_of(operation, seed)
    assert bench.state() == operation.after(seed)
    return list(bench.proxy.requests)


def _try(bench, operation, seed, nth, name, fault):
    """Runs the operation with the fault at its nth request; whether it succeeded."""
    bench.bring(operation.before(seed))
    operation.prepare(bench, seed)
    bench.proxy.arm(fault, nth=nth)
    where = f"{operation.name}, seed {seed}, request {nth}, {name}"
    error = None
    try:
        result = operation.run(bench, seed)
        assert not operation.is_read or result == _wanted_of(operation, seed), where
    except (flight.FlightError, pa.ArrowException, KeyError) as caught:
        error = caught
    bench.proxy.disarm()
    assert bench.harmed.process.poll() is None, f"{where}: the server died\n{bench.harmed.log()}"
    try:
        state = bench.state()
    except (flight.FlightError, pa.ArrowException, KeyError) as caught:
        raise AssertionError(f"{where}: what is stored cannot be read") from caught
    if error is None:
        assert state == operation.after(seed), where
    else:
        assert not isinstance(error, UNEXPECTED), f"{where}: {error!r}"
        assert_fit_for_clients(bench.harmed, str(error).split(". Detail:")[0].split(" gRPC")[0])
        halves = [operation.before(seed), operation.after(seed)]
        if operation.name == "rename":  # Not one step: it is in the trash, whole.
            halves.append(_with(seed, t=None))
        assert state in halves, f"{where}: {error!r}"
    eventually(lambda: not bench.bucket.unpublished(), f"{where}: nothing unfinished stays")
    return error is None


@pytest.mark.parametrize("size", [0, 1], ids=["small", "large"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_fault_of_one_request_is_outlived_or_said(proxy, bucket, start_server, name, size):
    operation = OPERATIONS[name]
    draw = random.Random(f"{SEED} {name} {size}")
    seed = size + 2 * draw.randrange(2**20)
    bench = Bench(start_server, bucket, proxy)
    requests = _requests_of(bench, operation, seed)
    assert requests
    tried = succeeded = 0
    for number, request in enumerate(requests, start=1):
        faults = _faults_of(request)
        chosen = faults if LONG else draw.sample(sorted(faults), DRAWN)
        for fault in chosen:
            succeeded += _try(bench, operation, seed, number, fault, faults[fault]())
            tried += 1
    print(f"fault: {name}: {tried} faults in {len(requests)} requests, {succeeded} outlived, "
          f"HANGAR_SEED={SEED}")
    # One fault at a time is what repetitions are for.
    assert succeeded >= tried * 0.7


@pytest.mark.parametrize("name", ["create large", "replace", "drop", "get", "list"])
def test_a_store_that_is_away_for_good_is_said_to_be_away(proxy, bucket, start_server, name):
    operation, seed = OPERATIONS[name], 1
    bench = Bench(start_server, bucket, proxy)
    bench.bring(operation.before(seed))
    armed = proxy.arm(s3_error(503, "SlowDown"), times=None)
    with pytest.raises(flight.FlightUnavailableError):
        operation.run(bench, seed)
    assert armed.done > 1
    proxy.disarm()
    assert bench.state() == operation.before(seed)
    result = operation.run(bench, seed)
    assert not operation.is_read or result == _wanted_of(operation, seed)
    assert bench.state() == operation.after(seed)
    eventually(lambda: not bucket.unpublished(), "nothing unfinished stays")
