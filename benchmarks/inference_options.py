"""Gain and cost of inference options, precisions or checkpoints, on data held out of training.

    python -m benchmarks.inference_options --data FOLDER [--checkpoint NAME] [--output results.csv]
    python -m benchmarks.inference_options --data FOLDER --precisions ...
    python -m benchmarks.inference_options --data FOLDER --qualities [--half B] ...
    python -m benchmarks.inference_options --data FOLDER --against NAME [--half B] ...

The protocol is GIFT-Eval's, on the files that `timer_forecaster.corpus.held_out.HELD_OUT` names.
The embedded checkpoints were not trained on them, but `timer-s1-mini`, from which `timer-s1-small`
was grown, saw the last eight. None of them is part of the benchmark. So options can be chosen here
without a look at the benchmark's own data. Of each data set, three series are taken, spread over
it, with their newest 20,000 steps. MASE and CRPS are geometric means relative to Seasonal Naive.
The cost is the time of the forecasts relative to the first option.

The second command compares float32, bfloat16 and 8-bit integers on a CPU. It also prints the change
of both errors from float32, in percent, with its standard error. The third compares forecasts of
series as they are with those of transformed series. The fourth compares another checkpoint with
the first, each with its own settings, and prints the change of both errors for daily and slower
series and for sub-daily ones. Rules and checkpoints are chosen on half A of the data sets, and
confirmed on half B.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from timer_forecaster import ForecastPipeline
from timer_forecaster.corpus.held_out import HELD_OUT, held_out_half
from timer_forecaster.evaluation import PipelineForecaster, aggregate, evaluate_gift_eval
from timer_forecaster.evaluation.gift_eval import horizon_of
from timer_forecaster.evaluation.leaderboard import BASELINE
from timer_forecaster.inference.frequency import as_frequencies
from timer_forecaster.inference.sampling.table import SUB_DAILY, kind_of

OPTIONS: dict[str, dict[str, object]] = {
    "quantile": {"rollout": "quantile"},
    "median": {"rollout": "median"},
    "multiscale": {"rollout": "multiscale"},
    "multiscale, both signs": {"rollout": "multiscale", "flip": True},
}
"""Of series as they are."""
PRECISIONS: dict[str, dict[str, str]] = {
    "float32": {"dtype": "float32"},
    "bfloat16": {"dtype": "bfloat16"},
    "int8": {"dtype": "float32", "quantization": "int8"},
    "bfloat16, int8": {"dtype": "bfloat16", "quantization": "int8"},
}
SERIES, NEWEST_STEPS = 3, 20_000
QUALITIES: dict[str, dict[str, object]] = {
    name: {"quality": name} for name in ("plain", "fast", "best")
}
LONGEST_GAP = 512
"""Steps of a gap that leave nothing in the context of a TinyTimeMixer."""


def main(given: Sequence[str] | None = None) -> None:
    """Score every option and print a table."""
    arguments = parse_arguments(given)
    if arguments.against is None:
        forecasters = arguments.compared(arguments.checkpoint)
    else:
        forecasters = by_checkpoint(arguments.checkpoint, arguments.against)
    with tempfile.TemporaryDirectory() as folder:
        for name in filter(_has_horizon, sorted(chosen_sets(arguments.half))):
            excerpt(arguments.data / f"{name}.parquet").to_parquet(f"{folder}/{name}.parquet")
        results = evaluate_gift_eval(forecasters, folder, output=arguments.output, progress=True)
    print(table(results, next(iter(forecasters))).to_string(float_format="{:.3f}".format))
    if arguments.compared is by_precision:
        print(changes(results, "float32").to_string(float_format="{:+.2f}".format))
    if arguments.against is not None:
        found = changes_by_kind(results, arguments.checkpoint)
        print(found.to_string(float_format="{:+.2f}".format, sparsify=False))


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inference_options", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the held-out files")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--output", type=Path, help="keep the results here; a run goes on from it")
    compared = parser.add_mutually_exclusive_group()
    for flag, function in (("--precisions", by_precision), ("--qualities", by_quality)):
        compared.add_argument(
            flag, action="store_const", dest="compared", const=function, help=function.__doc__
        )
    compared.add_argument("--against", metavar="NAME", help="another checkpoint: name or folder")
    parser.add_argument("--half", choices=("A", "B"), help="half of the data sets; default: both")
    parser.set_defaults(compared=by_option)
    return parser.parse_args(given)


def by_option(checkpoint: str) -> dict[str, PipelineForecaster]:
    """Return a forecaster for each of the options; they share one network."""
    pipeline = ForecastPipeline.from_pretrained(checkpoint)
    plain = {"quality": "plain"}
    return {name: PipelineForecaster(pipeline, plain | o) for name, o in OPTIONS.items()}


def by_precision(checkpoint: str) -> dict[str, PipelineForecaster]:
    """Return a forecaster for each of the precisions."""
    return {
        name: PipelineForecaster(
            ForecastPipeline.from_pretrained(checkpoint, device="cpu", **options)
        )
        for name, options in PRECISIONS.items()
    }


def by_quality(checkpoint: str) -> dict[str, PipelineForecaster]:
    """Return a forecaster for each quality; they share one network."""
    pipeline = ForecastPipeline.from_pretrained(checkpoint)
    return {name: PipelineForecaster(pipeline, dict(o)) for name, o in QUALITIES.items()}


def by_checkpoint(*names: str) -> dict[str, PipelineForecaster]:
    """Return a forecaster for each checkpoint, with its own settings."""
    return {name: PipelineForecaster(ForecastPipeline.from_pretrained(name)) for name in names}


def chosen_sets(half: str | None) -> tuple[str, ...]:
    """Return the data sets of a half, or all that are held out."""
    return HELD_OUT if half is None else held_out_half(half)


def changes(results: pd.DataFrame, first: str) -> pd.DataFrame:
    """Return changes of the errors from the first model in percent: mean, standard error, worst.

    Means are taken over the configurations of the benchmark.
    """
    rows = {}
    others = [name for name in results["model"].unique() if name not in (first, BASELINE)]
    for error, column in (("CRPS", "mean_weighted_sum_quantile_loss"), ("MASE", "MASE[0.5]")):
        scores = results.pivot(index="dataset", columns="model", values=f"eval_metrics/{column}")
        change = np.log(scores.div(scores[first], axis=0))[others] * 100
        rows[error, "%"] = change.mean()
        rows[error, "standard error"] = change.std() / np.sqrt(len(change))
        rows[error, "worst"] = change.max()
    return pd.DataFrame(rows)


def changes_by_kind(results: pd.DataFrame, first: str) -> pd.DataFrame:
    """Return the changes of each term, apart for sub-daily and for slower series."""
    names = results["dataset"].str.split("/", expand=True)
    sub_daily = [kind_of(one) == SUB_DAILY for one in as_frequencies(list(names[1]), len(names))]
    kinds = np.where(sub_daily, SUB_DAILY, "daily to quarterly")
    parts = {key: changes(part, first) for key, part in results.groupby([names[2], kinds])}
    return pd.concat(parts, names=["term", "series"])


def _has_horizon(name: str) -> bool:
    """Whether GIFT-Eval defines a horizon; it does for quarters of the M4 competition alone."""
    try:
        horizon_of(*name.rsplit("__", 1), "short")
    except ValueError:
        return False
    return True


def excerpt(path: Path) -> pd.DataFrame:
    """Return the newest part of some series of a file, without much shorter ones and long gaps."""
    frame = pd.read_parquet(path, columns=["item_id", "freq", "target"])
    lengths = frame["target"].map(len)
    frame = frame[lengths >= 0.8 * lengths.median()]
    frame = frame[frame["target"].map(_longest_gap) < LONGEST_GAP]
    chosen = np.unique(np.linspace(0, len(frame) - 1, SERIES).round().astype(int))
    return frame.iloc[chosen].assign(target=lambda f: [t[-NEWEST_STEPS:] for t in f["target"]])


def _longest_gap(target: np.ndarray) -> int:
    newest = target[-NEWEST_STEPS:].astype(float)
    seen = np.flatnonzero(np.isfinite(newest))
    return int(np.diff(seen, prepend=-1, append=len(newest)).max()) - 1


def table(results: pd.DataFrame, first: str) -> pd.DataFrame:
    """Return the scores of each option in each term, and its cost relative to the first option."""
    scores = aggregate(results).drop(index=BASELINE).reset_index()
    results = results.assign(term=results["dataset"].str.rsplit("/", n=1).str[-1])
    seconds = results.groupby(["model", "term"])["seconds"].sum().unstack()
    seconds["all"] = seconds.sum(axis=1)
    costs = seconds / seconds.loc[first]
    scores = scores[scores["group"].isin(costs.columns)]
    scores["cost"] = [costs.loc[row.model, row.group] for row in scores.itertuples()]
    return scores.set_index(["group", "model"]).sort_index(level=0, sort_remaining=False)


if __name__ == "__main__":
    main()
