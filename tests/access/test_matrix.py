"""Who may do what: each identity tries each call of each door on each kind of dataset, and gets in
exactly where the policy lets them."""

import base64
import http.client
import io
import itertools
import json
import subprocess
import urllib.parse

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest

from hangar_fixtures import DEADLINE_SECONDS, ServerFactory, clean_environment
from identity_provider import AUDIENCE, ISSUER, SigningKey, key_set

POLICY = """
[roles.reader]
members = ["token:reader", "user:ann", "jwt:4711", "group:readers"]
read = ["open/*"]

[roles.narrow]
members = ["token:narrow"]
read = ["open/*"]
hide_columns = ["secret*"]

[roles.writer]
members = ["token:writer"]
write = ["open/*"]

[roles.dropper]
members = ["token:dropper"]
read = ["open/*"]
write = ["open/*"]
drop = ["open/*"]

[roles.admin]
members = ["token:admin"]
admin = ["**"]
"""

TABLE = pa.table({"id": pa.array(range(10)), "secret_name": ["x"] * 10})
READERS = {"reader", "narrow", "dropper", "ann", "federated", "grouped", "granted"}
WRITERS = {"writer", "dropper"}
IDENTITIES = ["nobody", "stranger", "forged", "expired", *sorted(READERS | WRITERS), "admin"]
DATASETS = ["open/a", "open/missing", "shut/a", "shut/missing"]
# Who shows what is not believed tries one dataset a call: an address that has failed a hundred times
# is told to wait.
UNBELIEVED = {"forged", "expired"}


def run(binary, *arguments, text=""):
    result = subprocess.run([binary, *map(str, arguments)], input=text, capture_output=True,
                            text=True, timeout=DEADLINE_SECONDS, env=clean_environment())
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def parquet_bytes():
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    return sink.getvalue()


class House:
    """A server with both doors and everybody's credentials."""

    def __init__(self, binary, start_server, folder):
        tokens, users, policy = folder / "tokens", folder / "users", folder / "policy.toml"
        policy.write_text(POLICY)
        key, keys = SigningKey("k1"), folder / "keys.json"
        keys.write_text(key_set(key))
        make = ["token", "create", "--token-file", tokens, "--name"]
        self.headers = {name: "Bearer " + run(binary, *make, name)
                        for name in ["reader", "narrow", "writer", "dropper", "admin", "stranger"]}
        self.headers["granted"] = "Bearer " + run(
            binary, *make, "granted", "--grant", "read:open/*")
        for name, group in [("ann", None), ("bea", "readers")]:
            run(binary, "user", "add", name, "--user-file", users,
                *(["--group", group] if group else []), text="a long password\n")
        self.headers["ann"] = basic("ann", "a long password")
        self.headers["grouped"] = basic("bea", "a long password")
        self.headers["federated"] = "Bearer " + key.token(sub="4711")
        self.headers["forged"] = "Bearer " + SigningKey("k1").token(sub="4711")
        self.headers["expired"] = "Bearer " + key.token(sub="4711", exp=1_700_000_000)
        self.server = start_server(
            flags=["--token-file", str(tokens), "--user-file", str(users),
                   "--policy", str(policy), "--jwks", str(keys), "--jwt-issuer", ISSUER,
                   "--jwt-audience", AUDIENCE, "--http", "127.0.0.1:0",
                   "--audit-log", str(folder / "audit.jsonl")],
            authorization=self.headers["admin"])
        self.http = urllib.parse.urlparse(self.server.next_uri()).netloc
        self.flight = self.server.client()
        self.audit = folder / "audit.jsonl"

    def options(self, identity):
        header = self.headers.get(identity)
        return flight.FlightCallOptions(
            timeout=DEADLINE_SECONDS,
            headers=[(b"authorization", header.encode())] if header else [])

    def request(self, identity, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.http, timeout=DEADLINE_SECONDS)
        if identity in self.headers:
            headers["Authorization"] = self.headers[identity]
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def restore_state(self):
        """Both datasets are there and the others are not."""
        admin = self.options("admin")
        for name in DATASETS:
            if name.endswith("missing"):
                try:
                    list(self.flight.do_action(flight.Action("drop_dataset", name.encode()),
                                               admin))
                except pa.ArrowKeyError:
                    pass
            else:
                put_rows(self, "admin", name)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def house(hangar_binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    servers = ServerFactory(hangar_binary, folder)
    yield House(hangar_binary, servers, folder)
    servers.finish()


# What can be called over Flight; each raises what the client gets.

def describe(house, who, name):
    house.flight.get_flight_info(flight.FlightDescriptor.for_path(name), house.options(who))


def describe_file(house, who, name):
    command = json.dumps({"dataset": name, "format": "parquet"})
    house.flight.get_flight_info(flight.FlightDescriptor.for_command(command), house.options(who))


def get_schema(house, who, name):
    house.flight.get_schema(flight.FlightDescriptor.for_path(name), house.options(who))


def get_by_name(house, who, name):
    house.flight.do_get(flight.Ticket(name.encode()), house.options(who)).read_all()


def get_by_ticket_of_another(house, who, name):
    info = house.flight.get_flight_info(flight.FlightDescriptor.for_path(name),
                                        house.options("admin"))
    house.flight.do_get(info.endpoints[0].ticket, house.options(who)).read_all()


def get_file_by_ticket_of_another(house, who, name):
    command = json.dumps({"dataset": name, "format": "parquet"})
    info = house.flight.get_flight_info(flight.FlightDescriptor.for_command(command),
                                        house.options("admin"))
    house.flight.do_get(info.endpoints[0].ticket, house.options(who)).read_all()


def put(house, who, descriptor, table):
    writer, replies = house.flight.do_put(descriptor, table.schema, house.options(who))
    with writer:
        writer.write_table(table)
        writer.done_writing()
        replies.read()


def put_rows(house, who, name):
    put(house, who, flight.FlightDescriptor.for_path(name), TABLE)


def put_file(house, who, name):
    command = json.dumps({"dataset": name, "format": "parquet"})
    put(house, who, flight.FlightDescriptor.for_command(command),
        pa.table({"parquet": pa.array([parquet_bytes()], pa.binary())}))


def action(kind, body):
    def call(house, who, name):
        text = json.dumps(body(name)) if callable(body) else body
        list(house.flight.do_action(flight.Action(kind, text.encode()), house.options(who)))
    return call


FLIGHT_CALLS = {
    "GetFlightInfo": (describe, READERS),
    "GetFlightInfo of the file": (describe_file, READERS - {"narrow"}),
    "GetSchema": (get_schema, READERS),
    "DoGet": (get_by_name, READERS),
    "DoPut": (put_rows, WRITERS),
    "DoPut of a file": (put_file, WRITERS),
    "list_versions": (action("list_versions", lambda name: {"dataset": name}), READERS),
    "restore_dataset": (action("restore_dataset",
                               lambda name: {"dataset": name, "version": "none"}), WRITERS),
    "undrop_dataset": (action("undrop_dataset", lambda name: {"dataset": name}), WRITERS),
    "purge_versions": (action("purge_versions", lambda name: {"dataset": name}), set()),
    "check_dataset": (action("check_dataset", lambda name: {"dataset": name}), READERS),
    "history_status": (action("history_status", ""), set()),
    "rename_dataset": (action("rename_dataset", lambda name: {"from": name, "to": name,
                                                              "overwrite": True}), {"dropper"}),
    "drop_dataset and purge": (action("drop_dataset",
                                      lambda name: {"dataset": name, "purge": True}), set()),
    "drop_dataset": (action("drop_dataset", lambda name: {"dataset": name}), {"dropper"}),
}


def cases(datasets):
    return [(who, name) for who, name in itertools.product(IDENTITIES, datasets)
            if who not in UNBELIEVED or name == "open/a"]


def is_let_in(call, house, who, name):
    try:
        call(house, who, name)
    except flight.FlightUnauthenticatedError:
        return False
    except flight.FlightUnauthorizedError:
        return False
    except (pa.ArrowException, flight.FlightError, OSError) as error:
        # pyarrow's get_schema has no exceptions of Flight's own.
        if "Detail: Unauth" in str(error):
            return False
        # It is refused for another reason, by somebody who may know it.
    return True


def may(who, allowed, name):
    return who == "admin" or (who in allowed and name.startswith("open/"))


def hides_only_of_what_is_there(who, call, name):
    """Whether columns are hidden shows only where there is a dataset."""
    return who == "narrow" and "file" in call and name == "open/missing"


@pytest.mark.parametrize("call", FLIGHT_CALLS)
def test_flight_lets_in_exactly_who_may(house, call):
    run_call, allowed = FLIGHT_CALLS[call]
    wrong = []
    for who, name in cases(DATASETS):
        house.restore_state()
        expected = may(who, allowed, name)
        if hides_only_of_what_is_there(who, call, name):
            expected = "narrow" in READERS and "DoPut" not in call
        if is_let_in(run_call, house, who, name) != expected:
            wrong.append((who, name, expected))
    assert not wrong


@pytest.mark.parametrize("call", [get_by_ticket_of_another, get_file_by_ticket_of_another])
def test_a_ticket_gives_nothing_to_somebody_without_the_right(house, call):
    house.restore_state()
    allowed = READERS - ({"narrow"} if call is get_file_by_ticket_of_another else set())
    for who, name in cases(["open/a", "shut/a"]):
        assert is_let_in(call, house, who, name) == may(who, allowed, name), (who, name)


def http_calls():
    def path(name, more=""):
        return "/v1/datasets/" + name + more
    return {
        "GET": (lambda name: ("GET", path(name), None), READERS - {"narrow"}),
        "HEAD": (lambda name: ("HEAD", path(name), None), READERS - {"narrow"}),
        "GET of rows": (lambda name: ("GET", path(name, "?format=csv"), None), READERS),
        "GET of columns": (lambda name: ("GET", path(name, "?columns=id"), None), READERS),
        "schema": (lambda name: ("GET", path(name, "/schema"), None), READERS),
        "versions": (lambda name: ("GET", path(name, "/versions"), None), READERS),
        "PUT": (lambda name: ("PUT", path(name), parquet_bytes()), WRITERS),
        "PUT of CSV": (lambda name: ("PUT", path(name), b"id\n1\n"), WRITERS),
        "restore": (lambda name: ("POST", path(name, ":restore"), b'{"version": "none"}'),
                    WRITERS),
        "undrop": (lambda name: ("POST", path(name, ":undrop"), b"{}"), WRITERS),
        "rename": (lambda name: ("POST", path(name, ":rename"),
                                 json.dumps({"to": name, "overwrite": True})), {"dropper"}),
        "DELETE and purge": (lambda name: ("DELETE", path(name, "?purge=true"), None), set()),
        "DELETE": (lambda name: ("DELETE", path(name), None), {"dropper"}),
        "metrics": (lambda name: ("GET", "/metrics", None), set()),
    }


@pytest.mark.parametrize("call", http_calls())
def test_http_lets_in_exactly_who_may(house, call):
    request, allowed = http_calls()[call]
    headers = {"Content-Type": "text/csv"} if call == "PUT of CSV" else {}
    wrong = []
    for who, name in cases(DATASETS):
        house.restore_state()
        status, _ = house.request(who, *request(name), **headers)
        expected = may(who, allowed, name)
        if call in ("GET", "HEAD") and who == "narrow" and name == "open/missing":
            expected = True
        if (status not in (401, 403)) != expected:
            wrong.append((who, name, status))
    assert not wrong


def test_listings_of_both_doors_show_what_may_be_read(house):
    house.restore_state()
    everything = ["open/a", "shut/a"]
    for who in set(IDENTITIES) - {"nobody", "forged", "expired"}:
        expected = everything if who == "admin" else ["open/a"] if who in READERS else []
        infos = list(house.flight.list_flights(options=house.options(who)))
        assert [info.descriptor.path[0].decode() for info in infos] == expected, who
        status, content = house.request(who, "GET", "/v1/datasets")
        assert status == 200
        assert [entry["dataset"] for entry in json.loads(content)["datasets"]] == expected, who


def test_who_cannot_be_believed_gets_nothing_at_all(house):
    for who in ("nobody", "forged", "expired"):
        with pytest.raises(flight.FlightUnauthenticatedError):
            list(house.flight.list_flights(options=house.options(who)))
        assert house.request(who, "GET", "/v1/datasets")[0] == 401


def test_a_refusal_is_the_same_whether_there_is_such_a_dataset_or_not(house):
    house.restore_state()
    for who in ("nobody", "stranger", "reader"):
        for call, (request, _) in http_calls().items():
            if call == "metrics":
                continue
            there = house.request(who, *request("shut/a"))
            missing = house.request(who, *request("shut/b"))
            assert there[0] == missing[0], call
            assert there[1].replace(b"shut/a", b"") == missing[1].replace(b"shut/b", b""), call


def test_hidden_columns_are_absent_everywhere(house):
    house.restore_state()
    options = house.options("narrow")
    descriptor = flight.FlightDescriptor.for_path("open/a")
    info = house.flight.get_flight_info(descriptor, options)
    assert info.schema.names == ["id"]
    assert house.flight.get_schema(descriptor, options).schema.names == ["id"]
    assert [i.schema.names for i in house.flight.list_flights(options=options)] == [["id"]]
    read = house.flight.do_get(info.endpoints[0].ticket, options).read_all()
    assert read.equals(TABLE.select(["id"]))
    whole = house.flight.get_flight_info(descriptor, house.options("admin"))
    assert house.flight.do_get(whole.endpoints[0].ticket, options).read_all().column_names == ["id"]
    command = json.dumps({"dataset": "open/a", "columns": ["secret_name"]})
    with pytest.raises(pa.ArrowInvalid, match="there is no column 'secret_name'"):
        house.flight.get_flight_info(flight.FlightDescriptor.for_command(command), options)
    for path in ("/v1/datasets/open/a/schema", "/v1/datasets/open/a?format=csv",
                 "/v1/datasets/open/a?format=jsonl", "/v1/datasets/open/a?columns=secret_name",
                 "/v1/datasets/open/a?format=arrow", "/v1/datasets", "/v1/datasets/open/a"):
        status, content = house.request("narrow", "GET", path)
        allowed = status == 200 or b"secret_name" not in content.replace(b"'secret_name'", b"")
        assert allowed, (path, content)
        if status == 200:
            assert b"secret" not in content, path


def test_the_audit_log_tells_of_changes_and_refusals_and_holds_no_secret(house):
    house.restore_state()
    put_rows(house, "writer", "open/a")
    with pytest.raises(flight.FlightUnauthorizedError):
        put_rows(house, "writer", "shut/a")
    house.request("reader", "DELETE", "/v1/datasets/open/a")
    text = house.audit.read_text()
    events = [json.loads(line) for line in text.splitlines()]
    seen = {(event["action"], event["outcome"], event["identity"], event.get("dataset"))
            for event in events}
    assert ("put", "done", "token:writer", "open/a") in seen
    assert ("write", "refused", "token:writer", "shut/a") in seen
    assert ("drop", "refused", "token:reader", "open/a") in seen
    for header in house.headers.values():
        assert header.split(" ", 1)[1] not in text
        assert header.split(" ", 1)[1] not in house.server.log()
    assert "a long password" not in text + house.server.log()
