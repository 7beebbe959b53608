"""The commands `corpus build` and `corpus describe`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster.cli.common import TABLE_ROWS, needs_extra
from timer_forecaster.cli.help import show_examples
from timer_forecaster.cli.output import check_outputs, check_picture, save_picture
from timer_forecaster.cli.settings import add_settings, given_settings
from timer_forecaster.corpus.curation import Curation
from timer_forecaster.corpus.excerpt import Excerpt

if TYPE_CHECKING:
    from timer_forecaster.corpus.manifest import Manifest


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the two commands and their options."""
    parser.description = (
        "A corpus is a folder of series in Parquet shards, which `pretrain` draws windows from."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, about, add in (
        ("build", "write series as shuffled shards", _add_build),
        ("describe", "table of the data sets", _add_describe),
    ):
        parser = commands.add_parser(name, help=about)
        show_examples(parser, f"corpus {name}")
        add(parser)


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=build)
    parser.usage = "%(prog)s SOURCE OUT [options]"
    parser.description = (
        "Write the series of a folder as compressed Parquet shards with a manifest. The data sets "
        "and series that serve validation and examples are left out."
    )
    add = parser.add_argument
    add("source", type=Path, metavar="SOURCE", help="folder of <dataset>__<frequency>.parquet")
    add("out", type=Path, metavar="OUT", help="folder to write; absent or empty")
    add("--exclude", nargs="+", default=[], metavar="NAME", help="further data sets to leave out")
    add(
        "--held-out",
        action="store_true",
        help="gather the held-out data sets, to validate, instead",
    )
    add(
        "--half",
        choices=("A", "B"),
        help="with --held-out: the data sets to choose settings on (A), or to confirm them (B)",
    )
    for name, default, about in (
        ("--shard-megabytes", 50.0, "most of a shard"),
        ("--memory-megabytes", 256.0, "most of the series that are shuffled at once"),
    ):
        add(name, type=float, default=default, metavar="MB", help=f"{about}; default: {default:g}")
    add("--seed", type=int, default=0, help="seed of the shuffle; default: 0")
    add_settings(parser, Excerpt)
    add(
        "--curate",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="remove outliers and series without significant dependence on their past; default: "
        "--no-curate",
    )
    add_settings(parser, Curation, condition="with --curate: ")


def _add_describe(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=describe)
    parser.description = "Print the data sets of a corpus: their sizes, and two measures of each."
    add = parser.add_argument
    add("corpus", type=Path, metavar="CORPUS", help="folder written by `corpus build`")
    add("--plot", type=Path, metavar="FILE.png", help="draw the complexity plane here")
    add(
        "--sample",
        type=int,
        default=50,
        metavar="SERIES",
        help="of each data set, for ADF statistic and forecastability; default: 50",
    )
    add("--against", type=Path, metavar="FOLDER", help="search for values shared with this data")


@needs_extra("pretrain")
def build(arguments: argparse.Namespace) -> None:
    """Write the corpus, and print its size and the number of series that were left out."""
    from timer_forecaster.corpus import shards
    from timer_forecaster.corpus.held_out import HELD_OUT_SERIES

    manifest = shards.build(
        arguments.source,
        arguments.out,
        _excluded(arguments),
        () if arguments.held_out else HELD_OUT_SERIES,
        _curation(arguments),
        arguments.shard_megabytes,
        arguments.memory_megabytes,
        arguments.seed,
        _excerpt(arguments),
        progress=sys.stderr.isatty(),
    )
    _print_manifest(arguments.out, manifest)


def _excluded(arguments: argparse.Namespace) -> Sequence[str]:
    """Return the names of the data sets that stay out of the corpus."""
    from timer_forecaster.corpus.held_out import HELD_OUT, held_out_half
    from timer_forecaster.corpus.sources import source_files

    if not arguments.held_out:
        if arguments.half is not None:
            raise ValueError(f"--half {arguments.half} needs --held-out")
        return [*HELD_OUT, *arguments.exclude]
    kept = HELD_OUT if arguments.half is None else held_out_half(arguments.half)
    names = [file.stem for file in source_files(arguments.source)]
    return [*(name for name in names if name not in kept), *arguments.exclude]


def _curation(arguments: argparse.Namespace) -> Curation | None:
    given = given_settings(arguments, Curation)
    if given and not arguments.curate:
        raise ValueError(f"--{next(iter(given)).replace('_', '-')} needs --curate")
    return Curation(**given) if arguments.curate else None


def _excerpt(arguments: argparse.Namespace) -> Excerpt | None:
    given = given_settings(arguments, Excerpt)
    return Excerpt(**given) if given else None


def _print_manifest(out: Path, manifest: Manifest) -> None:
    size = sum(shard.bytes for shard in manifest.shards) / 1e6
    print(
        f"{out}: {len(manifest.datasets)} data sets, {manifest.series} series, "
        f"{manifest.points} points in {len(manifest.shards)} shards, {size:.1f} MB"
    )
    dropped: Counter[str] = Counter()
    for entry in manifest.datasets:
        dropped.update(entry.dropped_series)
    for reason, count in dropped.most_common():
        print(f"{count} series left out: {reason}")


@needs_extra("pretrain")
def describe(arguments: argparse.Namespace) -> None:
    """Print a table of the data sets, draw it, and search for values shared with other data."""
    from timer_forecaster.corpus import complexity

    check_outputs({"--plot": arguments.plot})
    check_picture(arguments.plot)
    table = complexity.describe(arguments.corpus, arguments.sample)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    print(
        f"total: {len(table)} data sets, {table['series'].sum()} series, "
        f"{table['points'].sum()} points"
    )
    if arguments.plot is not None:
        save_picture(complexity.plot_complexity(table), arguments.plot)
        print(f"-> {arguments.plot}")
    if arguments.against is not None:
        _print_shared_runs(arguments)


def _print_shared_runs(arguments: argparse.Namespace) -> None:
    from timer_forecaster.corpus.overlap import find_shared_runs

    runs = find_shared_runs(arguments.corpus, arguments.against)
    print(f"{len(runs)} runs of values shared with {arguments.against}")
    for run in runs[:TABLE_ROWS]:
        print(
            f"  {run.length} {run.kind} values: {run.dataset} {run.item_id} from step {run.start}, "
            f"{run.other_dataset} {run.other_item_id} from step {run.other_start}"
        )
