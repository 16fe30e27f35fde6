"""Whatever a client puts, DoGet gives back: the same schema with its metadata, the same values."""

import datetime
import decimal
import io
import json
import math
import random
import struct

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from flight_steps import command, get, info, listed, path, put, put_batches
from raw_flight import (
    RawFlight, assert_refused, flight_data, path_descriptor, ticket_message)

DAY = datetime.date(2026, 2, 28)
NOON = datetime.datetime(2026, 2, 28, 12, 30, 15)
BIG = 2**62


class Celsius(pa.ExtensionType):
    """An extension type that this client registers and the server has never heard of."""

    def __init__(self):
        super().__init__(pa.float32(), "tests.celsius")

    def __arrow_ext_serialize__(self):
        return b"degrees"

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        assert serialized == b"degrees"
        return cls()


class Pair(pa.ExtensionType):
    """An extension type over a nested type that Parquet does not have."""

    def __init__(self):
        super().__init__(pa.list_(pa.duration("s"), 2), "tests.pair")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        return cls()


@pytest.fixture(scope="module", autouse=True)
def registered_extension_types():
    for extension in (Celsius(), Pair()):
        pa.register_extension_type(extension)
    yield
    for name in ("tests.celsius", "tests.pair"):
        pa.unregister_extension_type(name)


def _integers(kind, low, high):
    return pa.array([0, 1, None, low, high, 7], kind)


def _decimals(kind, *texts):
    return pa.array([decimal.Decimal(text) if text else None for text in texts], kind)


def _unscaled(kind, values):
    """Decimals that pyarrow does not make out of Python's: their unscaled values."""
    body = b"".join(value.to_bytes(16, "little", signed=True) for value in values)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(body)])


def _raw_counts(kind, values):
    """Times by their number of units, also those that Python's datetime cannot say."""
    width = pa.int32() if kind.bit_width == 32 else pa.int64()
    return pa.array(values, width).view(kind)


def _dictionary(values, indices, index_type=pa.int32(), ordered=False):
    return pa.DictionaryArray.from_arrays(
        pa.array(indices, index_type), values, ordered=ordered)


def _arrays():
    """{name: an array of that type, with nulls and the corners of the type}"""
    arrays = {
        "bool": pa.array([True, False, None, True]),
        "null": pa.nulls(5),
        "int8": _integers(pa.int8(), -2**7, 2**7 - 1),
        "int16": _integers(pa.int16(), -2**15, 2**15 - 1),
        "int32": _integers(pa.int32(), -2**31, 2**31 - 1),
        "int64": _integers(pa.int64(), -2**63, 2**63 - 1),
        "uint8": _integers(pa.uint8(), 0, 2**8 - 1),
        "uint16": _integers(pa.uint16(), 0, 2**16 - 1),
        "uint32": _integers(pa.uint32(), 0, 2**32 - 1),
        "uint64": _integers(pa.uint64(), 0, 2**64 - 1),
    }
    corners = [0.0, -0.0, math.nan, math.inf, -math.inf, 1.5, None]
    arrays["float16"] = pa.array(
        [None if v is None else np.float16(v) for v in corners], pa.float16())
    arrays["float32"] = pa.array(corners + [1e-45, 3.4028235e38], pa.float32())
    arrays["float64"] = pa.array(corners + [5e-324, 1.7976931348623157e308], pa.float64())

    for name, kind, digits in (("decimal32", pa.decimal32(9, 2), 7),
                               ("decimal64", pa.decimal64(18, 2), 16),
                               ("decimal128", pa.decimal128(38, 2), 36),
                               ("decimal256", pa.decimal256(76, 2), 74)):
        most = "9" * digits + ".99"
        arrays[name] = _decimals(kind, "0.00", "-1.25", None, most, "-" + most)
    arrays["decimal128 of few digits"] = _decimals(pa.decimal128(4, 1), "999.9", None, "-0.1")
    arrays["decimal128 of negative scale"] = _unscaled(pa.decimal128(5, -2), [123, -99_999, 0])
    arrays["decimal128 of scale above precision"] = _unscaled(
        pa.decimal128(3, 5), [123, -999, 0])
    arrays["decimal256 of few digits"] = _decimals(pa.decimal256(9, 0), "123", None)
    arrays["decimal32 of scale 0"] = _decimals(pa.decimal32(3, 0), "999", None, "-999")

    arrays["date32"] = _raw_counts(pa.date32(), [0, -719162, None, 2932896, -2**31, 2**31 - 1])
    arrays["date64"] = _raw_counts(pa.date64(), [0, 86_400_000, None, -86_400_000 * 719162])
    arrays["time32[s]"] = pa.array([datetime.time(0), None, datetime.time(23, 59, 59)],
                                   pa.time32("s"))
    arrays["time32[ms]"] = _raw_counts(pa.time32("ms"), [0, None, 86_399_999])
    arrays["time64[us]"] = _raw_counts(pa.time64("us"), [0, None, 86_399_999_999])
    arrays["time64[ns]"] = _raw_counts(pa.time64("ns"), [0, None, 86_399_999_999_999])
    for unit in ("s", "ms", "us", "ns"):
        edge = 9_000_000_000_000_000 if unit == "s" else 2**63 - 1
        counts = [0, -1, None, 1_772_281_815, edge, -edge]
        arrays[f"timestamp[{unit}]"] = _raw_counts(pa.timestamp(unit), counts)
        for zone in ("UTC", "Europe/Zurich", "+05:30"):
            arrays[f"timestamp[{unit}, {zone}]"] = _raw_counts(pa.timestamp(unit, zone), counts)
        arrays[f"duration[{unit}]"] = _raw_counts(
            pa.duration(unit), [0, -5, None, 2**63 - 1, -2**63])

    texts = ["", "a", None, "grüße", "\U0001f40d" * 10, "x" * 3000, "a\0b"]
    blobs = [b"", b"a", None, b"\x00\xff", bytes(range(256)), b"y" * 3000]
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        arrays[str(kind)] = pa.array(texts, kind)
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        arrays[str(kind)] = pa.array(blobs, kind)
    arrays["fixed_size_binary"] = pa.array([b"abc", None, b"\0\0\0"], pa.binary(3))
    arrays["fixed_size_binary of width 0"] = pa.array([b"", None, b""], pa.binary(0))

    lists = [[1, 2, 3], [], None, [None], [4]]
    for make in (pa.list_, pa.large_list, pa.list_view, pa.large_list_view):
        arrays[str(make(pa.int32()))] = pa.array(lists, make(pa.int32()))
    arrays["list of strings"] = pa.array([["a", ""], [], None, [None]], pa.list_(pa.string()))
    arrays["list of lists"] = pa.array([[[1], []], None, [None, [2, 3]]],
                                       pa.list_(pa.list_(pa.int16())))
    arrays["list of views"] = pa.array([["a", None], None, []], pa.list_(pa.string_view()))
    arrays["fixed_size_list"] = pa.array([[1, 2], None, [None, 3]], pa.list_(pa.int64(), 2))
    arrays["fixed_size_list of strings"] = pa.array(
        [["a", ""], None, [None, "b"]], pa.list_(pa.string(), 2))
    arrays["fixed_size_list of fixed_size_lists"] = pa.array(
        [[[1, 2], [3, 4]], None, [None, [5, None]]], pa.list_(pa.list_(pa.int8(), 2), 2))
    arrays["list view of fixed_size_lists"] = pa.array(
        [[[1.5, None]], None, [], [None, [2.5, 3.5]]],
        pa.list_view(pa.list_(pa.float32(), 2)))
    arrays["list with a named item"] = pa.array(
        [[1], None], pa.list_(pa.field("thing", pa.int32(), nullable=True)))
    arrays["list without null items"] = pa.array(
        [[1], None, []], pa.list_(pa.field("item", pa.int32(), nullable=False)))

    point = pa.struct([("x", pa.int32()), ("y", pa.string())])
    arrays["struct"] = pa.array([{"x": 1, "y": "a"}, None, {"x": None, "y": None}], point)
    arrays["struct of structs"] = pa.array(
        [{"p": {"x": 1, "y": ""}, "l": [1]}, {"p": None, "l": None}, None],
        pa.struct([("p", point), ("l", pa.list_(pa.int8()))]))
    arrays["struct with a field of its own metadata"] = pa.array(
        [{"x": 1}, None],
        pa.struct([pa.field("x", pa.int32(), metadata={"unit": "metre"})]))
    arrays["list of structs"] = pa.array([[{"x": 1, "y": "a"}, None], [], None], pa.list_(point))
    arrays["map"] = pa.array([[("a", 1), ("b", None)], [], None], pa.map_(pa.string(), pa.int32()))
    arrays["map with sorted keys"] = pa.array(
        [[("a", 1)], None], pa.map_(pa.string(), pa.int32(), keys_sorted=True))
    arrays["map of maps"] = pa.array(
        [[(1, [("a", 1.5)])], None, []],
        pa.map_(pa.int64(), pa.map_(pa.string(), pa.float64())))
    arrays["map of lists of structs"] = pa.array(
        [[("k", [{"x": 1, "y": "a"}])], None], pa.map_(pa.string(), pa.list_(point)))

    words = pa.array(["red", "green", "", "blue"])
    for index_type in (pa.int8(), pa.int16(), pa.int32(), pa.int64(),
                       pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        arrays[f"dictionary of strings by {index_type}"] = _dictionary(
            words, [0, 3, None, 0, 2], index_type)
    arrays["dictionary, ordered"] = _dictionary(words, [1, None, 0], ordered=True)
    for values in (pa.array([1.5, math.nan, -0.0]), pa.array([10, 2**40, -1], pa.int64()),
                   pa.array([b"a", b"", b"\xff"]), pa.array(["a", "b", ""], pa.large_string()),
                   pa.array(["a", "b", ""], pa.string_view()),
                   pa.array([DAY, DAY, DAY], pa.date32()), pa.array([True, False, True]),
                   pa.array([NOON, NOON, NOON], pa.timestamp("s", "UTC")),
                   pa.array([b"ab", b"cd", b"ef"], pa.binary(2))):
        arrays[f"dictionary of {values.type}"] = _dictionary(values, [2, 0, None, 1])
    arrays["list of dictionaries"] = pa.ListArray.from_arrays(
        pa.array([0, 2, 2, 3], pa.int32()), _dictionary(words, [0, 1, None]))
    arrays["struct of a dictionary"] = pa.StructArray.from_arrays(
        [_dictionary(words, [0, None, 3], pa.int8())], fields=[
            pa.field("d", pa.dictionary(pa.int8(), pa.string()))])

    arrays["registered extension type"] = pa.ExtensionArray.from_storage(
        Celsius(), pa.array([1.5, None, -273.15], pa.float32()))
    arrays["extension type over what Parquet lacks"] = pa.ExtensionArray.from_storage(
        Pair(), pa.array([[1, 2], None, [None, 4]], pa.list_(pa.duration("s"), 2)))
    arrays["list of an extension type"] = pa.ListArray.from_arrays(
        pa.array([0, 1, 3], pa.int32()),
        pa.ExtensionArray.from_storage(Celsius(), pa.array([1, None, 2], pa.float32())))
    arrays["arrow.uuid"] = pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([bytes(range(16)), None], pa.binary(16)))
    arrays["arrow.json"] = pa.ExtensionArray.from_storage(
        pa.json_(pa.string()), pa.array(['{"a": 1}', None, "[]"]))
    arrays["arrow.bool8"] = pa.ExtensionArray.from_storage(
        pa.bool8(), pa.array([1, 0, None, -1], pa.int8()))
    arrays["arrow.opaque"] = pa.ExtensionArray.from_storage(
        pa.opaque(pa.binary(), "geometry", "elsewhere"), pa.array([b"\1\2", None]))
    tensor = pa.fixed_shape_tensor(pa.int32(), [2, 2])
    arrays["arrow.fixed_shape_tensor"] = pa.ExtensionArray.from_storage(
        tensor, pa.array([[1, 2, 3, 4], [5, 6, 7, 8]], pa.list_(pa.int32(), 4)))
    return arrays


ARRAYS = _arrays()

# What pyarrow reads from a file that Hangar wrote as another type than was put, because Parquet or
# Arrow's Parquet reader has no such type; docs/protocol.md tells why. All others must be the same.
READ_AS_ANOTHER_TYPE = {
    "decimal128 of negative scale": pa.decimal128(7, 0),
    "decimal128 of scale above precision": pa.decimal128(5, 5),
    "date64": pa.timestamp("ms"),
    "time32[s]": pa.time32("ms"),
    "timestamp[s]": pa.timestamp("ms"),
    "timestamp[s, UTC]": pa.timestamp("ms", "UTC"),
    "timestamp[s, Europe/Zurich]": pa.timestamp("ms", "Europe/Zurich"),
    "timestamp[s, +05:30]": pa.timestamp("ms", "+05:30"),
    "fixed_size_binary of width 0": pa.binary(),
    "list_view<item: int32>": pa.list_(pa.int32()),
    "large_list_view<item: int32>": pa.large_list(pa.int32()),
    "list of views": pa.list_(pa.string()),
    "fixed_size_list": pa.list_(pa.int64()),
    "fixed_size_list of strings": pa.list_(pa.string()),
    "fixed_size_list of fixed_size_lists": pa.list_(pa.list_(pa.int8())),
    "list view of fixed_size_lists": pa.list_(pa.list_(pa.float32())),
    "dictionary of double": pa.float64(),
    "dictionary of int64": pa.int64(),
    "dictionary of large_string": pa.dictionary(pa.int32(), pa.string()),
    "dictionary of string_view": pa.dictionary(pa.int32(), pa.string()),
    "dictionary of date32[day]": pa.date32(),
    "dictionary of bool": pa.bool_(),
    "dictionary of timestamp[s, tz=UTC]": pa.timestamp("ms", "UTC"),
    "dictionary of fixed_size_binary[2]": pa.binary(2),
    "list of dictionaries": pa.list_(pa.string()),
    "struct of a dictionary": pa.struct([("d", pa.string())]),
    "extension type over what Parquet lacks": pa.list_(pa.duration("s")),
    "arrow.fixed_shape_tensor": pa.list_(pa.int32()),
    **{f"dictionary of strings by {index}": pa.dictionary(pa.int32(), pa.string())
       for index in ("int8", "int16", "int64", "uint8", "uint16", "uint32", "uint64")},
}


def bits(array):
    """The array's values so that NaN equals NaN and -0.0 does not equal 0.0."""
    def exact(value):
        if isinstance(value, (float, np.floating)):
            return struct.pack("<d", float(value))
        if isinstance(value, dict):
            return {key: exact(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, np.ndarray)):
            return [exact(item) for item in value]
        return value

    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return bits(array.storage if isinstance(array, pa.Array) else pa.chunked_array(
            [chunk.storage for chunk in array.chunks], kind.storage_type))
    if pa.types.is_temporal(kind):
        # Their counts of units; Python's own types hold fewer values.
        return array.view(pa.int32() if kind.bit_width == 32 else pa.int64()).to_pylist() \
            if isinstance(array, pa.Array) else \
            [value for chunk in array.chunks for value in bits(chunk)]
    if pa.types.is_dictionary(kind):
        chunks = [array] if isinstance(array, pa.Array) else array.chunks
        values = [(bits(chunk.dictionary), chunk.indices.to_pylist()) for chunk in chunks]
        return [None if index is None else words[index]
                for words, indices in values for index in indices]
    return [exact(value) for value in array.to_pylist()]


def without_item_names(kind):
    """Parquet calls the items of a list "element"."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        make = pa.list_ if pa.types.is_list(kind) else pa.large_list
        return make(pa.field("item", without_item_names(kind.value_type)))
    return kind


def plainly(column):
    """The values as another program would understand them, whatever Arrow type carries them."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return plainly(pa.chunked_array([chunk.storage for chunk in column.chunks],
                                        kind.storage_type))
    if pa.types.is_time(kind):
        return [str(value) for value in column.to_pylist()]
    if pa.types.is_dictionary(kind) and pa.types.is_timestamp(kind.value_type):
        return plainly(column.cast(kind.value_type))
    if pa.types.is_date64(kind) or pa.types.is_timestamp(kind):
        counts = column.cast(pa.int64()).to_pylist()
        per_millisecond = {"us": 1000, "ns": 1_000_000}.get(getattr(kind, "unit", "ms"), 1)
        milliseconds = 1000 if getattr(kind, "unit", "ms") == "s" else 1
        return [None if n is None else (n * milliseconds, per_millisecond) for n in counts]
    return bits(column)


def assert_same(got, want):
    assert got.schema.equals(want.schema, check_metadata=True), (
        f"{got.schema.to_string(show_field_metadata=True)}\nis not\n"
        f"{want.schema.to_string(show_field_metadata=True)}")
    assert got.num_rows == want.num_rows
    got.validate(full=True)
    for name, got_column, want_column in zip(want.column_names, got.columns, want.columns):
        assert bits(got_column) == bits(want_column), f"column {name!r}"


def round_trip(server, table, chunk_rows=None):
    client = server.client()
    reply = put(client, "t.parquet", table, chunk_rows)
    assert reply["rows"] == table.num_rows
    assert info(client, "t.parquet").schema.equals(table.schema, check_metadata=True)
    got = get(client, "t.parquet")
    assert_same(got, table)
    return got


@pytest.mark.parametrize("name", ARRAYS)
class TestEveryType:
    def test_comes_back(self, shared_server, name):
        round_trip(shared_server, pa.table({"c": ARRAYS[name]}))

    def test_comes_back_from_a_slice(self, shared_server, name):
        # Buffers whose offsets are not zero and whose bits do not begin at a byte.
        long = pa.concat_arrays([ARRAYS[name]] * 5)
        round_trip(shared_server, pa.table({"c": long.slice(3, len(long) - 5)}))

    def test_comes_back_when_all_values_are_null(self, shared_server, name):
        kind = ARRAYS[name].type
        if isinstance(kind, pa.BaseExtensionType):
            nulls = pa.ExtensionArray.from_storage(kind, pa.nulls(9, kind.storage_type))
        else:
            nulls = pa.nulls(9, kind)
        round_trip(shared_server, pa.table({"c": nulls}))

    def test_comes_back_without_rows(self, shared_server, name):
        round_trip(shared_server, pa.table({"c": ARRAYS[name]}).slice(0, 0))

    def test_comes_back_in_many_batches_and_row_groups(self, shared_server, name):
        table = pa.table({"c": pa.concat_arrays([ARRAYS[name]] * 40)})
        client = shared_server.client()
        put(client, command("t.parquet", row_group_rows=17), table, chunk_rows=13)
        assert_same(get(client, "t.parquet"), table)
        narrowed = get(client, command("t.parquet", offset=15, limit=60, partitions=3))
        assert_same(narrowed, table.slice(15, 60))

    def test_is_read_by_pyarrow_from_the_stored_file(self, shared_server, name):
        table = pa.table({"c": ARRAYS[name]})
        put(shared_server.client(), "t.parquet", table)
        stored = pq.read_table(io.BytesIO(shared_server.stored("t.parquet")),
                               arrow_extensions_enabled=True)
        assert stored.num_rows == table.num_rows
        assert stored["c"].null_count == table["c"].null_count
        kind = READ_AS_ANOTHER_TYPE.get(name, table.schema.field("c").type)
        assert without_item_names(stored.schema.field("c").type) == without_item_names(kind)
        assert plainly(stored["c"]) == plainly(table["c"])


def test_a_field_without_nulls_stays_one(shared_server):
    fields = [pa.field("a", pa.int64(), nullable=False),
              pa.field("b", pa.list_(pa.field("item", pa.string(), nullable=False)), False),
              pa.field("c", pa.struct([pa.field("x", pa.int8(), nullable=False)]), False),
              pa.field("d", pa.dictionary(pa.int8(), pa.string()), nullable=False),
              pa.field("e", pa.date64(), nullable=False)]
    table = pa.Table.from_pylist(
        [{"a": 1, "b": ["x"], "c": {"x": 1}, "d": "u", "e": DAY},
         {"a": 2, "b": [], "c": {"x": 2}, "d": "v", "e": DAY}], schema=pa.schema(fields))
    round_trip(shared_server, table)


def test_field_and_schema_metadata_come_back_byte_for_byte(shared_server):
    schema = pa.schema(
        [pa.field("a", pa.int64(), metadata={"unit": "metre", b"\xff\x00key": b"\x00\xfe"}),
         pa.field("b", pa.date64(), metadata={"note": ""}),
         pa.field("c", pa.list_(pa.field("item", pa.string_view(), metadata={"deep": "yes"}))),
         pa.field("", pa.int8(), metadata={"": "empty name, empty key"})],
        metadata={"owner": "sales", b"\x00": b"\xff" * 10, "long": "x" * 100_000, "": ""})
    table = pa.Table.from_arrays(
        [pa.array([1], pa.int64()), pa.array([DAY], pa.date64()),
         pa.array([["x"]], schema.field("c").type), pa.array([1], pa.int8())], schema=schema)
    round_trip(shared_server, table)


def test_metadata_of_a_field_called_like_parquets_own_is_not_mixed_up(shared_server):
    schema = pa.schema([pa.field("a", pa.int32(), metadata={"PARQUET:field_id": "7"})],
                       metadata={"pandas": "{}"})
    round_trip(shared_server, pa.Table.from_arrays([pa.array([1], pa.int32())], schema=schema))


def test_an_extension_type_that_nobody_registered_comes_back_as_its_metadata(shared_server):
    field = pa.field("c", pa.int64(), metadata={
        "ARROW:extension:name": "nobody.knows", "ARROW:extension:metadata": "this"})
    table = pa.Table.from_arrays([pa.array([1, None, 3], pa.int64())], schema=pa.schema([field]))
    round_trip(shared_server, table)


@pytest.mark.parametrize("names", [["a", "a"], ["", ""], ["a.b", "a", "b"], ["grüße", "\U0001f40d"],
                                   ["a b", "A B", "'", '"'], ["x" * 5000], ["list", "element"]],
                         ids=lambda names: repr(names)[:30])
def test_column_names_are_taken_as_they_are(shared_server, names):
    columns = [pa.array([number, None], pa.int32()) for number in range(len(names))]
    round_trip(shared_server, pa.Table.from_arrays(columns, names=names))


def test_a_table_of_a_thousand_columns_comes_back(shared_server):
    columns = {f"column_{i}": pa.array([i, None, -i], pa.int32()) for i in range(1000)}
    round_trip(shared_server, pa.table(columns))


def test_a_schema_without_columns_comes_back(shared_server):
    client = shared_server.client()
    empty = pa.schema([], metadata={"only": "metadata"})
    put_batches(client, "none.parquet", empty, [])
    got = get(client, "none.parquet")
    assert got.schema.equals(empty, check_metadata=True)
    assert (got.num_rows, got.num_columns) == (0, 0)


def test_dictionaries_that_differ_between_batches_come_back(shared_server):
    schema = pa.schema([("c", pa.dictionary(pa.int8(), pa.string()))])
    batches = [pa.record_batch([_dictionary(pa.array(words), indices, pa.int8())], schema=schema)
               for words, indices in ((["a", "b"], [0, 1, None]), (["c", "a"], [0, 1, 1]),
                                      (["b", "c", ""], [2, 0, None]), (["z"], [None, 0]))]
    client = shared_server.client()
    put_batches(client, "t.parquet", schema, batches)
    got = get(client, "t.parquet")
    assert got.schema.equals(schema, check_metadata=True)
    assert got["c"].to_pylist() == ["a", "b", None, "c", "a", "a", "", "b", None, None, "z"]


def test_dictionary_deltas_come_back(shared_server):
    schema = pa.schema([("c", pa.dictionary(pa.int32(), pa.string()))])
    words = ["a", "b", "c", "d", "e"]
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        for size in range(1, 6):
            indices = list(range(size))
            writer.write_batch(pa.record_batch([_dictionary(pa.array(words[:size]), indices)],
                                               schema=schema))
    messages = [(m.metadata.to_pybytes(), m.body.to_pybytes() if m.body else b"")
                for m in pa.ipc.MessageReader.open_stream(sink.getvalue())]
    kinds = [m.type for m in pa.ipc.MessageReader.open_stream(sink.getvalue())]
    assert kinds.count("dictionary") == 5
    with RawFlight(shared_server) as raw:
        raw.put(path_descriptor("deltas.parquet"), messages)
    got = get(shared_server.client(), "deltas.parquet")
    assert got.schema.equals(schema)
    assert got["c"].to_pylist() == [words[i] for size in range(1, 6) for i in range(size)]


def test_more_different_values_than_a_dictionarys_index_can_number_come_back(shared_server):
    # Each batch has a dictionary of its own that fits 8 bits, together they do not.
    schema = pa.schema([("c", pa.dictionary(pa.int8(), pa.string()))])
    batches = [pa.record_batch([_dictionary(
        pa.array([f"{start}-{i}" for i in range(100)]), list(range(100)), pa.int8())],
        schema=schema) for start in range(20)]
    client = shared_server.client()
    put_batches(client, "t.parquet", schema, batches)
    got = get(client, "t.parquet")
    assert got.schema.equals(schema)
    assert got["c"].to_pylist() == [f"{s}-{i}" for s in range(20) for i in range(100)]


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_batches_that_a_client_compresses_are_understood(shared_server, codec):
    table = pa.table({"a": range(10_000), "b": ["x" * (i % 50) for i in range(10_000)]})
    client = shared_server.client()
    options = flight.FlightCallOptions(write_options=pa.ipc.IpcWriteOptions(compression=codec))
    writer, _ = client.do_put(path("t.parquet"), table.schema, options=options)
    writer.write_table(table, max_chunksize=1000)
    writer.close()
    assert_same(get(client, "t.parquet"), table)


def test_no_batch_of_any_read_is_much_larger_than_a_mebibyte(shared_server):
    table = pa.table({"a": np.arange(3_000_000), "b": np.random.default_rng(1).random(3_000_000)})
    client = shared_server.client()
    put(client, "t.parquet", table)
    sizes = [chunk.data.nbytes for chunk in client.do_get(info(client, "t.parquet").endpoints[0]
                                                          .ticket)]
    assert sum(sizes) >= table.nbytes
    assert max(sizes) <= 2 << 20
    assert len(sizes) >= 20


REFUSED = {
    "sparse union": pa.sparse_union([pa.field("a", pa.int8())]),
    "dense union": pa.dense_union([pa.field("a", pa.int8())]),
    "interval": pa.month_day_nano_interval(),
    "run-end encoded": pa.run_end_encoded(pa.int32(), pa.string()),
    "struct without fields": pa.struct([]),
}


@pytest.mark.parametrize("wrap,where", [
    (lambda kind: kind, r"'bad'"),
    (pa.list_, r"'bad\[\]'"),
    (lambda kind: pa.struct([("ok", pa.int8()), ("inner", kind)]), r"'bad\.inner'"),
    (lambda kind: pa.map_(pa.string(), kind), r"'bad\.value'"),
], ids=["column", "list", "struct", "map"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_type_that_parquet_cannot_hold_is_refused_naming_the_field(
        shared_server, name, wrap, where):
    schema = pa.schema([("good", pa.int64()), ("bad", wrap(REFUSED[name]))])
    before = listed(shared_server.client())
    with RawFlight(shared_server) as raw:
        message = pa.ipc.read_message(schema.serialize())
        request = flight_data(message.metadata.to_pybytes(), b"", path_descriptor("no.parquet"))
        assert_refused(shared_server, grpc.StatusCode.INVALID_ARGUMENT, where + r".* type '",
                       raw.exchange, "DoPut", [request])
    assert listed(shared_server.client()) == before
    assert shared_server.staged() == []
    assert shared_server.stored("no.parquet") is None


def test_a_refused_type_is_a_readable_exception_in_pyarrow(shared_server):
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    with pytest.raises(pa.ArrowInvalid, match="'u'.*union"):
        put(shared_server.client(), "no.parquet", pa.table({"u": union}))


GRID_ROWS = 1000


@pytest.fixture(scope="module")
def grid(module_server):
    rng = random.Random(20260228)
    table = pa.table({
        "id": pa.array(range(GRID_ROWS), pa.int64()),
        "word": pa.array([rng.choice(["", "a", "bb", None]) for _ in range(GRID_ROWS)]),
        "when": pa.array([rng.randrange(2**40) for _ in range(GRID_ROWS)], pa.int64()).cast(
            pa.timestamp("s", "UTC")),
        "kind": pa.array([rng.choice("xyz") for _ in range(GRID_ROWS)]).dictionary_encode(),
        "list": pa.array([[rng.random()] * rng.randrange(4) for _ in range(GRID_ROWS)]),
        "view": pa.array([rng.choice(["v" * 40, "w"]) for _ in range(GRID_ROWS)],
                         pa.string_view()),
    })
    put(module_server.client(), command("grid.parquet", row_group_rows=77), table, chunk_rows=31)
    return table


def _grid_reads():
    rng = random.Random(7)
    edges = [0, 1, 76, 77, 78, 153, 154, 500, 999, 1000, 1001, 5000]
    reads = [{}]
    for _ in range(60):
        keys = {}
        if rng.random() < 0.8:
            keys["offset"] = rng.choice(edges + [rng.randrange(GRID_ROWS)])
        if rng.random() < 0.8:
            keys["limit"] = rng.choice(edges + [rng.randrange(GRID_ROWS)])
        if rng.random() < 0.7:
            keys["partitions"] = rng.choice([1, 2, 3, 7, 13, 100, 10_000])
        if rng.random() < 0.7:
            keys["columns"] = rng.sample(["id", "word", "when", "kind", "list", "view"],
                                         rng.randrange(1, 7))
        if rng.random() < 0.6:
            keys["compression"] = rng.choice(["none", "lz4", "zstd"])
        reads.append(keys)
    return reads


@pytest.mark.parametrize("keys", _grid_reads(), ids=lambda keys: json.dumps(keys)[1:-1])
def test_a_narrowed_read_gives_exactly_those_rows(shared_server, grid, keys):
    want = grid.select(keys["columns"]) if "columns" in keys else grid
    want = want.slice(keys.get("offset", 0), keys.get("limit"))
    client = shared_server.client()
    found = info(client, command("grid.parquet", **keys))
    assert found.total_records == want.num_rows
    assert found.schema.equals(want.schema, check_metadata=True)
    assert 1 <= len(found.endpoints) <= keys.get("partitions", 1)
    parts = [client.do_get(endpoint.ticket).read_all() for endpoint in found.endpoints]
    assert [json.loads(e.app_metadata)["rows"] for e in found.endpoints] == [
        part.num_rows for part in parts]
    assert_same(pa.concat_tables(parts), want)


def test_no_columns_are_a_count_of_rows(shared_server, grid):
    client = shared_server.client()
    found = info(client, command("grid.parquet", columns=[], offset=10, limit=500))
    assert found.total_records == 500
    assert found.schema == pa.schema([])
    rows = sum(chunk.data.num_rows for chunk in client.do_get(found.endpoints[0].ticket))
    assert rows == 500


def test_partitions_together_hold_each_row_once_whatever_their_number(shared_server, grid):
    client = shared_server.client()
    for partitions in (1, 2, 5, 13, 14, 50):
        found = info(client, command("grid.parquet", partitions=partitions, columns=["id"]))
        assert len(found.endpoints) == min(partitions, math.ceil(GRID_ROWS / 77))
        ids = [i for e in found.endpoints for i in client.do_get(e.ticket).read_all()["id"]
               .to_pylist()]
        assert ids == list(range(GRID_ROWS))


def test_wire_compression_makes_the_messages_smaller(shared_server):
    table = pa.table({"zeros": np.zeros(1_000_000)})
    client = shared_server.client()
    put(client, "z.parquet", table)
    sizes = {}
    with RawFlight(shared_server) as raw:
        for codec in ("none", "lz4", "zstd"):
            found = info(client, command("z.parquet", compression=codec))
            ticket = ticket_message(found.endpoints[0].ticket.ticket)
            sizes[codec] = sum(len(message) for message in raw.stream("DoGet", ticket))
    assert sizes["none"] > 8_000_000
    assert sizes["lz4"] < sizes["none"] / 10
    assert sizes["zstd"] < sizes["none"] / 10


def test_values_survive_arithmetic_on_both_sides(shared_server):
    rng = np.random.default_rng(3)
    table = pa.table({"x": rng.standard_normal(200_000), "y": rng.integers(-2**62, 2**62, 200_000)})
    client = shared_server.client()
    put(client, "t.parquet", table)
    got = get(client, "t.parquet")
    assert pc.sum(got["x"]) == pc.sum(table["x"])
    assert got.equals(table)
