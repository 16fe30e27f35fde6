"""The pyarrow client of the benchmark: the operations of flight_client.cc, with the same options
and the same JSON, as far as they make sense in one thread of Python.

`parquet FILE` is the one that needs no server: it reads a stored file with pyarrow.parquet.
"""

import argparse
import json
import sys
import time

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq


CONNECT_TRIES = 10


def connect(uri):
    """A client whose connection is up; as in flight_client.cc, connecting is tried again."""
    for tries_left in reversed(range(CONNECT_TRIES)):
        client = flight.connect(uri)
        try:
            list(client.list_actions())  # the channel connects with its first call
        except flight.FlightUnavailableError:
            if tries_left == 0:
                raise
            continue
        except pa.ArrowException:
            pass  # the server does not have that call, but the connection is up
        return client


def descriptor(arguments):
    if arguments.command:
        return flight.FlightDescriptor.for_command(arguments.command)
    return flight.FlightDescriptor.for_path(arguments.dataset)


def read_ticket(client, ticket, begin, first_batch_only=False):
    read = {"first_batch_seconds": 0.0, "rows": 0, "batches": 0}
    reader = client.do_get(ticket)
    for chunk in reader:
        if read["batches"] == 0:
            read["first_batch_seconds"] = time.perf_counter() - begin
        read["batches"] += 1
        read["rows"] += chunk.data.num_rows
        if first_batch_only:
            reader.cancel()
            break
    read["seconds"] = time.perf_counter() - begin
    return read


def timed(calls, call):
    seconds = []
    for _ in range(calls):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return seconds


def get(arguments):
    client = connect(arguments.uri)
    reads = []
    for _ in range(arguments.repeat):
        begin = time.perf_counter()
        info = client.get_flight_info(descriptor(arguments))
        reads.append(read_ticket(client, info.endpoints[0].ticket, begin, arguments.first_batch))
    return {"reads": reads}


def put(arguments):
    with pa.OSFile(arguments.file) as file:
        source = pa.ipc.open_file(file)
        batches = [source.get_batch(i) for i in range(source.num_record_batches)]
    client = connect(arguments.uri)
    begin = time.perf_counter()
    writer, _ = client.do_put(descriptor(arguments), source.schema)
    for batch in batches:
        writer.write_batch(batch)
    writer.close()
    return {"seconds": time.perf_counter() - begin,
            "rows": sum(batch.num_rows for batch in batches),
            "bytes": sum(batch.nbytes for batch in batches)}


def info(arguments):
    client = connect(arguments.uri)
    wanted = descriptor(arguments)
    return {"seconds": timed(arguments.calls, lambda: client.get_flight_info(wanted))}


def ticket(arguments):
    client = connect(arguments.uri)
    redeemed = client.get_flight_info(descriptor(arguments)).endpoints[0].ticket
    rows = 0

    def redeem():
        nonlocal rows
        rows += read_ticket(client, redeemed, 0)["rows"]

    return {"seconds": timed(arguments.calls, redeem), "rows": rows}


def list_datasets(arguments):
    client = connect(arguments.uri)
    datasets = 0

    def call():
        nonlocal datasets
        datasets = sum(1 for _ in client.list_flights())

    return {"seconds": timed(arguments.repeat, call), "datasets": datasets}


def parquet(arguments):
    rows = 0

    def call():
        nonlocal rows
        rows = pq.read_table(arguments.file).num_rows

    return {"seconds": timed(arguments.repeat, call), "rows": rows}


def main():
    parser = argparse.ArgumentParser(description="A pyarrow Flight client that measures")
    operations = parser.add_subparsers(required=True)

    def add(name, operation, *positional):
        command = operations.add_parser(name)
        command.set_defaults(operation=operation)
        for argument in positional:
            command.add_argument(argument)
        return command

    command = add("get", get, "uri", "dataset")
    command.add_argument("--command")
    command.add_argument("--repeat", type=int, default=1)
    command.add_argument("--first-batch", action="store_true")
    add("put", put, "uri", "dataset", "file").add_argument("--command")
    for name, operation in (("info", info), ("ticket", ticket)):
        command = add(name, operation, "uri", "dataset")
        command.add_argument("--command")
        command.add_argument("--calls", type=int, default=1)
    add("list", list_datasets, "uri").add_argument("--repeat", type=int, default=1)
    add("parquet", parquet, "file").add_argument("--repeat", type=int, default=1)

    arguments = parser.parse_args()
    json.dump(arguments.operation(arguments), sys.stdout)


if __name__ == "__main__":
    main()
