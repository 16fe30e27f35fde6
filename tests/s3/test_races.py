"""Eight servers, each a process of its own, over one bucket, that all want the same at once."""

import pytest

from flight_steps import act, command, get, info, numbers, path, put, version
from races import AtOnce

SERVERS = 8
ROUNDS = 200


@pytest.fixture
def clients(start_s3_server):
    return [start_s3_server().client() for _ in range(SERVERS)]


def test_of_eight_that_create_exactly_one_wins(clients):
    with AtOnce(clients) as race:
        for round in range(ROUNDS):
            name = f"c/{round}"
            won = race.winners(lambda client, number, name=name, round=round: put(
                client, command(name, mode="create"), numbers(number + 1, start=round)))
            assert len(won) == 1, (round, won)
            for client in clients[::3]:
                assert get(client, path(name)) == numbers(won[0] + 1, start=round)


def test_of_eight_that_replace_one_version_exactly_one_wins(clients):
    put(clients[0], "t", numbers(100))
    with AtOnce(clients) as race:
        for round in range(ROUNDS):
            seen = version(clients[round % SERVERS], "t")
            won = race.winners(lambda client, number, seen=seen, round=round: put(
                client, command("t", if_version=seen), numbers(number + 1, start=round)))
            assert len(won) == 1, (round, won)
            for client in clients[::3]:
                assert get(client, path("t")) == numbers(won[0] + 1, start=round)


def test_of_eight_that_drop_or_replace_one_version_exactly_one_wins(clients):
    with AtOnce(clients) as race:
        for round in range(ROUNDS // 4):
            put(clients[0], "t", numbers(100, start=round))
            seen = version(clients[1], "t")

            def attempt(client, number, seen=seen, round=round):
                if number % 2:
                    act(client, "drop_dataset", {"dataset": "t", "if_version": seen})
                else:
                    put(client, command("t", if_version=seen), numbers(number + 1, start=round))

            won = race.winners(attempt)
            assert len(won) == 1, (round, won)
            for client in clients[::3]:
                if won[0] % 2:
                    with pytest.raises(KeyError):
                        info(client, "t")
                else:
                    assert get(client, path("t")) == numbers(won[0] + 1, start=round)
