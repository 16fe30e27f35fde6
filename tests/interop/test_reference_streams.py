"""The IPC streams with which Arrow's implementations test each other, and those of its fuzzers."""

import pathlib

import grpc
import pyarrow as pa
import pytest

from flight_steps import get, put_batches
from hangar_fixtures import eventually
from raw_flight import (
    RawFlight, assert_fit_for_clients, assert_refused, flight_data, ipc_messages, path_descriptor)

CORPUS = pathlib.Path("/usr/share/apache/arrow-testing/arrow-ipc-stream")
INTEGRATION = sorted((CORPUS / "integration").glob("*/*.stream"))
FUZZED = sorted(file for file in CORPUS.iterdir() if file.is_file()) if CORPUS.is_dir() else []
INVALID = grpc.StatusCode.INVALID_ARGUMENT

# What Parquet cannot hold is refused; that it names the field is tested with each such type.
REFUSED = ("generated_union.stream", "generated_interval.stream", "generated_interval_mdn.stream",
           "generated_run_end_encoded.stream")


def test_the_corpora_are_there():
    assert len(INTEGRATION) > 50 and len(FUZZED) > 50, (
        f"{CORPUS} is empty: is the package arrow-testing installed?")


def read(file):
    with pa.ipc.open_stream(file.read_bytes()) as reader:
        return reader.schema, list(reader)


def is_valid(batch):
    try:
        batch.validate(full=True)
        return True
    except pa.ArrowInvalid:
        return False


def rows(table):
    """The values, dictionaries looked up, in a form in which NaN equals itself."""
    return repr([[value for chunk in column.chunks for value in chunk.to_pylist()]
                 for column in table.columns])


@pytest.mark.parametrize("file", INTEGRATION, ids=lambda file: "/".join(file.parts[-2:]))
def test_a_stream_of_the_integration_tests_comes_back(shared_server, file):
    schema, batches = read(file)
    client = shared_server.client()
    if not all(is_valid(batch) for batch in batches):
        # Some generators make decimals of too many digits and parts of days.
        with pytest.raises(pa.ArrowInvalid, match="malformed"):
            put_batches(client, "s", schema, batches)
        return
    if file.name in REFUSED:
        with pytest.raises(pa.ArrowInvalid, match="cannot be stored"):
            put_batches(client, "s", schema, batches)
        return
    put_batches(client, "s", schema, batches)
    got = get(client, "s")
    assert got.schema.equals(schema, check_metadata=True)
    want = pa.Table.from_batches(batches, schema)
    got.validate(full=True)
    # Chunks of differing dictionaries and NaN are never equal to pyarrow.
    assert got.equals(want) or rows(got) == rows(want)


def stream_messages(content):
    """The messages of a stream that need not be whole, up to where it breaks."""
    messages = []
    try:
        for message in pa.ipc.MessageReader.open_stream(content):
            body = message.body
            messages.append((message.metadata.to_pybytes(), body.to_pybytes() if body else b""))
    except (pa.ArrowException, OSError):
        pass
    return messages


def test_the_streams_of_the_fuzzers_never_harm_the_server(server):
    sent = 0
    with RawFlight(server) as raw:
        for number, file in enumerate(FUZZED):
            content = file.read_bytes()
            messages = stream_messages(content) or [(content[:1000], content[1000:2000])]
            try:
                raw.put(path_descriptor(f"fuzz/{number}"), messages)
            except grpc.RpcError as error:
                assert error.code() in (INVALID, grpc.StatusCode.RESOURCE_EXHAUSTED), (
                    file.name, error.code(), error.details())
                assert_fit_for_clients(server, error.details())
            else:
                got = get(server.client(), f"fuzz/{number}")
                got.validate(full=True)
                assert len(got.schema.names) == got.num_columns
            sent += len(messages)
            server.close_clients()
    assert sent >= len(FUZZED)
    eventually(lambda: not server.staged(), "staging is empty")
    peak_kib = int(next(line for line in pathlib.Path(f"/proc/{server.process.pid}/status")
                        .read_text().splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak_kib < 1 << 20


def test_a_compressed_body_that_claims_a_huge_size_is_refused(server):
    table = pa.table({"x": [0] * 10_000})
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    messages = stream_messages(sink.getvalue())
    header, body = messages[1]
    claimed = (80_000).to_bytes(8, "little")  # each compressed buffer begins with its size
    assert claimed in body
    with RawFlight(server) as raw:
        for size in (1 << 40, 1 << 62, 2**64 - 2, 80_001, 8):
            lying = body.replace(claimed, size.to_bytes(8, "little"))
            try:
                raw.put(path_descriptor("x"), [messages[0], (header, lying)])
            except grpc.RpcError as error:
                assert error.code() in (INVALID, grpc.StatusCode.RESOURCE_EXHAUSTED), (
                    size, error.details())
                assert_fit_for_clients(server, error.details())
            else:
                raise AssertionError(f"a buffer that claims {size} bytes was stored")
        assert_refused(server, INVALID, "schema", raw.exchange, "DoPut",
                       [flight_data(*ipc_messages(table.to_batches())[1], path_descriptor("x"))])
