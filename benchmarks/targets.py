"""What Hangar has to reach, as ratios within one run on a machine with two cores."""

from results import Target


def _get_targets():
    for dataset, cold, hot in (("trips", 2.2, 4), ("text", 2, 3.5), ("nested", 2, 3.5),
                               ("wide", 2, 3.5)):
        for state, wanted in (("cold", cold), ("hot", hot)):
            for suffix in ("", ", each its own file"):
                yield Target(f"get {dataset}, {state}, over the streaming recipe{suffix}", "get",
                             f"{dataset}, {state}{suffix}", "seconds", wanted, at_least=True,
                             over="streaming", speed=True)
    yield Target("get trips, cold, over the whole-table recipe", "get", "trips, cold", "seconds",
                 1.3, at_least=True, over="table", speed=True)
    yield Target("get trips, hot, over bare Flight", "get", "trips, hot", "seconds", 0.9,
                 at_least=True, over="bare", speed=True)


def _column_targets():
    for recipe in ("streaming", "table"):
        for state in ("cold", "hot"):
            yield Target(f"2 of 200 columns, {state}, over a whole read by the {recipe} recipe",
                         "columns", f"2 of 200 columns, {state}", "seconds", 20, at_least=True,
                         over=recipe, over_subject=f"whole, {state}", speed=True)


def _put_targets():
    for dataset, wanted in (("trips", 2.2), ("text", 1.5), ("wide", 1.5), ("nested", 1.5)):
        for recipe in ("streaming", "table"):
            yield Target(f"put {dataset}, over the {recipe} recipe", "put", dataset, "seconds",
                         wanted, at_least=True, over=recipe, speed=True)
        yield Target(f"put {dataset}, file size to the whole-table recipe's", "put", dataset,
                     "file_mib", 1, over="table")
    yield Target("put trips, reading the file with pyarrow, over the whole-table recipe's", "put",
                 "trips, file read with pyarrow", "seconds", 1, at_least=True, over="table",
                 speed=True)


def _swarm_targets():
    for clients in (8, 64):
        yield Target(f"{clients} clients, sum of rates to one client's", "swarm",
                     f"{clients} clients", "mib_per_second", 0.9, at_least=True, over="hangar",
                     over_subject="1 client")
        yield Target(f"{clients} clients, the slowest", "swarm", f"{clients} clients",
                     "slowest_share", 1 / 3, at_least=True)


def _memory_targets():
    for size in ("1 GiB", "4 GiB"):
        for who, mib in (("one reader", 256), ("one writer", 384), ("8 readers", 768)):
            yield Target(f"peak memory, {size}, {who}, cache off", "memory", f"{size}, {who}",
                         "peak_mib", mib)


def _s3_targets():
    for what in ("1 GiB of trips", "wide"):
        for title, subject, wanted, over in (
                ("cold, over curl and decoding", "cold", 0.8, "curl"),
                ("cold, over DuckDB", "cold", 1.5, "duckdb"),
                ("from memory, over a folder's", "second read, memory", 0.95, "local"),
                ("from the disk cache, over a folder's, cold", "disk cache", 0.8, "local")):
            yield Target(f"{what} from a bucket, {title}", "s3", f"{what}, {subject}", "seconds",
                         wanted, at_least=True, over=over, speed=True)
        yield Target(f"put {what} into a bucket, over a folder or curl, the slower", "s3",
                     f"put {what}", "seconds", 0.8, at_least=True, over="curl",
                     over_subject=f"put {what}, the slower of both", speed=True)


TARGETS = [
    *_s3_targets(),
    *_get_targets(),
    *_column_targets(),
    Target("first batch, cold, to the streaming recipe's", "first-batch", "trips, cold",
           "first_batch_seconds", 0.5, over="streaming"),
    Target("first batch, hot, to the streaming recipe's", "first-batch", "trips, hot",
           "first_batch_seconds", 0.1, over="streaming"),
    *_put_targets(),
    *_swarm_targets(),
    Target("GetFlightInfo, p50, to the recipe's", "info", "trips", "p50_seconds", 0.3,
           over="streaming"),
    Target("GetFlightInfo, p99, to the recipe's", "info", "trips", "p99_seconds", 0.1,
           over="streaming"),
    Target("1,000-row get, p50, to the streaming recipe's", "small", "1,000 rows", "p50_seconds",
           0.3, over="streaming"),
    Target("1,000-row get, p50, to the whole-table recipe's", "small", "1,000 rows", "p50_seconds",
           0.3, over="table"),
    Target("list many datasets, first, to the recipe's", "list", "first", "seconds", 0.5,
           over="streaming"),
    Target("list many datasets, again, to the recipe's", "list", "again", "seconds", 0.03,
           over="streaming"),
    *_memory_targets(),
]
