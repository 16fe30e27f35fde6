"""A server that is killed at any moment: what it acknowledged is there, all else wholly or not."""

import os
import random
import subprocess
import threading
import time

import pytest

from dataset_model import Client, History, Violation, observe
from hangar_fixtures import DEADLINE_SECONDS, clean_environment

LONG = os.environ.get("HANGAR_FAULT") == "long"
KILLS_PER_FOLDER = 25
FOLDERS = 40 if LONG else 2

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


def _kill_while_it_starts(binary, data, after_seconds):
    with subprocess.Popen([binary, "serve", "--data", data, "--listen", "grpc://127.0.0.1:0"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=clean_environment()) as process:
        time.sleep(after_seconds)
        process.kill()


def _datasets_on_disk(data):
    files = (file.relative_to(data) for file in data.rglob("*") if file.is_file())
    return sorted(str(file) for file in files if file.parts[0] != "_hangar")


def _check_what_is_there(server, history):
    assert server.staged() == [], "something staged outlived the start"
    seen = observe(server.client(), history.state)
    assert _datasets_on_disk(server.data) == sorted(seen)
    for version, content in seen.values():
        history.learn(version, content)
    return history.settle({name: content for name, (_, content) in seen.items()})


@pytest.mark.parametrize("folder", range(FOLDERS))
def test_every_acknowledged_change_outlives_a_kill_and_every_other_is_whole_or_not_at_all(
        hangar_binary, start_server, tmp_path, seed, tally, folder):
    random_source = random.Random(seed)
    history = History(_families()[1])
    data = tmp_path / "data"
    server = start_server(data=data)
    for _ in range(KILLS_PER_FOLDER):
        _kill_while_clients_work(server, history, random_source)
        server.close_clients()
        tally["kills"] += 1
        if random_source.random() < 0.2:
            _kill_while_it_starts(hangar_binary, data, random_source.uniform(0.0, 0.04))
            tally["kills of a server that starts"] += 1
        server = start_server(data=data)
        for what, count in _check_what_is_there(server, history).items():
            tally[what] += count
