"""Kill each command that writes with SIGKILL, and check what it leaves.

After each kill no file under a final name may be damaged, and the earlier output or the new one is
there and whole. A second run must then succeed with the result of a run that was not killed, and
leave no other files. Each command is killed at random moments, half of them near its operations on
files, and before each of these operations in turn.

Examples
--------
Results are kept in a file, so that a run that was stopped goes on::

    python -m benchmarks.kills --output kills.jsonl
    python -m benchmarks.kills --cases finetune convert --moments 0
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.kills.cases import Case, cases, write_inputs
from benchmarks.kills.checking import Reference, Refused, kill, moment, reference
from benchmarks.pages import markdown

_STATES = ("not killed", "earlier", "new", "part", "damaged")
_LOADED = (  # before the fork, so that the processes that are killed do work alone
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "matplotlib.image",
    "pandas",
    "PIL.PngImagePlugin",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "timer_forecaster.cli.forecast",
    "timer_forecaster.corpus.shards",
    "timer_forecaster.evaluation",
    "timer_forecaster.finetuning.tuner",
    "timer_forecaster.inference",
    "timer_forecaster.plotting",
    "timer_forecaster.pretraining.trainer",
    "torch._dynamo",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns 1 if any kill left what it must not."""
    arguments = _arguments(argv)
    chosen = [case for case in cases() if not arguments.cases or case.name in arguments.cases]
    for name in _LOADED:
        import_module(name)
    import_module("torch").set_num_threads(1)  # no threads that a fork would lose
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        write_inputs(Path(folder, "inputs"))
        rows = check_all(
            chosen,
            Path(folder),
            arguments.moments,
            arguments.points,
            arguments.seed,
            arguments.output,
        )
    print(markdown(rows))
    return int(any(row["problems"] for row in rows))


def check_all(
    chosen: Sequence[Case],
    root: Path,
    moments: int,
    points: bool,
    seed: int = 0,
    output: Path | None = None,
) -> list[dict[str, Any]]:
    """Kill each case in all ways, and return a row of counts for each.

    Parameters
    ----------
    chosen : sequence of Case
    root : Path
        Folder to work in, with the inputs.
    moments : int
        Number of random moments.
    points : bool
        Whether to kill before each operation on files as well.
    seed : int
        Seed of the moments.
    output : Path, optional
        File of JSON lines with the results, which a later run takes up.
    """
    done = _done(output)
    rows = []
    for case in chosen:
        try:
            known = reference(case, root)
        except Refused as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        results = []
        for way, when in _ways(case, known, moments, points, seed):
            key = f"{case.name}: {way}"
            if key not in done:
                done[key] = kill(case, known, root, **when)
                _note(output, {"key": key, **done[key]})
                for problem in done[key]["problems"]:
                    print(f"{key}: {problem}", file=sys.stderr)
            results.append(done[key])
        rows.append(_row(case, known, results))
        print(rows[-1], file=sys.stderr)
    return rows


def _ways(
    case: Case, known: Reference, moments: int, points: bool, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name for each kill, and the arguments of `kill` that say when."""
    for number in range(moments):
        random = np.random.default_rng([seed, zlib.crc32(case.name.encode()), number])
        yield f"moment {number} of seed {seed}", {"seconds": moment(known, random)}
    for number in range(len(known.operations) if points else 0):
        yield f"operation {number}", {"operation": number}


def _row(case: Case, known: Reference, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    states = [result["state"] for result in results]
    return {
        "command": case.name,
        "seconds": known.seconds,
        "operations": len(known.operations),
        "runs": len(results),
        **{state: states.count(state) for state in _STATES},
        "problems": sum(bool(result["problems"]) for result in results),
    }


def _done(output: Path | None) -> dict[str, dict[str, Any]]:
    if output is None or not output.exists():
        return {}
    lines = output.read_text(encoding="utf-8").splitlines()
    return {record.pop("key"): record for record in map(json.loads, lines)}


def _note(output: Path | None, record: dict[str, Any]) -> None:
    if output is not None:
        with output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    add = parser.add_argument
    names = [case.name for case in cases()]
    add("--cases", nargs="+", choices=names, metavar="NAME", help=f"some of {names}; default: all")
    add("--moments", type=int, default=50, help="random moments for each; default: 50")
    add("--points", action=argparse.BooleanOptionalAction, default=True, help="each operation")
    add("--seed", type=int, default=0, help="seed of the moments; default: 0")
    add("--output", type=Path, metavar="FILE.jsonl", help="keep the results here, and take them up")
    return parser.parse_args(argv)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
