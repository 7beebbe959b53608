"""Command line of the training data: ``python -m timer_forecaster.corpus pack FOLDER OUTPUT``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from timer_forecaster.corpus.real import HELD_OUT, HELD_OUT_SERIES, pack, summary_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command given by `arguments` (default: those of the process)."""
    parser = argparse.ArgumentParser(prog="python -m timer_forecaster.corpus")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("pack", help="gather Parquet files of series into one archive")
    command.add_argument("folder", type=Path, help="holds <dataset>__<freq>.parquet files")
    command.add_argument("output", type=Path, help="the .npz file to write")
    command.add_argument("--seed", type=int, default=0, help="seed of the choice of series")
    command.add_argument(
        "--held-out", action="store_true", help="gather what is kept out of training, to validate"
    )
    options = parser.parse_args(arguments)
    datasets: Sequence[str] | None = None
    series: Sequence[str] = HELD_OUT_SERIES
    if options.held_out:
        stems = {file.stem for file in options.folder.glob("*.parquet")}
        datasets, series = sorted(stems - set(HELD_OUT)), ()
    summaries = pack(options.folder, options.output, datasets, series, seed=options.seed)
    print(summary_table(summaries))
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
