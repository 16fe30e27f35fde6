#!/usr/bin/env python3
"""The benchmark of the whole program: bench.py --hangar BINARY --clients-from FOLDER [CASE...].

Starts every contender itself, on free ports and on the same data, measures them in one run in
interleaved rounds, and prints medians, spreads and ratios beside the targets. A CASE is a name of
the list below, or NAME:DATASET for one dataset of the cases that have several.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import pyarrow as pa

import datasets
import s3_case  # noqa: F401 - adds its case
from cases import CASES, WHEN_NAMED
from contenders import TITLES, Starter
from results import Results, target_table
from targets import TARGETS

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = ("c++", "pyarrow")


class Bench:
    """What the cases share: data, servers, clients and results."""

    def __init__(self, options, work):
        self.data = datasets.Datasets(options.data, options.scale)
        self.results = Results()
        self._options = options
        self._work = work
        self._client_binary = options.clients_from / "flight_client"
        binaries = {"hangar": options.hangar, "base": options.base,
                    "bare_flight_server": options.clients_from / "bare_flight_server"}
        self._starter = Starter(binaries, options.contenders, shlex.split(options.hangar_flags),
                                work / "servers.log")
        self._stored = {}
        self._sizes = {}
        self._dataset_filter = None

    def run(self, name, dataset):
        self._dataset_filter = dataset
        CASES[name](self)

    def shapes(self, usual=tuple(datasets.SHAPES)):
        """The datasets that a case of several goes through."""
        return [self._dataset_filter] if self._dataset_filter else list(usual)

    def clients(self, both=True):
        return self._options.clients if both else self._options.clients[:1]

    def rounds(self, usual):
        return self._options.rounds or usual

    def scaled(self, figure, at_least):
        return max(at_least, type(at_least)(figure * self._options.scale))

    def order(self, round_number, names):
        """The contenders that take part, each round beginning with another one."""
        taking_part = [name for name in names if name in self._starter.names]
        first = round_number % len(taking_part) if taking_part else 0
        return taking_part[first:] + taking_part[:first]

    def size(self, dataset):
        """Rows and bytes of a dataset, as Arrow holds it."""
        if dataset not in self._sizes:
            table = self.data.table(dataset)
            self._sizes[dataset] = (table.num_rows, table.nbytes)
        return self._sizes[dataset]

    @contextlib.contextmanager
    def folder(self):
        path = pathlib.Path(tempfile.mkdtemp(dir=self._work))
        try:
            yield path
        finally:
            shutil.rmtree(path)

    @contextlib.contextmanager
    def serve(self, contender, files, *, no_cache=False):
        """A fresh server whose folder holds `files` (name to path) by links."""
        with self.folder() as folder:
            for name, path in files.items():
                datasets.link(path, folder / name)
            with self._starter.start(contender, folder, no_cache=no_cache) as server:
                yield server

    def serve_at(self, contender, uri, flags=()):
        """A fresh Hangar over a bucket."""
        return self._starter.start(contender, uri, flags=flags)

    def serve_bare(self, files):
        """Bare Flight, or None in its place when it does not take part."""
        if "bare" not in self._starter.names:
            return contextlib.nullcontext()
        return self.serve("bare", files)

    def client(self, client, operation, *arguments):
        """Runs one operation of a client in a process of its own; gives what it measured."""
        program = ([self._client_binary] if client == "c++"
                   else [sys.executable, HERE / "python_client.py"])
        command = [str(part) for part in (*program, operation, *arguments)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if run.returncode != 0:
            raise RuntimeError(f"this client failed: {shlex.join(command)}")
        return json.loads(run.stdout)

    def stored(self, dataset, by):
        """The Parquet file that a contender makes of a dataset that is put into it, in the page
        cache. What the recipe makes depends on pyarrow alone, so it is kept from run to run."""
        if (dataset, by) not in self._stored:
            kept = self._work if by == "hangar" else self.data.folder
            path = kept / f"{dataset}.{by}-{pa.__version__}.parquet"
            if not path.exists():
                name = f"{dataset}.parquet"
                with self.serve(by, {}) as server:
                    self.client("c++", "put", server.uri, name, self.data.source(dataset))
                    unfinished = path.with_suffix(".unfinished")
                    shutil.move(server.folder / name, unfinished)
                unfinished.rename(path)
                os.sync()
            datasets.warm(path)
            self._stored[dataset, by] = path
        return self._stored[dataset, by]


def _processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processor": _processor(), "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(memory / 2**30, 1), "kernel": platform.release(),
            "load_before": os.getloadavg()[0], "pyarrow": pa.__version__}


def _machine_line(seen):
    line = (f"{seen['cores']} cores of {seen['processor']}, {seen['memory_gib']} GiB, "
            f"Linux {seen['kernel']}, pyarrow {seen['pyarrow']}")
    if seen["load_before"] > 0.5:
        line += (f"\n\nThe load was {seen['load_before']:.1f} before the run: other programs take "
                 "their share, so the figures are worth less.")
    return line


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n\n")[2], formatter_class=argparse.RawTextHelpFormatter,
        epilog="cases:\n" + "\n".join(
            f"  {name:12} {function.__doc__.splitlines()[0]}" for name, function in CASES.items()))
    parser.add_argument("cases", nargs="*", metavar="CASE", help="what to measure [everything]")
    parser.add_argument("--hangar", type=pathlib.Path, required=True, help="the program to measure")
    parser.add_argument("--clients-from", type=pathlib.Path, required=True,
                        help="the folder of flight_client and bare_flight_server")
    parser.add_argument("--base", type=pathlib.Path, help="another build of it, to compare with")
    parser.add_argument("--contenders", default="hangar,streaming,table,bare,local,curl,duckdb",
                        help="who takes part [%(default)s]")
    parser.add_argument("--clients", default="c++,pyarrow", help="which clients [%(default)s]")
    parser.add_argument("--rounds", type=int, help="rounds of every case [3 or 5, by the case]")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full data [1.0]")
    parser.add_argument("--hangar-flags", default="", metavar="FLAGS",
                        help="further flags for hangar serve")
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(cache, "hangar", "bench"),
                        help="where the data is kept, 4 GB [%(default)s]")
    parser.add_argument("--json", type=pathlib.Path, help="where all figures go; the tables beside")
    options = parser.parse_args(arguments)
    options.contenders = options.contenders.split(",") + (["base"] if options.base else [])
    options.clients = options.clients.split(",")
    for given, known in ((options.contenders, TITLES), (options.clients, CLIENTS)):
        for name in given:
            if name not in known:
                parser.error(f"{name} is none of {', '.join(known)}")
    usual = [name for name in CASES if name not in WHEN_NAMED]
    options.cases = [_case(parser, text) for text in options.cases or usual]
    return options


def _case(parser, text):
    name, _, dataset = text.partition(":")
    if name not in CASES:
        parser.error(f"there is no case {name}; the cases are {', '.join(CASES)}")
    if dataset and dataset not in datasets.SHAPES:
        parser.error(f"there is no dataset {dataset}; they are {', '.join(datasets.SHAPES)}")
    return name, dataset


@dataclasses.dataclass
class Report:
    """Prints as it goes, and keeps what it printed."""

    lines: list

    def add(self, text):
        print(text + "\n", flush=True)
        self.lines.append(text)


def main(arguments=None):
    options = parse_arguments(arguments)
    options.data.mkdir(parents=True, exist_ok=True)
    seen = machine()
    report = Report([])
    report.add(_machine_line(seen))
    with tempfile.TemporaryDirectory(prefix="run-", dir=options.data) as work:
        bench = Bench(options, pathlib.Path(work))
        for name, dataset in options.cases:
            begin = time.monotonic()
            bench.run(name, dataset)
            report.add(f"## {name}\n\n{CASES[name].__doc__.partition('\n\n')[0]}\n\n"
                       f"{bench.results.case_table(name)}\n\n"
                       f"({time.monotonic() - begin:.0f} s)")
    verdicts = [verdict for target in TARGETS for verdict in bench.results.judge(target)]
    if verdicts:
        report.add(f"## Targets\n\n{target_table(verdicts)}")
    if options.json:
        figures = {"machine": seen, "scale": options.scale, "samples": bench.results.as_json(),
                   "targets": verdicts}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
        options.json.with_suffix(".md").write_text("\n\n".join(report.lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
