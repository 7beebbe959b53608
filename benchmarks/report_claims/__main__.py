"""The claims of Timer-S1's report, tried at a size that trains in minutes on one CPU core.

    python -m benchmarks.report_claims OUT --corpus CORPUS --data FOLDER --page PAGE

The program trains every arm of `benchmarks.report_claims.arms.ARMS` with several seeds. It scores
all of them on the same held-out windows, and draws the error of sinusoids by period. ``OUT`` keeps
the runs, and one JSON file of scores per arm and seed: a program that was stopped goes on from
there, and several may share the work (``--arms``, ``--seeds``). The tables are printed. With
``--page`` they are put between the page's markers too, and the pictures go to ``images`` beside it.

``CORPUS`` is a folder made by ``timer-forecaster corpus build``. ``FOLDER`` holds files
``<dataset>__<frequency>.parquet``; the data sets of `timer_forecaster.corpus.held_out.HELD_OUT`
are read.
Without ``CORPUS``, networks learn from synthetic series only. Without ``FOLDER``, they are scored
on synthetic series.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.pages import write_page
from benchmarks.report_claims.arms import ARMS
from benchmarks.report_claims.pictures import draw_arms, draw_sinusoids
from benchmarks.report_claims.scale import FULL, QUICK
from benchmarks.report_claims.scores import read_scores
from benchmarks.report_claims.sinusoids import sinusoid_curves
from benchmarks.report_claims.tables import make_tables
from benchmarks.report_claims.training import run_arm, training_costs
from benchmarks.report_claims.windows import held_out_windows, synthetic_windows


def main(given: Sequence[str] | None = None) -> None:
    """Train, score, and write tables and pictures."""
    arguments = parse_arguments(given)
    torch.set_num_threads(arguments.threads)
    scale = QUICK if arguments.quick else FULL
    settings = {
        "scale": json.loads(json.dumps(dataclasses.asdict(scale))),
        "corpus": arguments.corpus and str(arguments.corpus),
        "data": arguments.data and str(arguments.data),
    }
    check_settings(arguments.out, settings)
    if arguments.data is None:
        print("no --data: scored on synthetic series, which says little about real ones")
        datasets = synthetic_windows(scale)
    else:
        datasets = held_out_windows(arguments.data, scale)
    for name in arguments.arms:
        for seed in arguments.seeds:
            run_arm(name, seed, scale, arguments.corpus, datasets, arguments.out)
    scores = read_scores(arguments.out)
    costs = training_costs(scale, arguments.out) if scores else {}
    curves = sinusoid_curves(arguments.checkpoint, arguments.out, scale)
    tables = make_tables(scores, costs, curves, scale)
    print("\n\n".join(tables.values()))
    if arguments.page is not None:
        write_page(arguments.page, tables)
        images = arguments.page.parent / "images"
        images.mkdir(exist_ok=True)
        draw_arms(scores, images / "report_claims.png")
        draw_sinusoids(curves, images / "report_claims_sinusoids.png")


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report_claims",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, help="folder of runs and scores; goes on from them")
    parser.add_argument("--corpus", type=Path, help="shards of real series to train on")
    parser.add_argument("--data", type=Path, help="Parquet files to score on")
    parser.add_argument("--arms", nargs="*", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--checkpoint", default="timer-s1-mini", help="checkpoint that forecasts sinusoids"
    )
    parser.add_argument("--page", type=Path, help="Markdown page whose tables are replaced")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to try the program")
    return parser.parse_args(given)


def check_settings(out: Path, settings: dict[str, Any]) -> None:
    """Write the settings into a new folder; refuse a folder with results of other settings."""
    file = out / "settings.json"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    elif (found := json.loads(file.read_text(encoding="utf-8"))) != settings:
        differ = sorted(name for name in settings if settings[name] != found.get(name))
        raise ValueError(f"{out} holds results with other settings of {differ}; name another")


if __name__ == "__main__":
    main()
