"""The real server under faults. HANGAR_BINARY names the program to test.

HANGAR_FAULT=long runs the long forms. A run says the seed that all its randomness comes from, and
HANGAR_SEED gives it back.
"""

import faulthandler
import os
import pathlib
import random
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import pytest  # noqa: E402

from hangar_fixtures import hangar_binary, server, start_server  # noqa: E402, F401

_SEED = int(os.environ.get("HANGAR_SEED") or random.SystemRandom().randrange(2**32))
_REPORTED = []


@pytest.fixture
def seed(request):
    """What all randomness of a test comes from: another number for each test of the run."""
    return zlib.crc32(f"{_SEED} {request.node.name}".encode())


@pytest.fixture
def tally(request):
    """Counts what a test did: `tally["kills"] += 1`. The run ends with the sums over all tests of
    one function."""
    counts = _Counts()
    request.node.user_properties.append(("tally", counts))
    return counts


class _Counts(dict):
    def __missing__(self, key):
        return 0


def pytest_runtest_logreport(report):
    counts = dict(report.user_properties).get("tally")
    if report.when == "call" and counts is not None:
        known = hasattr(report, "wasxfail") and report.skipped
        outcome = "passed" if report.passed else "known" if known else "violated"
        _REPORTED.append((report.nodeid.rsplit("::", 1)[-1], outcome, counts))


def pytest_terminal_summary(terminalreporter):
    sums, failed = {}, {}
    for test, outcome, counts in _REPORTED:
        function = test.split("[", 1)[0]
        totals = sums.setdefault(function, _Counts())
        for what, count in counts.items():
            totals[what] += count
        if outcome != "passed":
            failed.setdefault((function, outcome), []).append(test)
    for function, totals in sums.items():
        parts = [f"{what} {count:,}" for what, count in sorted(totals.items())]
        violated = failed.get((function, "violated"), [])
        parts.append(f"VIOLATIONS {len(violated)}{''.join(f' {test}' for test in violated)}")
        if known := failed.get((function, "known")):
            parts.append(f"known defect seen {len(known)} times")
        terminalreporter.write_line(f"fault: {function}: {'; '.join(parts)}")
    if sums:
        terminalreporter.write_line(f"fault: HANGAR_SEED={_SEED}")


@pytest.fixture(autouse=True)
def _long_forms_take_their_time():
    """The timeout of pytest.ini is for the short forms."""
    if os.environ.get("HANGAR_FAULT") == "long":
        faulthandler.cancel_dump_traceback_later()
