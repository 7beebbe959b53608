"""sktime's own Timer-S1 class and ours with the same weights, in one run.

sktime's class needs an old version of transformers, so it runs in a separate environment:

    python -m venv reference
    reference/bin/pip install sktime==1.2.0 skpro transformers==4.57.6 accelerate torch
    python -m benchmarks.sktime_comparison --reference-python reference/bin/python

Each class runs in its own process. The processes answer the same questions with the same functions.

Panel
    CPU seconds of one thread for `fit` and `predict` on a panel of random walks, with the weights
    loaded before. The processes take turns. Every panel is a new one, so that no forecast can be
    recalled. Medians over the repeats. "Same numbers" is our class with ``rollout="median"``, which
    is the released computation. The nine quantiles of both classes are compared for every step of a
    panel, sorted, in standard deviations of the series. "As it comes" is our default: beyond one
    pass of the network it takes nine paths, unless the checkpoint asks for another roll-out.
Pickle
    Bytes of an estimator that was fitted to one series and has forecast.
Passes
    Calls of the network (sktime: of ``generate``) while sktime's `evaluate` scores five folds of
    a series by MAE, pinball loss, coverage and CRPS, at levels that sktime's class can give.
Loads
    Number of times that weights are read, in all processes together, while sktime's grid search
    fits four candidates to five folds. The candidates are offsets of a logarithm before the
    forecaster.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.places import MINI, TINY
from benchmarks.processes import Process, answer_for
from benchmarks.sktime_comparison.questions import PROGRAM, QUESTIONS
from benchmarks.sktime_comparison.reports import report_loads, report_panels, report_sizes


def main(given: Sequence[str] | None = None) -> None:
    """Ask both sides and print their answers."""
    arguments = parse_arguments(given)
    if arguments.answer_for:
        answer_for(arguments.answer_for, QUESTIONS)
        return
    pythons = {"sktime": arguments.reference_python, "ours": sys.executable}
    for checkpoint in arguments.checkpoint or (MINI, TINY):
        print(f"\n{checkpoint.name}")
        theirs, own = (Process(python, PROGRAM, side) for side, python in pythons.items())
        with closing(theirs), closing(own):
            report_panels(theirs, own, checkpoint, arguments.series, arguments.repeats)
            report_sizes(theirs, own, checkpoint)
        report_loads(pythons, checkpoint)


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sktime_comparison", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--reference-python", help="python of the environment with sktime's class")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", help="folder; default: the mini and a tiny one"
    )
    parser.add_argument("--series", type=int, default=200, help="series of a panel")
    parser.add_argument("--repeats", type=int, default=7, help="medians are taken over them")
    parser.add_argument("--answer-for", choices=("ours", "sktime"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if not (arguments.reference_python or arguments.answer_for):
        parser.error(
            "--reference-python is needed: see the beginning of "
            "benchmarks/sktime_comparison/__main__.py"
        )
    return arguments


if __name__ == "__main__":
    main()
