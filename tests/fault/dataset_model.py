"""What must hold of a server's datasets, whatever happens to the server.

`History` notes the calls of several clients at once. Once the server has died and another stands in
its place, `settle` compares what is there with every order in which those calls may have taken
effect: one that was acknowledged did so once between its begin and its end, one that was not did so
wholly or not at all. This is the search for a linearization of Wing and Gong ("Testing and
Verifying Concurrent Objects", 1993), with the states that were already tried left out.

Every content says in its schema's metadata what it is made from, so that whatever a server gives
back can be made again and compared bit for bit.
"""

import dataclasses
import functools
import json
import re
import threading
import time
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight

from flight_steps import act, command, finish, info

_WORDS = pa.array([f"word {number}" * (number % 5) for number in range(97)])


class Violation(AssertionError):
    """Something that must hold does not: never one of the failures that a test provokes."""


@dataclasses.dataclass(frozen=True)
class Content:
    """The rows of one upload; `table` makes them."""
    seed: int
    rows: int
    row_group_rows: int

    def table(self):
        return _table(self)

    def __str__(self):
        return json.dumps(dataclasses.astuple(self))

    @staticmethod
    def of(table):
        """The content that a table says it is; a violation unless it is that, bit for bit."""
        said = (table.schema.metadata or {}).get(b"content")
        if said is None:
            raise Violation(f"a table that nobody put: {table.schema}")
        content = Content(*json.loads(said))
        if not same_bits(table, content.table()):
            raise Violation(f"rows that are not those of the content {content}")
        return content


@functools.lru_cache(maxsize=64)
def _table(content):
    random = np.random.default_rng(content.seed)
    rows = content.rows
    floats = random.integers(0, 2**63, rows).view(np.float64)
    lengths = random.integers(0, 4, rows)
    columns = {
        "id": np.arange(rows) + content.seed,
        "noise": random.integers(0, 2**63, rows),
        "float": pa.array(floats, mask=random.random(rows) < 0.1),
        "word": _WORDS.take(pa.array(random.integers(0, len(_WORDS), rows))),
        "list": pa.ListArray.from_arrays(
            pa.array(np.concatenate(([0], np.cumsum(lengths))), pa.int32()),
            pa.array(random.integers(0, 1000, int(lengths.sum())), pa.int16())),
    }
    return pa.table(columns, metadata={"content": str(content)})


def _bits(array):
    """Floating-point numbers as integers, which tells apart what compares equal."""
    if pa.types.is_float64(array.type):
        return pa.chunked_array([chunk.view(pa.int64()) for chunk in array.chunks], pa.int64())
    return array


def same_bits(left, right):
    """Whether two tables have the same schema with its metadata and the same rows."""
    return left.schema.equals(right.schema, check_metadata=True) and all(
        _bits(a).equals(_bits(b)) for a, b in zip(left.columns, right.columns))


@dataclasses.dataclass
class Call:
    """One call of a client. `outcome` is None as long as the client was told nothing certain."""
    kind: str  # "put", "drop", "rename" or "read"
    name: str
    content: Content | None = None  # of a put, and what a read gave
    only_if: object = None  # "absent", a Content, or None for whatever is there
    to: str | None = None  # of a rename
    overwrite: bool = False
    outcome: str | None = None  # "done", "absent", "exists" or "moved on"
    began: float = 0.0
    ended: float = float("inf")

    def effect(self, state):
        """What is there once the call took effect in one step; None where its outcome cannot have
        come of it. `state` maps names to contents."""
        here = state.get(self.name)
        if self.kind == "read":
            return state if here == self.content else None
        if self.kind == "put":
            outcome, after = self._put(here), {self.name: self.content}
        elif here is None:
            outcome, after = "absent", {}
        elif self.kind == "drop":
            outcome, after = "done", {self.name: None}
        else:
            outcome, after = self._rename(here, state), {self.name: None, self.to: here}
        # Without an answer only what changes something matters.
        if outcome != (self.outcome or "done"):
            return None
        return {**state, **after} if outcome == "done" else state

    def _put(self, here):
        """How an upload ends, with `here` at its name."""
        if self.only_if == "absent":
            return "done" if here is None else "exists"
        return "done" if self.only_if in (None, here) else "moved on"

    def _rename(self, here, state):
        if self.only_if not in (None, here):
            return "moved on"
        return "done" if self.overwrite or state.get(self.to) is None else "exists"


class _HalfRename(NamedTuple):
    """A rename that has taken `content` from its name and put it nowhere yet."""
    call: int
    content: Content
    goes_back: bool = False  # Its target was taken.


def _steps(number, call, state, halves, renames_by_halves):
    """What may come next of a call, as (whether it is done then, the state, the half renames)."""
    half = next((half for half in halves if half.call == number), None)
    here = state.get(call.name)
    if half is None:
        after = call.effect(state)
        if after is not None:
            yield True, after, halves
        if (renames_by_halves and call.kind == "rename" and here is not None and
                call.only_if in (None, here) and call.outcome in (None, "done", "exists")):
            yield False, {**state, call.name: None}, halves | {_HalfRename(number, here)}
        return
    rest = halves - {half}
    if half.goes_back:
        # What came to its name meanwhile stays.
        yield True, {**state, call.name: half.content} if here is None else state, rest
    elif call.overwrite or state.get(call.to) is None:
        if call.outcome != "exists":
            yield True, {**state, call.to: half.content}, rest
    elif call.outcome != "done":
        yield False, state, rest | {half._replace(goes_back=True)}


def find_order(calls, state, final, renames_by_halves=False):
    """An order in which `calls` lead from `state` to `final`, as a list of those that took effect;
    None where there is none. With `renames_by_halves` a rename may first take what is there from its
    name and put it to the other one later, or back where that is taken, while others see it at
    neither; one that was not answered may never come to the second half."""
    calls = sorted((call for call in calls if call.kind != "read" or call.outcome is not None),
                   key=lambda call: call.began)
    names = sorted(set(state) | set(final))
    certain = sum(1 << i for i, call in enumerate(calls) if call.outcome is not None)
    tried = set()

    def frozen(state):
        return tuple(state.get(name) for name in names)

    def search(done, state, halves):
        if done & certain == certain and frozen(state) == frozen(final):
            return []
        if (done, frozen(state), halves) in tried:
            return None
        tried.add((done, frozen(state), halves))
        # What ended first among the calls still to come: nothing that began later precedes it.
        horizon = min((call.ended for i, call in enumerate(calls) if not done >> i & 1),
                      default=0.0)
        for i, call in enumerate(calls):
            if done >> i & 1:
                continue
            if call.began > horizon:
                break
            for is_done, after, left in _steps(i, call, state, halves, renames_by_halves):
                rest = search(done | is_done << i, after, left)
                if rest is not None:
                    return rest if any(half.call == i for half in halves) else [call, *rest]
        return None

    return search(0, dict(state), frozenset())


class History:
    """What the clients of one store did and saw, from the first server on it to the last.

    `families` are groups of names; a dataset is renamed within its family only. Of
    `renames_by_halves` see `find_order`. Thread-safe but for `settle`.
    """

    def __init__(self, families, renames_by_halves=False):
        self.families = [tuple(family) for family in families]
        self._renames_by_halves = renames_by_halves
        self.state = {name: None for family in self.families for name in family}
        self._lock = threading.Lock()
        self._calls = []
        self._content_of_version = {}
        self._version_of_content = {}

    def begin(self, call):
        call.began = time.monotonic()
        with self._lock:
            self._calls.append(call)
        return call

    def end(self, call, outcome):
        call.ended = time.monotonic()
        call.outcome = outcome

    def learn(self, version, content):
        """A version is one content, and a content, put once, has one version for ever."""
        with self._lock:
            known = self._content_of_version.setdefault(version, content)
            named = self._version_of_content.setdefault(content, version)
        if known != content or named != version:
            raise Violation(f"version {version} of {content} was seen as {named} of {known}")

    def version_of(self, content):
        with self._lock:
            return self._version_of_content.get(content)

    def content_of(self, version):
        with self._lock:
            return self._content_of_version.get(version)

    def settle(self, observed):
        """Checks that `observed`, the name of every dataset with its content, may be what the calls
        left behind, and takes it as where the next ones begin. Gives the counts of calls that were
        acknowledged, and of changes that were not: those that happened and those that did not."""
        calls, self._calls = self._calls, []
        strangers = set(observed) - set(self.state)
        if strangers:
            raise Violation(f"datasets that nobody put: {sorted(strangers)}")
        happened = 0
        for family in self.families:
            mine = [call for call in calls if call.name in family]
            before = {name: self.state[name] for name in family}
            after = {name: observed.get(name) for name in family}
            order = find_order(mine, before, after, self._renames_by_halves)
            if order is None:
                raise Violation("\n".join([
                    "no order of these calls leads from what was there to what is there",
                    f"before: {_shown(before)}", *map(str, mine), f"after: {_shown(after)}"]))
            happened += sum(call.outcome is None for call in order)
        self.state.update({name: observed.get(name) for name in self.state})
        unsure = sum(call.outcome is None and call.kind != "read" for call in calls)
        return {"calls answered": sum(call.outcome is not None for call in calls),
                "unanswered changes that happened": happened,
                "unanswered changes that did not": unsure - happened}


def _shown(state):
    return {name: str(content) for name, content in state.items()}


class Client:
    """One client that works at random on the names of some families, until it is told to stop or
    the server is gone. `about_to_change` is set whenever a change is about to take effect."""

    def __init__(self, history, families, uri, random, about_to_change):
        self._history = history
        self._families = families
        self._uri = uri
        self._random = random
        self._about_to_change = about_to_change
        self.failure = None  # the first error that was not one of the expected answers
        self.failed_at = None

    def work(self, stop):
        steps = [self._replace, self._replace_this_version, self._create, self._drop, self._rename,
                 self._read]
        try:
            with flight.connect(self._uri) as client:
                client.wait_for_available()
                while not stop.is_set():
                    step, = self._random.choices(steps, [30, 25, 12, 12, 14, 20])
                    step(client, self._random.choice(self._families))
        except Exception as error:  # looked at by whoever started the work
            self.failed_at = time.monotonic()
            self.failure = error

    # ---- steps

    def _replace(self, client, family):
        self._put(client, self._random.choice(family), {}, None)

    def _create(self, client, family):
        self._put(client, self._random.choice(family), {"mode": "create"}, "absent")

    def _replace_this_version(self, client, family):
        name = self._random.choice(family)
        seen = self._read(client, family, name)
        if seen is not None:
            self._put(client, name, {"if_version": seen[0]}, seen[1])

    def _drop(self, client, family):
        name = self._random.choice(family)
        call = self._history.begin(Call("drop", name))
        self._about_to_change.set()
        self._answered(call, lambda: act(client, "drop_dataset", name))

    def _rename(self, client, family):
        if len(family) < 2:
            return
        name, to = self._random.sample(family, 2)
        overwrite, keys, only_if = self._random.random() < 0.5, {}, None
        if self._random.random() < 0.3:
            seen = self._read(client, family, name)
            if seen is None:
                return
            keys, only_if = {"if_version": seen[0]}, seen[1]
        call = self._history.begin(
            Call("rename", name, to=to, overwrite=overwrite, only_if=only_if))
        self._about_to_change.set()
        body = {"from": name, "to": to, "overwrite": overwrite, **keys}
        self._answered(call, lambda: act(client, "rename_dataset", body))

    def _read(self, client, family, name=None):
        """Gives the version and the content of what is there, if it can be had."""
        name = name or self._random.choice(family)
        call = self._history.begin(Call("read", name))
        try:
            found = info(client, name)
            call.ended = time.monotonic()
            tables = [client.do_get(endpoint.ticket).read_all() for endpoint in found.endpoints]
        except KeyError:
            # Either there was nothing, or what there was has gone before its ticket came back.
            if call.ended == float("inf"):
                self._history.end(call, "absent")
            return None
        call.content = Content.of(pa.concat_tables(tables))
        if found.total_records != call.content.rows:
            raise Violation(f"{found.total_records} rows were said of {call.content}")
        version = json.loads(found.app_metadata)["version"]
        self._history.learn(version, call.content)
        call.outcome = "done"
        return version, call.content

    def _new_content(self):
        # Unique among all clients, so that what is found can be traced to one call.
        rows = self._random.choice([0, 1, 100, 1000, 5000, 20_000])
        return Content(self._random.getrandbits(60), self._random.randint(rows // 2, rows),
                       self._random.choice([1000, 7000, 1 << 20]))

    def _put(self, client, name, keys, only_if):
        content = self._new_content()
        table = content.table()
        descriptor = command(name, row_group_rows=content.row_group_rows, **keys)
        call = self._history.begin(Call("put", name, content, only_if))

        def upload():
            writer, replies = client.do_put(descriptor, table.schema)
            writer.write_table(table, max_chunksize=self._random.choice([300, 3000, 30_000]))
            self._about_to_change.set()
            return finish(writer, replies)

        reply = self._answered(call, upload)
        if reply is not None:
            self._history.learn(reply["version"], content)
            if reply["rows"] != content.rows:
                raise Violation(f"{reply} for {content}")

    def _answered(self, call, function):
        """Runs the call and notes how it ended. An error that says nothing certain goes on."""
        try:
            result = function()
        except KeyError:
            self._history.end(call, "absent")
        except pa.ArrowInvalid as error:
            kinds = {"ALREADY_EXISTS": "exists", "FAILED_PRECONDITION": "moved on"}
            kind = re.search(r"Detail: (\w+)", str(error))
            if kind is None or kind[1] not in kinds:
                raise
            self._history.end(call, kinds[kind[1]])
        else:
            self._history.end(call, "done")
            return result
        return None


def observe(client, names):
    """Everything that is there as {name: (version, Content)}: a violation unless listing, info and
    reads agree and each dataset is whole."""
    listed = {}
    for item in client.list_flights():
        name = item.descriptor.path[0].decode()
        if name in listed:
            raise Violation(f"{name} is listed twice")
        listed[name] = item
    seen = {}
    for name in sorted({*names, *listed}):
        try:
            found = info(client, name)
        except KeyError:
            if name in listed:
                raise Violation(f"{name} is listed and cannot be found") from None
            continue
        if name not in listed:
            raise Violation(f"{name} can be found and is not listed")
        for key in ("total_records", "total_bytes", "app_metadata", "schema"):
            if getattr(found, key) != getattr(listed[name], key):
                raise Violation(f"{name}: its {key} differs between listing and info")
        content = Content.of(pa.concat_tables(
            [client.do_get(endpoint.ticket).read_all() for endpoint in found.endpoints]))
        if found.total_records != content.rows:
            raise Violation(f"{name}: {found.total_records} rows were said of {content}")
        seen[name] = (json.loads(found.app_metadata)["version"], content)
    return seen
