"""The options of the command `forecast` for joint sample paths."""

from __future__ import annotations

import argparse
from typing import Any

_ONLY_WITH_PATHS = {"past_windows": "--past-windows", "seed": "--seed"}


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("paths in place of quantiles")
    add = group.add_argument
    add(
        "--paths",
        type=int,
        metavar="N",
        help="write N sample paths of each series: columns path and value in place of quantiles. "
        "The steps of a path belong together, so that sums and maxima over steps are right",
    )
    add(
        "--past-windows",
        type=int,
        metavar="K",
        help="learn from the K newest windows of each series how its steps depend on each other; "
        "default: 0",
    )
    add("--seed", type=int, help="seed of the paths; default: 0")


def check_paths(arguments: argparse.Namespace) -> None:
    """Refuse numbers that cannot be, and options that mean nothing together.

    Raises
    ------
    ValueError
    """
    from timer_forecaster.checks import check_integer

    if arguments.paths is None:
        for name, option in _ONLY_WITH_PATHS.items():
            if getattr(arguments, name) is not None:
                raise ValueError(f"{option} is about sample paths: give --paths N too")
        return
    for name, option in {"levels": "--levels", "plot": "--plot", "report": "--report"}.items():
        if getattr(arguments, name) is not None:
            raise ValueError(
                f"--paths and {option}: paths have no quantiles; leave one of them out"
            )
    check_integer("paths", arguments.paths)
    check_integer("past_windows", arguments.past_windows or 0, 0)
    check_integer("seed", arguments.seed or 0, 0)


def how_many(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `ForecastPipeline.sample_paths_frame` that the options give."""
    return {
        "n": arguments.paths,
        "past_windows": arguments.past_windows or 0,
        "random_state": arguments.seed or 0,
    }
