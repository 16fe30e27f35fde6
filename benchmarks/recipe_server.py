"""The public recipe of a Parquet storage service, to compare with: recipe_server.py FORM FOLDER.

A minimal pyarrow Flight server that keeps each dataset as one Parquet file of a folder. FORM is
`table`, which reads and writes whole tables, or `streaming`, which goes batch by batch. It listens
on a free port of 127.0.0.1, which its first line on standard output names.
"""

import argparse
import pathlib

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq


class RecipeServer(flight.FlightServerBase):
    """Lists, describes and drops; how rows go in and out is the form's."""

    def __init__(self, location, folder):
        super().__init__(location)
        self._location = location
        self._folder = pathlib.Path(folder)

    def _path(self, name):
        return self._folder / name.decode()

    def _describe(self, name):
        path = self._path(name)
        schema = pq.read_schema(path)
        metadata = pq.read_metadata(path)
        return flight.FlightInfo(
            schema, flight.FlightDescriptor.for_path(name),
            [flight.FlightEndpoint(name, [self._location])],
            metadata.num_rows, metadata.serialized_size)

    def list_flights(self, context, criteria):
        for path in self._folder.iterdir():
            yield self._describe(path.name.encode())

    def get_flight_info(self, context, descriptor):
        return self._describe(descriptor.path[0])

    def list_actions(self, context):
        return [("drop_dataset", "Delete a dataset.")]

    def do_action(self, context, action):
        if action.type != "drop_dataset":
            raise NotImplementedError(action.type)
        self._path(action.body.to_pybytes()).unlink()


class TableServer(RecipeServer):
    def do_put(self, context, descriptor, reader, writer):
        pq.write_table(reader.read_all(), self._path(descriptor.path[0]))

    def do_get(self, context, ticket):
        return flight.RecordBatchStream(pq.read_table(self._path(ticket.ticket)))


class StreamingServer(RecipeServer):
    def do_put(self, context, descriptor, reader, writer):
        with pq.ParquetWriter(self._path(descriptor.path[0]), reader.schema) as sink:
            for chunk in reader:
                sink.write_table(pa.Table.from_batches([chunk.data]))

    def do_get(self, context, ticket):
        source = pq.ParquetFile(self._path(ticket.ticket))
        return flight.GeneratorStream(source.schema_arrow, source.iter_batches())


FORMS = {"table": TableServer, "streaming": StreamingServer}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("form", choices=FORMS)
    parser.add_argument("folder")
    arguments = parser.parse_args()
    server = FORMS[arguments.form]("grpc://127.0.0.1:0", arguments.folder)
    print(f"listening on grpc://127.0.0.1:{server.port}", flush=True)
    server.serve()


if __name__ == "__main__":
    main()
