"""What nearly every test does with a pyarrow client, one function each."""

import hashlib
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq


def path(*parts):
    return flight.FlightDescriptor.for_path(*parts)


def command(dataset, **keys):
    return flight.FlightDescriptor.for_command(json.dumps({"dataset": dataset, **keys}))


def put(client, descriptor, table, chunk_rows=None):
    """Uploads a table (or the name's) and gives the JSON of the server's reply."""
    if isinstance(descriptor, str):
        descriptor = path(descriptor)
    writer, replies = client.do_put(descriptor, table.schema)
    writer.write_table(table, max_chunksize=chunk_rows)
    return finish(writer, replies)


def put_batches(client, descriptor, schema, batches):
    if isinstance(descriptor, str):
        descriptor = path(descriptor)
    writer, replies = client.do_put(descriptor, schema)
    for batch in batches:
        writer.write_batch(batch)
    return finish(writer, replies)


def put_file(client, name, data, block=5_000, kind=pa.binary(), column="any name", **keys):
    """Uploads a Parquet file, which is to be stored byte for byte."""
    schema = pa.schema([(column, kind)])
    batches = [pa.record_batch([pa.array([data[at:at + block]], kind)], schema)
               for at in range(0, len(data), block)]
    return put_batches(client, command(name, format="parquet", **keys), schema, batches)


def finish(writer, replies):
    writer.done_writing()
    reply = replies.read()
    writer.close()
    return json.loads(reply.to_pybytes())


def info(client, descriptor):
    return client.get_flight_info(path(descriptor) if isinstance(descriptor, str) else descriptor)


def get(client, descriptor):
    """All rows of all endpoints, in order."""
    found = info(client, descriptor)
    tables = [client.do_get(endpoint.ticket).read_all() for endpoint in found.endpoints]
    return pa.concat_tables(tables)


def version(client, name):
    return json.loads(info(client, name).app_metadata)["version"]


def act(client, kind, body):
    """Runs an action and gives its results."""
    if isinstance(body, dict):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    return [result.body.to_pybytes() for result in client.do_action((kind, body))]


def listed(client, criteria=None):
    expression = b"" if criteria is None else json.dumps(criteria).encode()
    return [item.descriptor.path[0].decode() for item in client.list_flights(expression)]


def folder_contents(folder):
    """The bytes of everything below a folder: {relative path: digest}."""
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(folder.rglob("*")) if file.is_file()}


def parquet(table, **options):
    """The bytes of a Parquet file as pyarrow writes it."""
    written = io.BytesIO()
    pq.write_table(table, written, **options)
    return written.getvalue()


def numbers(rows, start=0, name="v"):
    return pa.table({name: np.arange(start, start + rows, dtype=np.int64)})
