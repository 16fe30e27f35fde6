"""A server that is killed at any moment: what it acknowledged is there, all else wholly or not."""

import os
import random
import subprocess
import threading
import time

import pytest

from dataset_model import Client, History, Violation, observe
from flight_steps import act
from hangar_fixtures import DEADLINE_SECONDS, ON_S3, clean_environment

LONG = os.environ.get("HANGAR_FAULT") == "long"
KILLS_PER_STORE = 25
STORES = 40 if LONG else 2

CLIENTS = 5
SHARED = [("shared/a.parquet", "shared/b.parquet", "shared/deep/c.parquet"),
          ("contended.parquet",)]


def _families():
    own = [(f"own/{number}/x.parquet", f"own-{number}.parquet") for number in range(CLIENTS)]
    return own, [*own, *SHARED]


def _kill_while_clients_work(server, history, random_source):
    """Lets all clients work, kills the server at a random moment, and checks that until then every
    call was answered as it should be."""
    own, _ = _families()
    about_to_change, stop = threading.Event(), threading.Event()
    clients = [Client(history, [own[number], own[number], *SHARED], server.uri,
                      random.Random(random_source.getrandbits(64)), about_to_change)
               for number in range(CLIENTS)]
    threads = [threading.Thread(target=client.work, args=[stop]) for client in clients]
    for thread in threads:
        thread.start()
    # Half of the kills come at any moment, half close to the step that makes a change visible.
    time.sleep(random_source.uniform(0.0, 0.6))
    if random_source.random() < 0.5:
        about_to_change.clear()
        about_to_change.wait(timeout=1)
        time.sleep(random_source.uniform(0.0, 0.006))
    killed_at = time.monotonic()
    server.kill()
    stop.set()
    for thread in threads:
        thread.join(timeout=DEADLINE_SECONDS)
        assert not thread.is_alive(), "a client waits for a server that is dead"
    for client in clients:
        if isinstance(client.failure, Violation):
            raise client.failure
        if client.failure is not None and client.failed_at < killed_at:
            raise Violation("a call failed before the kill") from client.failure


def _kill_while_it_starts(binary, server, after_seconds):
    with subprocess.Popen([binary, "serve", "--data", server.data, "--listen",
                           "grpc://127.0.0.1:0"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=clean_environment(server.environment)) as process:
        time.sleep(after_seconds)
        process.kill()


def _datasets_stored(server):
    """As another program finds them. What stands in a bucket for a dataset that is being dropped is
    none."""
    return sorted(name for name in server.contents() if not name.startswith("_hangar/") and
                  server.stored(name) != b"dropped by hangar\n")


def _check_what_is_there(server, history):
    # In a bucket another server may go on with what is staged, until a day has passed.
    assert ON_S3 or server.staged() == [], "something staged outlived the start"
    seen = observe(server.client(), history.state)
    assert _datasets_stored(server) == sorted(seen)
    before = dict(history.state)
    for version, content in seen.values():
        history.learn(version, content)
    counts = history.settle({name: content for name, (_, content) in seen.items()})
    _undrop_what_is_not_there(server, {name for name in before if before[name]} - set(seen))
    return counts


def _undrop_what_is_not_there(server, names):
    """What is not there any more was dropped, or its rename was cut: it comes back whole, or lives
    on elsewhere."""
    client = server.client()
    for name in names:
        try:
            act(client, "undrop_dataset", name)
        except KeyError:
            continue
        assert name in observe(client, [name])
        act(client, "drop_dataset", name)


@pytest.mark.parametrize("store", range(STORES))
def test_every_acknowledged_change_outlives_a_kill_and_every_other_is_whole_or_not_at_all(
        hangar_binary, start_server, seed, tally, store):
    random_source = random.Random(seed)
    history = History(_families()[1], rename_may_be_cut=ON_S3)
    server = start_server()
    for _ in range(KILLS_PER_STORE):
        _kill_while_clients_work(server, history, random_source)
        server.close_clients()
        tally["kills"] += 1
        if random_source.random() < 0.2:
            _kill_while_it_starts(hangar_binary, server, random_source.uniform(0.0, 0.04))
            tally["kills of a server that starts"] += 1
        server = start_server(data=server.data)
        for what, count in _check_what_is_there(server, history).items():
            tally[what] += count
