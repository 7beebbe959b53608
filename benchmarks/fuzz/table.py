"""The table of counts, and the list of failures."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.fuzz.runner import Failure, State

MOST_NUMBERS = 8
"""Number of failed cases of a kind that are listed."""


def counts_table(states: Sequence[State]) -> str:
    """Return a table in Markdown with a row for each door."""
    refusals = sorted({name for state in states for name in state.outcomes} - {"answer"})
    header = ["door", "cases", "answers", *refusals, "failures", "CPU ms/case"]
    lines = [_row(header), _row(["---"] * len(header))]
    for state in states:
        cases = sum(state.outcomes.values()) + len(state.failures)
        counts = [state.outcomes[name] for name in ("answer", *refusals)]
        cost = f"{1000 * state.cpu / max(cases, 1):.1f}"
        lines.append(_row([state.door, cases, *counts, len(state.failures), cost]))
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def failures_list(states: Sequence[State]) -> str:
    """Return the failures by door and kind, the most frequent first."""
    lines = []
    for state in states:
        for kind, failures in by_kind(state.failures).items():
            numbers = " ".join(str(one.case) for one in failures[:MOST_NUMBERS])
            more = " …" if len(failures) > MOST_NUMBERS else ""
            lines.append(f"{state.door}: {kind}: {len(failures)} (cases {numbers}{more})")
            lines.append(f"    {failures[0].detail}")
    return "\n".join(lines)


def by_kind(failures: Sequence[Failure]) -> dict[str, list[Failure]]:
    """Group failures by their kind, the most frequent first."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.kind, []).append(failure)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))
