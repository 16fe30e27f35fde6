"""DataFrames go in through pyarrow and come back as they were."""

import datetime
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_steps import command, get, put

DAYS = pd.date_range("2026-01-30", periods=4, freq="D")


def _frames():
    rng = np.random.default_rng(1)
    values = {"n": [1, 2, 3, 4], "x": [0.5, np.nan, -0.0, np.inf], "s": ["a", "", None, "grüße"]}
    plain = pd.DataFrame(values)
    return {
        "plain": plain,
        "a named index": plain.set_index(pd.Index([10, 20, 30, 40], name="key")),
        "an index of strings": plain.set_index(pd.Index(list("wxyz"))),
        "an index of timestamps": plain.set_index(DAYS.rename("day")),
        "an index of time zones": plain.set_index(DAYS.tz_localize("Europe/Zurich")),
        "an index of several levels": plain.set_index(pd.MultiIndex.from_product(
            [["a", "b"], [1, 2]], names=["letter", "digit"])),
        "a range index with a step": plain.set_index(pd.RangeIndex(0, 8, 2)),
        "columns that are numbers": pd.DataFrame(rng.random((3, 2)), columns=[0, 1]),
        "no rows": plain.iloc[:0],
        "a part of a frame": plain.iloc[1:3],
        "categories": pd.DataFrame({
            "c": pd.Categorical(["b", None, "a", "b"], categories=["a", "b", "unused"]),
            "o": pd.Categorical(["lo", "hi", "lo", None], categories=["lo", "hi"], ordered=True),
        }),
        "timestamps": pd.DataFrame({
            "ns": DAYS.as_unit("ns"), "us": DAYS.as_unit("us"), "ms": DAYS.as_unit("ms"),
            "s": DAYS.as_unit("s"), "utc": DAYS.tz_localize("UTC"),
            "zurich": DAYS.tz_localize("Europe/Zurich"),
            "missing": [pd.Timestamp("1969-12-31T23:59:59.999999999"), pd.NaT, pd.NaT,
                        pd.Timestamp("2200-01-01")],
        }),
        "durations": pd.DataFrame({"d": pd.to_timedelta([1, -2, None, 4], unit="s")}),
        "nullable extension types": pd.DataFrame({
            "i": pd.array([1, None, -3, 4], dtype="Int64"),
            "u": pd.array([1, None, 255, 0], dtype="UInt8"),
            "f": pd.array([1.5, None, -0.0, 2], dtype="Float32"),
            "b": pd.array([True, None, False, True], dtype="boolean"),
            "s": pd.array(["a", None, "", "b"], dtype="string"),
        }),
        "arrow types": pd.DataFrame({
            "s": pd.array(["a", None, "", "b"], dtype=pd.ArrowDtype(pa.string())),
            "i": pd.array([1, None, -3, 4], dtype=pd.ArrowDtype(pa.int16())),
            "d": pd.array([datetime.date(2026, 1, 1), None] * 2,
                          dtype=pd.ArrowDtype(pa.date32())),
        }),
        "periods and intervals": pd.DataFrame({
            "p": pd.period_range("2026-01", periods=4, freq="M"),
            "i": pd.interval_range(0, 4),
        }),
        "python objects": pd.DataFrame({
            "bytes": [b"", b"\x00\xff", None, b"x"],
            "date": [datetime.date(2026, 1, 1), None, datetime.date(1, 1, 1), None],
            "bool": [True, None, False, True],
        }),
        "many rows": pd.DataFrame({
            "id": np.arange(100_000), "x": rng.random(100_000),
            "word": rng.choice(["red", "green", "blue"], 100_000),
            "when": pd.date_range("2026-01-01", periods=100_000, freq="min", tz="UTC"),
        }),
    }


FRAMES = _frames()


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back_as_it_was(shared_server, name):
    frame = FRAMES[name]
    table = pa.Table.from_pandas(frame)
    client = shared_server.client()
    put(client, "frame.parquet", table)
    got = get(client, "frame.parquet")
    assert got.schema.equals(table.schema, check_metadata=True)
    # What pandas makes of Arrow data that never left this process is the measure.
    pd.testing.assert_frame_equal(got.to_pandas(), table.to_pandas(), check_freq=False)
    # Of these two pandas' own way through Arrow changes a type or a missing value.
    if name not in ("arrow types", "python objects"):
        pd.testing.assert_frame_equal(got.to_pandas(), frame, check_freq=False)


@pytest.mark.parametrize("name", FRAMES)
def test_pandas_reads_the_stored_file_itself(shared_server, name):
    frame = FRAMES[name]
    put(shared_server.client(), "frame.parquet", pa.Table.from_pandas(frame))
    got = pq.read_table(io.BytesIO(shared_server.stored("frame.parquet"))).to_pandas()
    want = pa.Table.from_pandas(frame).to_pandas()
    # Parquet has no seconds: other readers see them as milliseconds.
    pd.testing.assert_frame_equal(got, want, check_freq=False,
                                  check_dtype=name != "timestamps")


def test_missing_and_not_a_number_stay_apart(shared_server):
    table = pa.table({"x": pa.array([1.0, float("nan"), None], from_pandas=False)})
    client = shared_server.client()
    put(client, "x.parquet", table)
    got = get(client, "x.parquet")["x"]
    assert got.null_count == 1
    assert got.is_nan().to_pylist() == [False, True, None]


def test_columns_of_a_frame_can_be_read_alone_with_their_index(shared_server):
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=pd.Index(["x", "y"], name="key"))
    client = shared_server.client()
    put(client, "frame.parquet", pa.Table.from_pandas(frame))
    got = get(client, command("frame.parquet", columns=["b", "key"])).to_pandas()
    pd.testing.assert_frame_equal(got, frame[["b"]])
