"""The command `evaluate`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.checkpoints.registry import TIMER_S1_SMALL
from timer_forecaster.cli.common import (
    add_forecast_options,
    add_loading_options,
    load_pipeline,
    print_summary,
)
from timer_forecaster.cli.output import check_outputs, check_picture, save_picture

if TYPE_CHECKING:
    import pandas as pd

    from timer_forecaster.evaluation import Forecaster


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.usage = "%(prog)s --data FOLDER [options]"
    parser.description = (
        "Score checkpoints beside Seasonal Naive on the GIFT-Eval configurations of a folder, and "
        "print the scores, their aggregates per term and domain, and published models beside them. "
        "With --output, a run that was stopped continues where it was. Series alone are read, "
        "without covariates, as for the published scores; so there is no --covariates."
    )
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the GIFT-Eval download, or files <dataset>__<frequency>.parquet",
    )
    add(
        "--checkpoint",
        nargs="+",
        metavar="NAME",
        help="names that `timer-forecaster checkpoints` lists, folders or hub ids; "
        f"default: {TIMER_S1_SMALL}, or none with --baseline",
    )
    add("--baseline", nargs="+", choices=("naive", "seasonal_naive"), help="score these as well")
    add_forecast_options(parser)
    parser.set_defaults(covariates="auto")  # series alone are read
    add_loading_options(parser)
    _add_selection(parser)
    add("--output", type=Path, metavar="FILE.csv", help="keep the results here, as they come")
    add("--plot", type=Path, metavar="FILE.png", help="draw the aggregates (png, pdf or svg)")


def _add_selection(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--terms", nargs="+", metavar="TERM", help="some of short, medium, long; default: all")
    add(
        "--configurations",
        nargs="+",
        metavar="NAME",
        help="such as ett1/H/short, ett1/H or ett1; default: all of the folder",
    )
    add(
        "--published",
        type=Path,
        metavar="PATH",
        help="published scores: a CSV, or the folder results of the benchmark's repository",
    )
    add("--compare", nargs="+", metavar="MODEL", help="published models to show; default: all")


def run(arguments: argparse.Namespace) -> None:
    """Score the checkpoints, and write, draw and print the scores."""
    _check_outputs(arguments)
    from timer_forecaster import evaluation

    published = _published(arguments)
    started = time.perf_counter()
    forecasters = _forecasters(arguments)
    results = evaluation.evaluate_gift_eval(
        forecasters,
        arguments.data,
        output=arguments.output,
        terms=arguments.terms or tuple(evaluation.TERMS),
        configurations=arguments.configurations,
        progress=sys.stderr.isatty(),
    )
    seconds = time.perf_counter() - started
    print(evaluation.report(results, published, arguments.compare), end="\n\n")
    if arguments.plot is not None:
        from timer_forecaster.plotting import plot_aggregates

        table = results
        if published is not None:
            table = evaluation.compare(results, published, arguments.compare)
        figure = plot_aggregates(evaluation.aggregate(table), list(forecasters))
        save_picture(figure, arguments.plot)
    print_summary(
        f"Evaluated {results['dataset'].nunique()} configurations in {seconds:.1f} s",
        arguments.output,
        arguments.plot,
    )


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse files that cannot be written, or that hold something else, before the work is done."""
    output = arguments.output
    outputs = {"--output": output, "--plot": arguments.plot}
    if output is not None:
        if output.suffix.lower() != ".csv":
            raise ValueError(
                f"--output {output}: results are kept as CSV; its name must end in .csv"
            )
        outputs["the details of --output"] = output.with_suffix(".details.csv")
    check_outputs(outputs, [arguments.published])
    check_picture(arguments.plot)


def _forecasters(arguments: argparse.Namespace) -> dict[str, Forecaster]:
    """Return the forecasters to score, by the names of their rows."""
    from timer_forecaster.evaluation import PipelineForecaster
    from timer_forecaster.evaluation.runner import BASELINES

    options = _changed_options(arguments)
    forecasters: dict[str, Forecaster] = {}
    only_baselines = arguments.baseline and arguments.adapter is None
    checkpoints = arguments.checkpoint or ([] if only_baselines else [TIMER_S1_SMALL])
    if not checkpoints:
        _refuse_options(arguments, options)
    for checkpoint in checkpoints:
        forecaster = PipelineForecaster(load_pipeline(checkpoint, arguments), options)
        name = forecaster.name
        if name in forecasters or name in BASELINES:
            raise ValueError(
                f"--checkpoint {checkpoint}: its rows would be named {name!r}, as those of another "
                "model are; name its folder differently"
            )
        forecasters[name] = forecaster
    return forecasters | {name: BASELINES[name] for name in arguments.baseline or []}


def _refuse_options(arguments: argparse.Namespace, options: dict[str, Any]) -> None:
    """Refuse options of a checkpoint where baselines alone are scored."""
    defaults = {"device": "auto", "dtype": "auto", "quantization": None}
    given = [*options, *(one for one, own in defaults.items() if getattr(arguments, one) != own)]
    if given:
        option = "no-nonnegative" if options.get("nonnegative") is False else given[0]
        raise ValueError(
            f"--{option.replace('_', '-')} is an option of checkpoints, and --baseline alone has "
            f"none; name one, such as --checkpoint {TIMER_S1_SMALL}"
        )


def _changed_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of a forecast that differ from their defaults.

    With the defaults left out, ``PipelineForecaster(pipeline)`` and the command continue each
    other's results.
    """
    from timer_forecaster.estimators import options_of
    from timer_forecaster.inference.options import ForecastOptions

    defaults, values = ForecastOptions().arguments, options_of(arguments).arguments
    return {name: value for name, value in values.items() if value != defaults[name]}


def _published(arguments: argparse.Namespace) -> pd.DataFrame | None:
    """Read published scores, and check that they can be compared, before the work is done."""
    if arguments.published is None:
        if arguments.compare:
            raise ValueError(
                "--compare names published models: say with --published where they are"
            )
        return None
    from timer_forecaster import evaluation
    from timer_forecaster.evaluation.leaderboard import check_published

    published = evaluation.read_published(arguments.published)
    terms = arguments.terms or tuple(evaluation.TERMS)
    found = evaluation.find_configurations(arguments.data, arguments.configurations, terms)
    check_published([one.name for one in found], published, arguments.compare)
    return published
