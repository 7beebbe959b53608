"""The command `finetune`."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster.cli.common import (
    add_checkpoint,
    add_loading_options,
    load_pipeline,
)
from timer_forecaster.cli.settings import add_settings, given_settings
from timer_forecaster.cli.table import add_table, print_reading, read_table
from timer_forecaster.files import UnwritableError, check_new_folder
from timer_forecaster.finetuning.config import LORA_SETTINGS, FinetuneConfig

if TYPE_CHECKING:
    from timer_forecaster.finetuning import Adapter

_NAMES = {"target": "tune"}  # --target names columns


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.usage = "%(prog)s DATA --output FOLDER [options]"
    parser.description = (
        "Finetune a few weights of a checkpoint to every target column, for every id, of a file, "
        "and write them to a folder, which `forecast --adapter` and `evaluate --adapter` "
        "take. The newest steps of each series are not trained on: they decide when to stop, and "
        "whether the result is kept. With --adapter, its target is the default of --tune."
    )
    network = parser.add_argument_group("the checkpoint")
    add_checkpoint(network)
    add_loading_options(network)
    add_table(parser)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="write the adapter to this folder, which must not exist yet",
    )
    training = parser.add_argument_group("how to finetune: the defaults are a good start")
    add_settings(training, FinetuneConfig, names=_NAMES)


def run(arguments: argparse.Namespace) -> None:
    """Finetune to the series of the file, write the adapter, and print the report."""
    if arguments.output.exists():
        raise ValueError(f"cannot write {arguments.output}: it exists")
    check_new_folder(arguments.output)
    from timer_forecaster.frames.panel import Panel

    config = _config(arguments)
    read = read_table(arguments)
    panel = Panel.of_columns(
        read.frame, read.time_column, read.id_column, read.target_columns, arguments.freq
    )
    series = panel.series()
    print_reading(arguments, read)
    from timer_forecaster import finetuning

    pipeline = load_pipeline(arguments.checkpoint, arguments)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", finetuning.TuningWarning)
        adapter = finetuning.finetune(
            pipeline, series, config, progress=sys.stderr.isatty(), freq=panel.steps()
        )
    folder, problem = _saved(adapter, arguments.output)
    _print_report(adapter, [str(warning.message) for warning in caught])
    _print_size(adapter, folder)
    if problem is not None:
        raise problem


def _saved(adapter: Adapter, output: Path) -> tuple[Path, Exception | None]:
    """Save an adapter, if need be in another place than asked for; return place and problem."""
    try:
        return adapter.save(output), None
    except UnwritableError as error:
        problem = error
    for place in (tempfile.gettempdir(), Path.home()):
        with contextlib.suppress(OSError):
            folder = adapter.save(Path(tempfile.mkdtemp(dir=place, prefix="adapter-"), output.name))
            text = f"{problem}. The adapter was saved as {folder} instead: move it from there"
            return folder, ValueError(text)
    raise ValueError(f"{problem}. No other place could be written to: the adapter is lost")


def _config(arguments: argparse.Namespace) -> FinetuneConfig:
    """Return the settings that were given, and the defaults of the others."""
    given = given_settings(arguments, FinetuneConfig, names=_NAMES)
    target = _target(arguments)
    for name in LORA_SETTINGS:
        if name in given and target != "lora":
            raise ValueError(f"--{name.replace('_', '-')} needs --tune lora")
    return FinetuneConfig(**given if target is None else {**given, "target": target})


def _target(arguments: argparse.Namespace) -> str | None:
    """Return the target of the options or, without one, of the adapter."""
    from timer_forecaster.adapters.adapter import as_adapter

    adapter = as_adapter(arguments.adapter)
    if adapter is None or adapter.target == arguments.tune:
        return arguments.tune
    if arguments.tune is None:
        return adapter.target
    if not adapter.is_identity:
        raise ValueError(
            f"--tune {arguments.tune}: --adapter {arguments.adapter} is one of {adapter.target}, "
            "which finetuning continues; leave one of the two out"
        )
    return arguments.tune


def _print_report(adapter: Adapter, messages: list[str]) -> None:
    """Print warnings to stderr, and the report without the sentences that they hold already."""
    report = str(adapter.report)
    for message in messages:
        print(f"timer-forecaster: warning: {message}", file=sys.stderr)
        report = report.removeprefix(f"{message}\n")
    print(report)


def _print_size(adapter: Adapter, folder: Path) -> None:
    n_bytes = sum(file.stat().st_size for file in folder.iterdir())
    size = f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"
    content = f"{adapter.n_parameters:,} parameters"
    if adapter.is_identity:
        content = "no parameters, which changes nothing"
    print(f"Adapter of {content}: {size} -> {folder}")
