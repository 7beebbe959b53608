"""The windows of a backtest, and the models that forecast them: their options."""

from __future__ import annotations

import argparse

from timer_forecaster.cli.common import levels_of_words

WINDOW_OPTIONS = ("windows", "step", "min_history", "seasonality", "levels")
"""Names of the options beside the horizon that say where windows lie and what is scored."""


def add_windows(parser: argparse.ArgumentParser) -> None:
    """Add the options of windows and of baselines."""
    add = parser.add_argument
    add("--horizon", type=int, required=True, metavar="STEPS", help="steps of each window")
    add("--windows", type=int, default=5, metavar="NUMBER", help="of each series; default: 5")
    add(
        "--step",
        type=int,
        metavar="STEPS",
        help="steps from one window to the next; default: the horizon",
    )
    add(
        "--min-history",
        type=int,
        metavar="STEPS",
        help="least steps before a window; default: the horizon",
    )
    add(
        "--against",
        type=_names,
        default=(),
        metavar="NAMES",
        help="forecasters of sktime to score as well, with commas between them, such as "
        "AutoETS,Theta; also naive; default: Seasonal Naive alone",
    )
    add(
        "--seasonality",
        type=int,
        metavar="STEPS",
        help="steps of a season, for Seasonal Naive and MASE; default: by the frequency",
    )
    add(
        "--levels",
        type=levels_of_words,
        default=(0.1, 0.5, 0.9),
        metavar="LEVELS",
        help="quantile levels to keep beside 0.1, 0.2 to 0.9, with commas between them",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
