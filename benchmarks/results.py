"""What was measured, the targets it is held against, and how both are shown."""

import collections
import dataclasses
import statistics

from contenders import TITLES


def percentile(values, percent):
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _duration(seconds):
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 0.001:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds * 1e6:.0f} µs"


def _mib(value):
    return f"{value:,.0f} MiB"


@dataclasses.dataclass(frozen=True)
class Metric:
    title: str
    show: callable
    less_is_better: bool = True
    unit: str = ""  # of a target that is a figure of its own, not a ratio


METRICS = {
    "seconds": Metric("time", _duration),
    "mib_per_second": Metric("rate", lambda rate: f"{rate:,.0f} MiB/s", less_is_better=False),
    "first_batch_seconds": Metric("first batch", _duration),
    "first_batch_p99_seconds": Metric("first batch, p99", _duration),
    "p50_seconds": Metric("p50", _duration),
    "p99_seconds": Metric("p99", _duration),
    "slowest_share": Metric("slowest client", lambda share: f"{share:.0%} of fair", False,
                            "of the fair share"),
    "file_mib": Metric("file", lambda mib: f"{mib:,.1f} MiB"),
    "peak_mib": Metric("peak memory", _mib, unit="MiB"),
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One thing that was measured, of one contender through one client."""

    case: str
    subject: str
    client: str
    contender: str


@dataclasses.dataclass(frozen=True)
class Target:
    """A figure of Hangar's, alone or divided by another one, and what it has to be.

    `speed` turns the division round, for "so many times as fast" where the figures are times.
    """

    title: str
    case: str
    subject: str
    metric: str
    limit: float
    at_least: bool = False
    over: str | None = None  # a contender
    over_subject: str | None = None
    speed: bool = False


class Results:
    """Values by row and metric, one for each round, in the order of the rounds."""

    def __init__(self):
        self._values = collections.defaultdict(lambda: collections.defaultdict(list))

    def add(self, case, subject, client, contender, **metrics):
        for metric, value in metrics.items():
            assert metric in METRICS, metric
            self._values[Row(case, subject, client, contender)][metric].append(value)

    def values(self, row, metric):
        return self._values[row][metric] if row in self._values else []

    def cases(self):
        return list(dict.fromkeys(row.case for row in self._values))

    def as_json(self):
        return [
            {**dataclasses.asdict(row), "metric": metric, "values": values,
             "median": statistics.median(values), "min": min(values), "max": max(values)}
            for row, metrics in self._values.items() for metric, values in metrics.items()]

    def case_table(self, case):
        """A Markdown table of a case: medians, and how far the rounds spread."""
        rows = {row: metrics for row, metrics in self._values.items() if row.case == case}
        metrics = [name for name in METRICS if any(name in seen for seen in rows.values())]
        lines = ["| what | client | contender | "
                 + " | ".join(METRICS[name].title for name in metrics) + " | Hangar is |",
                 "|---|---|---|" + "---|" * (len(metrics) + 1)]
        groups = collections.defaultdict(list)
        for row in rows:
            groups[row.subject, row.client].append(row)
        for (subject, client), group in groups.items():
            for row in sorted(group, key=lambda row: list(TITLES).index(row.contender)):
                cells = [_cell(METRICS[name], rows[row].get(name)) for name in metrics]
                lines.append(f"| {subject} | {client} | {TITLES[row.contender]} | "
                             + " | ".join(cells) + f" | {self._advantage(row, metrics)} |")
        return "\n".join(lines)

    def _advantage(self, row, metrics):
        """How many times as fast as this row's contender Hangar is, by the row's first metric."""
        if row.contender == "hangar":
            return ""
        for name in metrics:
            theirs = self.values(row, name)
            ours = self.values(dataclasses.replace(row, contender="hangar"), name)
            if not theirs or not ours:
                continue
            ratio = statistics.median(theirs) / statistics.median(ours)
            what = "×" if name != "peak_mib" and name != "file_mib" else "× smaller"
            return f"{ratio if METRICS[name].less_is_better else 1 / ratio:.2f} {what}"
        return ""

    def judge(self, target):
        """A verdict for each client that measured both sides of a target."""
        verdicts = []
        clients = dict.fromkeys(row.client for row in self._values if row.case == target.case)
        for client in clients:
            ours = self.values(Row(target.case, target.subject, client, "hangar"), target.metric)
            others = None
            if target.over:
                subject = target.over_subject or target.subject
                others = self.values(Row(target.case, subject, client, target.over), target.metric)
            if not ours or others == []:
                continue
            verdicts.append(_verdict(target, client, ours, others))
        return verdicts


def _cell(metric, values):
    if not values:
        return ""
    shown = metric.show(statistics.median(values))
    if len(values) > 1 and min(values) != max(values):
        shown += f" ({metric.show(min(values))} .. {metric.show(max(values))})"
    return shown


def _verdict(target, client, ours, others):
    def figure(our, other):
        if other is None:
            return our
        return other / our if target.speed else our / other

    if others is None:
        by_round = ours
        middle = statistics.median(ours)
    else:
        # Rounds are interleaved, so the n-th of one and the n-th of the other ran side by side.
        by_round = [figure(our, other) for our, other in zip(ours, others)]
        middle = figure(statistics.median(ours), statistics.median(others))
    met = middle >= target.limit if target.at_least else middle <= target.limit
    return {"target": target.title, "case": target.case, "client": client, "figure": middle,
            "min": min(by_round), "max": max(by_round), "limit": target.limit,
            "at_least": target.at_least, "met": met,
            "unit": "×" if target.over else METRICS[target.metric].unit}


def target_table(verdicts):
    lines = ["| target | client | wanted | measured | spread | |", "|---|---|---|---|---|---|"]
    for verdict in verdicts:
        digits = 0 if verdict["unit"] == "MiB" else 2 if verdict["figure"] >= 0.1 else 3
        sign = "≥" if verdict["at_least"] else "≤"
        lines.append(
            f"| {verdict['target']} | {verdict['client']} | {sign} {verdict['limit']:.3g} {verdict['unit']} | "
            f"{verdict['figure']:.{digits}f} | "
            f"{verdict['min']:.{digits}f} .. {verdict['max']:.{digits}f} | "
            f"{'met' if verdict['met'] else 'MISSED'} |")
    return "\n".join(lines)
