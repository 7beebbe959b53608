r"""Speed and memory, as ratios against the released implementation, the machine and other models.

    python -m venv reference
    reference/bin/pip install sktime==1.2.0 skpro transformers==4.57.6 accelerate torch
    python -m venv statsforecast
    statsforecast/bin/pip install statsforecast
    python benchmarks/speed.py --work FOLDER --reference-python reference/bin/python \
        --statsforecast-python statsforecast/bin/python

Prints tables of markdown and, with ``--page docs/performance.md``, puts them there; that page says
how the figures are taken and what they mean. ``--only`` chooses parts; the network of released size
is written into the folder once (17 GB), and ``--sizes`` makes it smaller.

full      the released sizes in bfloat16, and ours in int8: time, memory, shares of the machine
small     35.7 M parameters in float32: a long roll-out, a panel of mixed lengths
embedded  timer-s1-mini: a panel, against the released implementation and classical forecasters
panel     timer-s1-mini: cost of a series and memory as the panel grows
growth    cost by context, horizon and batch
neighbour wall time with default settings beside a busy process
startup   from the start of a process to an import or a first forecast
peers     Darts' foundation models, randomly initialised
gpu       the released sizes on a GPU (only where asked for)
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import markdown, write_page
from processes import answer_for
from speed_parts import against_released, networks, own, peers, sides, startup
from speed_parts.against_released import Case, Setting

PROGRAM = Path(__file__)
CONTEXTS = (2880, 11520)
QUICK_CASES = (Case(1, 64, 32, 1), Case(2, 64, 400, 1))
SMALL_CASES = (Case(1, 2880, 80), Case(64, 512, 80), Case(8, 11520, 720, repeats=2))


def full(arguments: argparse.Namespace, device: str = "cpu") -> None:
    """Report on the network of released size."""
    from timer_forecaster.models.timer_s1 import as_architecture

    config = as_architecture(arguments.sizes)
    ways, left_out = against_released.ways_of(
        arguments.reference_python, sys.executable, "bfloat16", int8=device == "cpu"
    )
    _say_left_out(left_out)
    folder = networks.write_checkpoint(arguments.work / "full", arguments.sizes, "bfloat16")
    setting = Setting(PROGRAM, folder, ways, arguments.rounds, device, arguments.quick)
    cases = QUICK_CASES if arguments.quick else full_cases(config, device)
    against_released.report_cases(setting, config, cases)
    against_released.report_agreement(setting, cases[0])
    if device == "cuda":
        against_released.report_profile(setting, cases[0])


def full_cases(config: Any, device: str) -> tuple[Case, ...]:
    """Choose forecasts of one pass, 272 steps of the released sizes, and one of 720 of them."""
    one_pass = (config.num_mtp_tokens + 1) * config.input_token_len
    if device == "cuda":
        return tuple(Case(batch, context, one_pass) for batch in (1, 64) for context in CONTEXTS)
    short, long = CONTEXTS
    return (
        Case(1, short, one_pass),
        Case(1, short, one_pass * 720 // 272, repeats=2),
        Case(1, long, one_pass, repeats=2),
        Case(64, short, one_pass, repeats=1),
    )


def gpu(arguments: argparse.Namespace) -> None:
    """Report on the network of released size on a GPU: wall time, and shares of an H200."""
    full(arguments, device="cuda")


def small(arguments: argparse.Namespace) -> None:
    """Report on 35.7 M parameters in float32."""
    from timer_forecaster.models.timer_s1 import as_architecture

    ways, left_out = against_released.ways_of(
        arguments.reference_python, sys.executable, "float32", int8=False
    )
    _say_left_out(left_out)
    folder = _small_checkpoint(arguments)
    setting = Setting(PROGRAM, folder, ways, arguments.rounds, quick=arguments.quick)
    cases = (Case(2, 64, 100, 1),) if arguments.quick else SMALL_CASES
    against_released.report_cases(setting, as_architecture(networks.SMALL), cases)
    against_released.report_agreement(setting, cases[0])
    against_released.report_ragged(setting, 4 if arguments.quick else 400, 48, 1)


def embedded(arguments: argparse.Namespace) -> None:
    """Report on the embedded checkpoint beside sktime's class and classical forecasters."""
    ask_statsforecast = None
    if arguments.statsforecast_python:
        ask_statsforecast = own.asker(arguments.statsforecast_python, PROGRAM, "statsforecast")
    classical = own.classical_questions(
        own.asker(sys.executable, PROGRAM, "ours"), ask_statsforecast, arguments.budget
    )
    own.report_embedded(
        sys.executable,
        arguments.reference_python,
        classical,
        series=4 if arguments.quick else 1000,
        slow_series=2 if arguments.quick else 100,
        rounds=arguments.rounds,
    )


def panel(arguments: argparse.Namespace) -> None:
    """Report on the embedded checkpoint as the panel grows."""
    sizes = (2, 4) if arguments.quick else (10, 100, 1000, 10_000)
    own.report_panel_growth(own.asker(sys.executable, PROGRAM, "ours"), sizes, arguments.rounds)


def growth(arguments: argparse.Namespace) -> None:
    """Report on the embedded and the small network by context, horizon and batch."""
    for name, contexts, checkpoint in (
        (own.MINI, (512, 128, 1024, 2048, 4096), own.MINI),
        ("35.7 M parameters", (2880, 512, 5760, 11520), _small_checkpoint(arguments)),
    ):
        print(f"#### {name}\n")
        own.report_growth(
            sys.executable,
            PROGRAM,
            checkpoint,
            contexts=contexts[:2] if arguments.quick else contexts,
            horizons=(16,) if arguments.quick else (80, 16, 272, 720),
            batches=(2,) if arguments.quick else (1, 8, 64),
            repeats=1 if arguments.quick else 3,
        )


def neighbour(arguments: argparse.Namespace) -> None:
    """Report on wall time where every core but one is busy."""
    own.report_neighbour(
        sys.executable,
        arguments.reference_python,
        PROGRAM,
        series=2 if arguments.quick else 64,
        rounds=arguments.rounds,
    )


def report_startup(arguments: argparse.Namespace) -> None:
    """Report on the time until an import is done or a first forecast made."""
    found = startup.startup(1 if arguments.quick else 2 * arguments.rounds + 1)
    rows = [{"": name} | figures for name, figures in found.items()]
    print(markdown(rows) + "\n")


def report_peers(arguments: argparse.Namespace) -> None:
    """Report on Darts' foundation models."""
    similar = networks.write_checkpoint(arguments.work / "similar", peers.SIMILAR, "float32")
    ask = own.asker(sys.executable, PROGRAM, "ours")
    own.report_darts(ask, similar, n=2 if arguments.quick else 64, rounds=arguments.rounds)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "full": full,
    "small": small,
    "embedded": embedded,
    "panel": panel,
    "growth": growth,
    "neighbour": neighbour,
    "startup": report_startup,
    "peers": report_peers,
    "gpu": gpu,
}


def _small_checkpoint(arguments: argparse.Namespace) -> Path:
    return networks.write_checkpoint(arguments.work / "small", networks.SMALL, "float32")


def _say_left_out(names: list[str]) -> None:
    for name in names:
        print(f"Left out: {name}.\n")


def main() -> None:
    """Print the parts that are asked for."""
    arguments = parse_arguments()
    if arguments.answer_for:
        answer_for(arguments.answer_for, sides.QUESTIONS)
        return
    for part in arguments.only:
        print(f"### {part}\n")
        try:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                PARTS[part](arguments)
        finally:
            print(printed.getvalue(), flush=True)
        if arguments.page:
            write_page(arguments.page, {part: printed.getvalue().strip()})


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, help="folder for checkpoints, which are kept")
    parser.add_argument("--reference-python", help="python with sktime's class; or left out")
    parser.add_argument("--statsforecast-python", help="python with statsforecast; or left out")
    parser.add_argument(
        "--only", type=_parts, default=[part for part in PARTS if part != "gpu"], help="a,b,c"
    )
    parser.add_argument("--page", type=Path, help="markdown page whose tables are replaced")
    parser.add_argument("--rounds", type=int, default=3, help="medians are taken over")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds, of a slow forecaster")
    parser.add_argument(
        "--sizes",
        type=_sizes,
        default={},
        help="of the full network, where not the released: num_hidden_layers=3,num_mtp_tokens=2",
    )
    parser.add_argument("--quick", action="store_true", help="tiny cases: does it run?")
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
