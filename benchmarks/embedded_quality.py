"""Forecast quality on GIFT-Eval configurations, relative to Seasonal Naive.

    python benchmarks/embedded_quality.py --data FOLDER

``FOLDER`` holds ``<dataset>__<frequency>.parquet`` files (see
``timer_forecaster.evaluation.gift_eval``). Where a file ``gift_eval_published.csv`` lies beside it,
published models are aggregated over the same configurations.

Columns: MASE of the median; CRPS, the mean weighted sum quantile loss over nine levels; the ratios
of both to Seasonal Naive with Gaussian quantiles, the leaderboard's baseline; CRPS relative to
Seasonal Naive's point forecast; coverage of the 80 % interval; seconds in the forecaster.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from timer_forecaster.evaluation import (
    TERMS,
    Configuration,
    EvaluationRow,
    Forecaster,
    evaluate,
    geometric_mean,
    load_configurations,
    read_published,
    seasonal_naive_forecaster,
)

CONFIGURATIONS = "ett1__H,ett1__D,m4_hourly__H,hospital__M,saugeen__D,jena_weather__H"
PUBLISHED_MODELS = (
    "Timer-s1",
    "FlowState-r1.1",
    "Toto-2.0-4m",
    "TempoPFN",
    "chronos_bolt_small",
    "seasonal_naive",
    "naive",
)
COLUMNS = ("MASE", "CRPS", "rel.MASE", "rel.CRPS", "rel.point", "cover80", "seconds")


def main() -> None:
    """Print the table."""
    arguments = parse_arguments()
    forecaster = None if arguments.baseline_only else pipeline_forecaster(arguments.checkpoint)
    print_line("configuration", COLUMNS)
    rows = []
    for configuration in load_configurations(
        arguments.data, arguments.configurations.split(","), arguments.terms.split(",")
    ):
        rows.append(evaluate_row(forecaster, configuration))
        print_row(rows[-1])
    if not rows:
        raise SystemExit(f"none of {arguments.configurations} has a term of {arguments.terms}")
    print_means(rows)
    published = arguments.data.resolve().parent / "gift_eval_published.csv"
    if published.exists():
        print_published(published, rows)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--configurations", default=CONFIGURATIONS, help="comma-separated")
    parser.add_argument("--terms", default="short", help=f"some of {','.join(TERMS)}")
    parser.add_argument(
        "--baseline-only", action="store_true", help="score Seasonal Naive, load no checkpoint"
    )
    return parser.parse_args()


def pipeline_forecaster(checkpoint: str) -> Forecaster:
    """Make a pipeline of the checkpoint a forecaster."""
    from timer_forecaster import ForecastPipeline

    pipe = ForecastPipeline.from_pretrained(checkpoint)
    return lambda contexts, horizon: pipe.predict(contexts, horizon).quantiles


def evaluate_row(forecaster: Forecaster | None, configuration: Configuration) -> EvaluationRow:
    """Score the forecaster, or Seasonal Naive where there is none."""
    baseline = seasonal_naive_forecaster(configuration.seasonality)
    return evaluate(forecaster or baseline, configuration)


def print_line(name: str, cells: Sequence[str]) -> None:
    """Print one line of the table as soon as it is known."""
    print(f"{name:34}" + "".join(f"{cell:>10}" for cell in cells), flush=True)


def print_row(row: EvaluationRow) -> None:
    """Print one configuration's scores."""
    values = (
        row.model.mase,
        row.model.weighted_quantile_loss,
        row.relative_mase,
        row.relative_loss,
        row.relative_point_loss,
        row.model.coverage,
    )
    print_line(row.configuration, [f"{value:.4f}" for value in values] + [f"{row.seconds:.1f}"])


def print_means(rows: Sequence[EvaluationRow]) -> None:
    """Print the geometric means of the ratios, the mean coverage and the total time."""
    means = (
        geometric_mean(row.relative_mase for row in rows),
        geometric_mean(row.relative_loss for row in rows),
        geometric_mean(row.relative_point_loss for row in rows),
        sum(row.model.coverage for row in rows) / len(rows),
    )
    seconds = sum(row.seconds for row in rows)
    cells = ["", "", *(f"{mean:.4f}" for mean in means), f"{seconds:.1f}"]
    print_line("geometric mean (coverage: mean)", cells)


def print_published(path: Path, rows: Sequence[EvaluationRow]) -> None:
    """Geometric means of published models over the rows' configurations that the table holds."""
    table = read_published(path)
    rows = [row for row in rows if (row.configuration, "seasonal_naive") in table.index]
    print(f"\npublished, same {len(rows)} configurations")
    names = [row.configuration for row in rows]
    baseline = table.loc[[(name, "seasonal_naive") for name in names]].to_numpy()
    point = [row.seasonal_naive_point.weighted_quantile_loss for row in rows]
    for model in PUBLISHED_MODELS:
        scores = table.loc[[(name, model) for name in names]].to_numpy()
        ratios = scores / baseline
        means = map(geometric_mean, (ratios[:, 0], ratios[:, 1], scores[:, 1] / point))
        print_line(model, ["", "", *(f"{mean:.4f}" for mean in means)])


if __name__ == "__main__":
    main()
