"""Search for silently wrong answers and for errors that name nothing.

    python -m benchmarks.fuzz                                    # all doors, all cases
    python -m benchmarks.fuzz --door frame reading --cases 500
    python -m benchmarks.fuzz --door pipeline --case 4711        # one case, alone
    python -m benchmarks.fuzz --retry                            # the failed cases again

A run that was stopped goes on: the states lie in the folder `.fuzz`. The program prints a table of
the answers, the refusals and the failures, and exits with status 1 if there is a failure.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from benchmarks.fuzz.doors import CASES, case_of
from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.oracle import Broken
from benchmarks.fuzz.product import Product
from benchmarks.fuzz.runner import State, Store, notes_of, run_again, run_cases
from benchmarks.fuzz.table import counts_table, failures_list


def main(given: Sequence[str] | None = None) -> int:
    """Run what the command line asks for, and return the exit status."""
    arguments = parse_arguments(given)
    warnings.simplefilter("ignore")
    doors = arguments.door or list(CASES)
    if arguments.case is not None:
        return max(show_case(door, arguments.seed, arguments.case) for door in doors)
    states, product = [], Product()
    deadline = time.monotonic() + arguments.seconds
    for door in doors:
        states.append(run_door(door, arguments, product, deadline))
        print(f"{door}: {states[-1].next_case} cases", file=sys.stderr)
    print(counts_table(states))
    failures = failures_list(states)
    if failures:
        print(f"\n{failures}")
    return 1 if failures else 0


def run_door(door: str, arguments: argparse.Namespace, product: Product, deadline: float) -> State:
    """Run the cases of a door."""
    store = Store(arguments.state, door, arguments.seed)
    if arguments.retry:
        return run_again(case_of(door), store, product)
    n_cases = CASES[door] if arguments.cases is None else arguments.cases
    return run_cases(case_of(door), store, product, n_cases, deadline)


def show_case(door: str, seed: int, number: int) -> int:
    """Run one case, and print what it draws and what comes of it."""
    draw = Draw(seed, door, number)
    status = 0
    try:
        outcome = case_of(door)(draw, Product())
        found = outcome.name if outcome.error is None else f"{outcome.name}: {outcome.error}"
    except Broken as broken:
        status, found = 1, f"FAILURE {broken}"
        if broken.__cause__ is not None:
            traceback.print_exception(broken.__cause__)
    print(f"{door} {number}: {notes_of(draw)}\n{found}")
    return status


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz", description=__doc__.partition("\n")[0]
    )
    add = parser.add_argument
    add("--door", nargs="+", choices=list(CASES), metavar="DOOR", help="default: all doors")
    add("--cases", type=int, metavar="N", help="cases of each door; default: 100000 or 5000")
    add("--case", type=int, metavar="NUMBER", help="run this case alone, and show it")
    add("--seed", type=int, default=0, help="default: 0")
    add("--seconds", type=float, default=float("inf"), help="stop after this time")
    add("--retry", action="store_true", help="run the failed cases again, and no others")
    add(
        "--state",
        type=Path,
        default=Path(".fuzz"),
        metavar="FOLDER",
        help="folder of the states; default: .fuzz",
    )
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
