"""A server that is killed at any moment: what it acknowledged is there, all else wholly or not."""

import contextlib
import json
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
    _check_that_nothing_is_lost(server.client(), history, before)
    for version, content in seen.values():
        history.learn(version, content)
    return history.settle({name: content for name, (_, content) in seen.items()})


def _check_that_nothing_is_lost(client, history, before):
    """Whatever was current is so, or is kept of the past, under a name that it had: also what was
    dropped, and what a rename that was cut left."""
    for family in history.families:
        kept = set()
        for name in family:
            with contextlib.suppress(KeyError):  # Nothing at all is kept of that name.
                kept |= {json.loads(entry)["version"]
                         for entry in act(client, "list_versions", name)}
        for name in family:
            if before[name] is not None and history.version_of(before[name]) not in kept:
                raise Violation(f"nothing is left of {before[name]}, which was {name!r}")


@pytest.mark.parametrize("store", range(STORES))
def test_every_acknowledged_change_outlives_a_kill_and_every_other_is_whole_or_not_at_all(
        hangar_binary, start_server, seed, tally, store):
    random_source = random.Random(seed)
    history = History(_families()[1], renames_by_halves=ON_S3)
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
    if ON_S3:
        server.bucket.sweep()  # Of those that were killed; nothing of the last server's may be left.
