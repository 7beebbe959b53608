r"""Speed and memory, as ratios against the released implementation, the machine and other models.

    python -m venv reference
    reference/bin/pip install sktime==1.2.0 skpro transformers==4.57.6 accelerate torch
    python -m venv peers
    peers/bin/pip install statsforecast chronos-forecasting timesfm
    peers/bin/pip install datasets deprecated scikit-learn torch
    peers/bin/pip install --no-deps granite-tsfm
    python -m benchmarks.speed --work FOLDER --reference-python reference/bin/python \
        --peers-python peers/bin/python

granite-tsfm comes without its dependencies, because it refuses the torch of the others. The program
prints tables in Markdown, each with its date and machine. With ``--page docs/performance.md`` it
puts them into that page, which explains the figures. ``--only`` chooses parts. The network of
released size is written into the folder once (17 GB); ``--sizes`` makes it smaller.

full      the released sizes in bfloat16, and ours in int8: time, memory, shares of the machine
small     35.7 M parameters in float32: a long roll-out, a panel of mixed lengths
peers     the embedded checkpoints, the released implementation, other foundation models of random
          weights through Darts and their own packages, and classical forecasters
panel     timer-s1-mini: cost of a series and memory as the panel grows
growth    cost by context, horizon and batch
neighbor  wall time with default settings beside a busy process
startup   from the start of a process to an import or a first forecast; size of the package
gpu       the released sizes on a GPU (only where asked for)
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

from benchmarks.pages import write_page
from benchmarks.processes import answer_for
from benchmarks.speed.machine_rates import describe_machine
from benchmarks.speed.parts import PARTS
from benchmarks.speed.questions import QUESTIONS


def main(given: Sequence[str] | None = None) -> None:
    """Print the parts that the command line asks for."""
    arguments = parse_arguments(given)
    if arguments.answer_for:
        answer_for(arguments.answer_for, QUESTIONS)
        return
    for part in arguments.only:
        print(f"### {part}\n")
        try:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                print(f"`--only {part}`, {describe_machine()}.\n")
                PARTS[part](arguments)
        finally:
            print(printed.getvalue(), flush=True)
        if arguments.page:
            write_page(arguments.page, {part: printed.getvalue().strip()})


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--work", type=Path, help="folder for checkpoints, which are kept")
    parser.add_argument("--reference-python", help="python with sktime's class; default: left out")
    parser.add_argument(
        "--peers-python", help="python with the packages of other forecasters; default: left out"
    )
    parser.add_argument(
        "--only",
        type=_parts,
        default=[part for part in PARTS if part != "gpu"],
        help=f"parts, separated by commas: {', '.join(PARTS)}; default: all but gpu",
    )
    parser.add_argument("--page", type=Path, help="Markdown page whose tables are replaced")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that medians are taken over")
    parser.add_argument(
        "--sizes",
        type=_sizes,
        default={},
        help="sizes of the full network that differ from the released ones: "
        "num_hidden_layers=3,num_mtp_tokens=2",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the program")
    parser.add_argument("--answer-for", help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if not (arguments.work or arguments.answer_for):
        parser.error("--work is needed: a folder for the checkpoints that are written")
    return arguments


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown parts {unknown}; there are {list(PARTS)}")
    return parts


def _sizes(text: str) -> dict[str, int]:
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name: int(value) for name, _, value in pairs}


if __name__ == "__main__":
    main()
