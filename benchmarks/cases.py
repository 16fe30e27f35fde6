"""The cases: each measures its contenders in rounds, interleaved, after a warm-up that also checks
that what they answer is right.

A case is a function of a Bench (see bench.py), registered under the name that CASE= takes.
"""

import contextlib
import json
import os
import shutil
import statistics

import pyarrow.flight as flight
import pyarrow.parquet as pq

import datasets
from python_client import connect
from results import percentile

CASES = {}
# Those that run only when they are named.
WHEN_NAMED = {"s3"}

HANGARS = ("hangar", "base")
RECIPES = ("streaming", "table")


def case(name):
    def register(function):
        CASES[name] = function
        return function

    return register


def _mib_per_second(arrow_bytes, seconds):
    return arrow_bytes / 2**20 / seconds


def _read_one(bench, client, server, name, *options, rows):
    """One read through a client, which has to give so many rows."""
    read = bench.client(client, "get", server.uri, name, *options)["reads"][-1]
    assert read["rows"] == rows, f"{server.name} gave {read['rows']} rows of {name}, not {rows}"
    return read


def _check_get(bench, server, name, expected):
    """That a server gives exactly the rows of a table, to either client."""
    client = connect(server.uri)
    info = client.get_flight_info(flight.FlightDescriptor.for_path(name))
    got = client.do_get(info.endpoints[0].ticket).read_all()
    assert got.equals(expected), f"{server.name} does not give the rows of {name}"
    read = bench.client("c++", "get", server.uri, name, "--checksum")["reads"][0]
    assert read["rows"] == expected.num_rows, f"{server.name}: {read['rows']} rows"
    if got.column(0).type == "int64":
        words = got.column(0).to_numpy()
        wanted = int(words.astype("uint64").sum())
        assert read["checksum"] == wanted, f"{server.name} does not give the ids of {name}"


# --- get ---------------------------------------------------------------------------------------


def _get_rounds(bench, dataset, client, file, rounds, bare):
    """Cold and hot reads of one stored file by every contender, or with `file` "own" of the file
    that each made of the dataset: each round starts the server afresh for its first read, and reads
    again for the second."""
    name = f"{dataset}.parquet"
    rows, size = bench.size(dataset)
    suffix = {"hangar": "", "table": ", the recipe's file", "own": ", each its own file"}[file]
    for number in range(rounds):
        for contender in bench.order(number, (*HANGARS, *RECIPES, "bare")):
            if contender == "bare":
                bare.reset_peak()
                hot = _read_one(bench, client, bare, name, rows=rows)
                reads, peak = {"cold": hot, "hot": hot}, bare.peak_mib()
            else:
                by = file if file != "own" else "hangar" if contender in HANGARS else contender
                with bench.serve(contender, {name: bench.stored(dataset, by)}) as server:
                    reads = {state: _read_one(bench, client, server, name, rows=rows)
                             for state in ("cold", "hot")}
                    peak = server.peak_mib()
            for state, read in reads.items():
                bench.results.add(
                    "get", f"{dataset}, {state}{suffix}", client, contender,
                    seconds=read["seconds"], first_batch_seconds=read["first_batch_seconds"],
                    mib_per_second=_mib_per_second(size, read["seconds"]), peak_mib=peak)


@case("get")
def get(bench):
    """Whole datasets: cold is the first read of a fresh server, hot the next one."""
    for dataset in bench.shapes():
        name = f"{dataset}.parquet"
        stored = {name: bench.stored(dataset, "hangar")}
        expected = bench.data.table(dataset)
        for contender in bench.order(0, (*HANGARS, *RECIPES)):
            with bench.serve(contender, stored) as server:
                _check_get(bench, server, name, expected)
        with bench.serve_bare(stored) as bare:
            if bare:
                _check_get(bench, bare, name, expected)
            rounds = bench.rounds(5 if dataset == "trips" else 3)
            for client in bench.clients(both=dataset == "trips"):
                _get_rounds(bench, dataset, client, "hangar", rounds, bare)
            for file in ("table", "own"):
                _get_rounds(bench, dataset, "c++", file, rounds, bare)


@case("columns")
def columns(bench):
    """2 of the 200 columns of `wide`; the recipes can only read it whole."""
    name, wanted = "wide.parquet", ["c007", "c123"]
    stored = {name: bench.stored("wide", "hangar")}
    rows, _ = bench.size("wide")
    command = ("--command", json.dumps({"dataset": name, "columns": wanted}))
    expected = bench.data.table("wide").select(wanted)
    for number in range(-1, bench.rounds(3)):
        for contender in bench.order(number, (*HANGARS, *RECIPES)):
            subject, options = (("2 of 200 columns", command) if contender in HANGARS
                                else ("whole", ()))
            with bench.serve(contender, stored) as server:
                if number < 0:
                    if contender in HANGARS:
                        _check_columns(server, command[1], expected)
                    continue
                for state in ("cold", "hot"):
                    read = _read_one(bench, "c++", server, name, *options, rows=rows)
                    bench.results.add("columns", f"{subject}, {state}", "c++", contender,
                                      seconds=read["seconds"], peak_mib=server.peak_mib(),
                                      first_batch_seconds=read["first_batch_seconds"])


def _check_columns(server, command, expected):
    client = connect(server.uri)
    info = client.get_flight_info(flight.FlightDescriptor.for_command(command))
    got = client.do_get(info.endpoints[0].ticket).read_all()
    assert got.equals(expected), f"{server.name} does not give the columns asked for"


@case("partitions")
def partitions(bench):
    """`trips` in 4 partitions, read by 4 clients at once; the others have one stream to offer."""
    name = "trips.parquet"
    stored = {name: bench.stored("trips", "hangar")}
    rows, size = bench.size("trips")
    command = ("--command", json.dumps({"dataset": name, "partitions": 4}), "--connections", "4")
    with bench.serve_bare(stored) as bare:
        for number in range(-1, bench.rounds(5)):
            for contender in bench.order(number, (*HANGARS, "streaming", "bare")):
                way, options = (("4 partitions", command) if contender in HANGARS
                                else ("one stream", ()))
                with (contextlib.nullcontext(bare) if contender == "bare"
                      else bench.serve(contender, stored)) as server:
                    for state in ("cold", "hot"):
                        read = _read_one(bench, "c++", server, name, *options, rows=rows)
                        if number >= 0:
                            bench.results.add(
                                "partitions", f"{way}, {state}", "c++", contender,
                                seconds=read["seconds"], peak_mib=server.peak_mib(),
                                mib_per_second=_mib_per_second(size, read["seconds"]))


@case("first-batch")
def first_batch(bench):
    """From asking for the FlightInfo to the first batch of `trips` in hand."""
    name = "trips.parquet"
    stored = {name: bench.stored("trips", "hangar")}
    rows, _ = bench.size("trips")
    repeat = bench.scaled(20, at_least=3)

    def seconds(server, client, times):
        reads = bench.client(client, "get", server.uri, name, "--first-batch", "--repeat", times)
        assert all(0 < read["rows"] <= rows for read in reads["reads"])
        return statistics.median(read["first_batch_seconds"] for read in reads["reads"])

    with bench.serve_bare(stored) as bare:
        for number in range(-1, bench.rounds(5)):
            for contender in bench.order(number, (*HANGARS, *RECIPES, "bare")):
                for client in bench.clients():
                    with (contextlib.nullcontext(bare) if contender == "bare"
                          else bench.serve(contender, stored)) as server:
                        times = {"cold": seconds(server, client, 1)}
                        _read_one(bench, client, server, name, rows=rows)
                        # A whole-table recipe reads the whole file for each first batch.
                        times["hot"] = seconds(server, client,
                                               3 if contender == "table" else repeat)
                    if number >= 0:
                        for state, value in times.items():
                            bench.results.add("first-batch", f"trips, {state}", client, contender,
                                              first_batch_seconds=value)


# --- put ---------------------------------------------------------------------------------------


@case("put")
def put(bench):
    """Uploads; then the stored files are compared, in size and in how fast pyarrow reads them."""
    for dataset in bench.shapes():
        with contextlib.ExitStack() as stack:
            names = bench.order(0, (*HANGARS, *RECIPES, "bare"))
            servers = {name: stack.enter_context(bench.serve(name, {})) for name in names}
            rounds = bench.rounds(5 if dataset == "trips" else 3)
            for client in bench.clients(both=dataset == "trips"):
                for number in range(-1, rounds):
                    for contender in bench.order(number, names):
                        _put_once(bench, dataset, client, servers[contender], number >= 0)
            files = {name: server.folder / f"{dataset}.parquet"
                     for name, server in servers.items() if name != "bare"}
            _compare_files(bench, dataset, files)


def _put_once(bench, dataset, client, server, counts):
    name = f"{dataset}.parquet"
    rows, size = bench.size(dataset)
    stored = server.folder / name
    stored.unlink(missing_ok=True)
    os.sync()  # what the one before left to be written is not to be waited for by this one
    server.reset_peak()
    sent = bench.client(client, "put", server.uri, name, bench.data.source(dataset))
    assert sent["rows"] == rows
    if not counts:
        if server.name != "bare":
            expected = bench.data.table(dataset)
            got = pq.read_table(stored)
            assert got.equals(expected), f"{server.name} does not store the rows of {dataset}"
        return
    figures = {"seconds": sent["seconds"], "peak_mib": server.peak_mib(),
               "mib_per_second": _mib_per_second(size, sent["seconds"])}
    if server.name != "bare":
        figures["file_mib"] = stored.stat().st_size / 2**20
    bench.results.add("put", dataset, client, server.name, **figures)


def _compare_files(bench, dataset, files):
    datasets.warm(*files.values())
    for number in range(bench.rounds(5)):
        for contender in bench.order(number, files):
            # In one process the first read also pays for memory that is used for the first time.
            read = bench.client("pyarrow", "parquet", files[contender], "--repeat", 3)
            bench.results.add("put", f"{dataset}, file read with pyarrow", "pyarrow", contender,
                              seconds=min(read["seconds"]))


# --- many clients, many calls ------------------------------------------------------------------


@case("swarm")
def swarm(bench):
    """1, 8 and 64 clients that read `trips`, hot, over and over for some seconds.

    The whole-table recipe is left out: it would hold as many whole tables as there are clients.
    """
    name = "trips.parquet"
    stored = {name: bench.stored("trips", "hangar")}
    rows, size = bench.size("trips")
    seconds = bench.scaled(6, at_least=0.5)
    with contextlib.ExitStack() as stack:
        names = bench.order(0, (*HANGARS, "streaming", "bare"))
        servers = {name: stack.enter_context(bench.serve(name, stored)) for name in names}
        for server in servers.values():
            for _ in range(2):
                _read_one(bench, "c++", server, name, rows=rows)
        for number in range(bench.rounds(3)):
            for clients in (1, 8, 64):
                for contender in bench.order(number, names):
                    server = servers[contender]
                    server.reset_peak()
                    seen = bench.client("c++", "swarm", server.uri, name, "--clients", clients,
                                        "--seconds", seconds)
                    _add_swarm(bench, clients, server, seen, size / rows)


def _add_swarm(bench, clients, server, seen, row_bytes):
    rows = [client["rows"] for client in seen["clients"]]
    first = [value for client in seen["clients"] for value in client["first_batch_seconds"]]
    bench.results.add(
        "swarm", "1 client" if clients == 1 else f"{clients} clients", "c++", server.name,
        mib_per_second=_mib_per_second(sum(rows) * row_bytes, seen["seconds"]),
        slowest_share=min(rows) / (sum(rows) / clients) if sum(rows) else 0,
        first_batch_p99_seconds=percentile(first, 99), peak_mib=server.peak_mib())


def _time_calls(bench, case_name, subject, operation, name, stored, contenders):
    """p50 and p99 of a call that is made again and again on one connection."""
    calls = bench.scaled(1000, at_least=20)
    with contextlib.ExitStack() as stack:
        names = bench.order(0, contenders)
        servers = {name: stack.enter_context(bench.serve(name, stored)) for name in names}
        for number in range(-1, bench.rounds(5)):
            for client in bench.clients():
                for contender in bench.order(number, names):
                    server = servers[contender]
                    server.reset_peak()
                    seen = bench.client(client, operation, server.uri, name, "--calls", calls)
                    if operation == "ticket":
                        assert seen["rows"] == calls * datasets.MANY_ROWS
                    if number >= 0:
                        bench.results.add(
                            case_name, subject, client, contender,
                            p50_seconds=percentile(seen["seconds"], 50),
                            p99_seconds=percentile(seen["seconds"], 99), peak_mib=server.peak_mib())


@case("info")
def info(bench):
    """GetFlightInfo of `trips`; both forms of the recipe answer it in the same way."""
    stored = {"trips.parquet": bench.stored("trips", "hangar")}
    _time_calls(bench, "info", "trips", "info", "trips.parquet", stored,
                (*HANGARS, "streaming", "bare"))


@case("small")
def small(bench):
    """DoGet of a dataset of 1,000 rows, with the ticket in hand."""
    first = bench.data.many()[0]
    _time_calls(bench, "small", "1,000 rows", "ticket", first.name, {first.name: first},
                (*HANGARS, *RECIPES, "bare"))


@case("list")
def list_flights(bench):
    """ListFlights of many datasets by a fresh server, and again by the same one."""
    stored = {path.name: path for path in bench.data.many()}
    datasets.warm(*stored.values())
    for number in range(-1, bench.rounds(3)):
        for contender in bench.order(number, (*HANGARS, "streaming", "bare")):
            for client in bench.clients():
                if number < 0 and client != "c++":
                    continue
                with bench.serve(contender, stored) as server:
                    seen = bench.client(client, "list", server.uri, "--repeat", 2)
                    assert seen["datasets"] == len(stored), f"{contender}: {seen['datasets']}"
                    if number < 0:
                        continue
                    for state, seconds in zip(("first", "again"), seen["seconds"]):
                        bench.results.add("list", state, client, contender, seconds=seconds,
                                          peak_mib=server.peak_mib())


# --- memory ------------------------------------------------------------------------------------


@case("memory")
def memory(bench):
    """Peak resident memory while 1 GiB and 4 GiB of `trips` rows are put, got, and got by 8 at
    once, Hangar without its cache. One round: what is measured is a bound."""
    for gib in (1, 4):
        with bench.folder() as files:
            stored = files / "big.parquet"
            rows = None
            for contender in bench.order(0, (*HANGARS, "streaming")):
                rows = _put_big(bench, contender, gib, stored)
            for contender in bench.order(0, (*HANGARS, "streaming")):
                for who, clients in (("one reader", 1), ("8 readers", 8)):
                    _get_big(bench, contender, gib, who, clients, stored, rows)


def _put_big(bench, contender, gib, keep_as):
    with bench.serve(contender, {}, no_cache=True) as server:
        server.reset_peak()
        target = bench.scaled(gib * 2**30, at_least=2**20)
        sent = bench.client("c++", "put", server.uri, "big.parquet", bench.data.source("trips"),
                            "--bytes", target)
        bench.results.add("memory", f"{gib} GiB, one writer", "c++", contender,
                          seconds=sent["seconds"], peak_mib=server.peak_mib(),
                          mib_per_second=_mib_per_second(sent["bytes"], sent["seconds"]))
        if not keep_as.exists():
            shutil.move(server.folder / "big.parquet", keep_as)
    return sent["rows"]


def _get_big(bench, contender, gib, who, clients, stored, rows):
    with bench.serve(contender, {"big.parquet": stored}, no_cache=True) as server:
        server.reset_peak()
        seen = bench.client("c++", "swarm", server.uri, "big.parquet", "--clients", clients)
        for client in seen["clients"]:
            assert client["rows"] == rows, f"{contender} gave {client['rows']} rows, not {rows}"
        all_rows, row_bytes = rows * clients, bench.size("trips")[1] / bench.size("trips")[0]
        bench.results.add(
            "memory", f"{gib} GiB, {who}", "c++", contender, seconds=seen["seconds"],
            mib_per_second=_mib_per_second(all_rows * row_bytes, seen["seconds"]),
            peak_mib=server.peak_mib())
