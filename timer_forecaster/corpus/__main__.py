"""Command line of the training data: ``python -m timer_forecaster.corpus pack FOLDER OUTPUT``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from timer_forecaster.corpus.real import pack, summary_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command given by `arguments` (default: those of the process)."""
    parser = argparse.ArgumentParser(prog="python -m timer_forecaster.corpus")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("pack", help="gather Parquet files of series into one archive")
    command.add_argument("folder", type=Path, help="holds <dataset>__<freq>.parquet files")
    command.add_argument("output", type=Path, help="the .npz file to write")
    command.add_argument("--seed", type=int, default=0, help="seed of the choice of series")
    options = parser.parse_args(arguments)
    summaries = pack(options.folder, options.output, seed=options.seed)
    print(summary_table(summaries))
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
