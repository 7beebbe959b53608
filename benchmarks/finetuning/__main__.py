"""The gain of finetuning a checkpoint to one's own series, for each target.

The checkpoint was not trained on these data sets. The end of every series tests. The steps before
it are used for finetuning, and the newest part of them validates. Each finetuned network is
compared with zero-shot forecasts of the test windows. Both read as much context as the checkpoint
can. Results are appended to a file as they come, and a run that was stopped goes on::

    python -m benchmarks.finetuning --data FOLDER --output results.jsonl --page docs/finetuning.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.finetuning.data import STUDIED
from benchmarks.finetuning.study import run_all
from benchmarks.finetuning.tables import by_data_set, by_target
from benchmarks.pages import markdown, write_page
from timer_forecaster.models.timer_s1.targets import TARGETS

SEEDS = (0, 1, 2)


def main(given: Sequence[str] | None = None) -> None:
    """Run the study and print its tables."""
    arguments = parse_arguments(given)
    rows = run_all(arguments, arguments.settings)
    tables = {"targets": markdown(by_target(rows)), "data sets": markdown(by_data_set(rows))}
    print("\n\n".join(tables.values()))
    if arguments.page:
        write_page(arguments.page, tables)


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finetuning", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of <dataset>__<frequency>.parquet")
    add("--output", type=Path, required=True, help="JSON lines: results so far, and new ones")
    add("--page", type=Path, help="Markdown page whose tables are replaced")
    add("--checkpoint", default="timer-s1-mini")
    add("--datasets", nargs="+", default=list(STUDIED))
    add("--targets", nargs="+", default=list(TARGETS), choices=TARGETS)
    add("--seeds", nargs="+", type=int, default=list(SEEDS))
    add("--settings", type=json.loads, default={}, help="of FinetuneConfig, as JSON")
    add("--jobs", type=int, default=1, help="processes, one thread each")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
