"""The benchmark runs from end to end, and judges as it says.

HANGAR_BINARY names the program, HANGAR_BENCHMARKS the folder of flight_client and
bare_flight_server.
"""

import json
import os
import pathlib
import sys

import pyarrow.compute as pc
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bench  # noqa: E402
import datasets  # noqa: E402
from cases import CASES, WHEN_NAMED  # noqa: E402
from results import Results, Target, percentile, target_table  # noqa: E402
from targets import TARGETS  # noqa: E402


def run(folder, *arguments):
    """Runs the benchmark at a thousandth of its size; gives its figures and its tables."""
    figures = folder / "figures.json"
    bench.main([
        "--hangar", os.environ["HANGAR_BINARY"], "--clients-from", os.environ["HANGAR_BENCHMARKS"],
        "--scale", "0.001", "--rounds", "1", "--data", str(folder / "data"),
        "--json", str(figures), *arguments])
    return json.loads(figures.read_text()), figures.with_suffix(".md").read_text()


def test_every_case_is_measured_and_every_target_it_has_is_judged(tmp_path):
    usual = set(CASES) - WHEN_NAMED
    once = [f"{name}:trips" if name in ("get", "put") else name for name in CASES if name in usual]
    figures, tables = run(tmp_path, "--clients", "c++", *once)

    assert {sample["case"] for sample in figures["samples"]} == usual
    assert all(value > 0 for sample in figures["samples"] for value in sample["values"])
    others = {f"{what} {dataset}" for what in ("get", "put") for dataset in ("text", "nested", "wide")}
    wanted = {target.title for target in TARGETS
              if not any(target.title.startswith(other) for other in others)
              and target.case in usual}
    assert {verdict["target"] for verdict in figures["targets"]} == wanted
    assert all(f"## {name}\n" in tables for name in usual)
    assert not list((tmp_path / "data").glob("run-*"))


@pytest.mark.parametrize("dataset", ["text", "nested"])
def test_each_shape_goes_in_and_out_through_both_clients(tmp_path, dataset):
    figures, _ = run(tmp_path, "--contenders", "hangar,streaming", f"put:{dataset}",
                     f"get:{dataset}", "info")
    measured = {(sample["case"], sample["client"], sample["contender"])
                for sample in figures["samples"]}
    contenders = ("hangar", "streaming")
    assert measured >= {(name, "c++", who) for name in ("get", "put") for who in contenders}
    assert measured >= {("info", "pyarrow", who) for who in contenders}


def test_the_data_is_the_same_every_time_and_of_the_shape_that_is_promised(tmp_path):
    first = datasets.Datasets(tmp_path / "first", 0.01)
    second = datasets.Datasets(tmp_path / "second", 0.01)
    for name in datasets.SHAPES:
        assert first.source(name).read_bytes() == second.source(name).read_bytes()
        assert first.table(name).num_rows == first.rows(name)
    trips = first.table("trips")
    assert pc.count_distinct(trips["zone"]).as_py() == 265
    assert pc.count_distinct(trips["passengers"]).as_py() == 6
    assert trips.nbytes / trips.num_rows == pytest.approx(48, abs=1)
    assert trips.sort_by("time")["id"].equals(trips["id"])
    text = first.table("text")
    assert pc.count_distinct(text["key"]).as_py() == text.num_rows
    wide = first.table("wide")
    assert wide.num_columns == 200
    assert all(column.null_count > 0 for column in wide.columns)


def test_a_percentile_is_a_value_that_so_many_do_not_exceed():
    assert percentile(range(1, 101), 50) == 50
    assert percentile(range(1, 101), 99) == 99
    assert percentile([3, 1, 2], 99) == 3
    assert percentile([7], 50) == 7


FASTER = Target("twice as fast", "get", "trips", "seconds", 2, at_least=True, over="streaming",
                speed=True)
SMALLER = Target("no larger", "get", "trips", "file_mib", 1, over="table")
BOUNDED = Target("bounded", "get", "trips", "peak_mib", 256)


@pytest.mark.parametrize(
    ("target", "ours", "theirs", "figure", "spread", "met"),
    [
        (FASTER, [1.0, 1.0, 1.2], [2.0, 3.0, 2.4], 2.4, (2.0, 3.0), True),
        (FASTER, [1.0, 1.0, 1.2], [1.8, 1.9, 2.4], 1.9, (1.8, 2.0), False),
        (SMALLER, [10.0], [10.0], 1.0, (1.0, 1.0), True),
        (SMALLER, [11.0], [10.0], 1.1, (1.1, 1.1), False),
        (BOUNDED, [200.0, 256.0, 300.0], None, 256.0, (200.0, 300.0), True),
        (BOUNDED, [257.0], None, 257.0, (257.0, 257.0), False),
    ],
)
def test_a_target_is_met_by_the_medians(target, ours, theirs, figure, spread, met):
    results = Results()
    for value in ours:
        results.add("get", "trips", "c++", "hangar", **{target.metric: value})
    for value in theirs or []:
        results.add("get", "trips", "c++", target.over, **{target.metric: value})
    [verdict] = results.judge(target)
    assert verdict["figure"] == pytest.approx(figure)
    assert (verdict["min"], verdict["max"]) == pytest.approx(spread)
    assert verdict["met"] is met
    assert ("| met |" if met else "| MISSED |") in target_table([verdict])


def test_a_target_of_which_one_side_was_not_measured_is_not_judged():
    results = Results()
    results.add("get", "trips", "c++", "hangar", seconds=1.0)
    assert results.judge(FASTER) == []
    results.add("get", "trips", "pyarrow", "streaming", seconds=3.0)
    assert results.judge(FASTER) == []
