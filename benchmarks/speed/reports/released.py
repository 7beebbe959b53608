"""Report on networks that the released implementation and ours load from the same folder."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.measuring import in_turns
from benchmarks.pages import markdown
from benchmarks.processes import Process
from benchmarks.speed.asking import start
from benchmarks.speed.machine_rates import QUICK
from benchmarks.speed.useful_work import useful_work

H200 = {"product": 790e12, "read": 4.3e12}
"""Operations in bfloat16 and bytes that an H200 does in a second, as others measured them."""
ITEMSIZE = {"float32": 4, "bfloat16": 2, "int8": 1}


class Way(NamedTuple):
    """One implementation, and the options with which it computes."""

    name: str
    python: str
    side: str
    options: dict[str, str]

    @property
    def kind(self) -> str:
        """Type of the products of matrices."""
        return self.options.get("quantization", self.options["dtype"])


class Case(NamedTuple):
    """Size of a forecast whose time is taken."""

    batch: int
    context: int
    horizon: int
    repeats: int = 3


@dataclasses.dataclass(frozen=True)
class Setting:
    """The parts that all measurements of a report share.

    Attributes
    ----------
    folder : Path
        Checkpoint.
    ways : sequence of Way
        The first one is the reference.
    rounds : int
        Medians are taken over them.
    device : {"cpu", "cuda"}
    quick : bool
        The rates of the machine are taken in a short run, and are wrong.
    """

    folder: Path
    ways: Sequence[Way]
    rounds: int
    device: str = "cpu"
    quick: bool = False


def ways_of(reference: str | None, own: str, dtype: str, int8: bool) -> tuple[list[Way], list[str]]:
    """Return the implementations to compare, the released one first, and the ones left out.

    Parameters
    ----------
    reference, own : str
        Interpreters of the released implementation and of ours.
    dtype : str
        Type of both.
    int8 : bool
        Whether ours is timed with 8-bit integers too.
    """
    found, left_out = [], []
    if reference:
        found.append(Way(f"released, {dtype}", reference, "released", {"dtype": dtype}))
    else:
        left_out.append("the released implementation: --reference-python is not given")
    found.append(Way(f"ours, {dtype}", own, "ours", {"dtype": dtype}))
    if int8:
        options = {"dtype": dtype, "quantization": "int8"}
        found.append(Way("ours, int8", own, "ours", options))
    return found, left_out


def measure_cases(setting: Setting, cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Time every case in every way, one process after the other.

    Returns
    -------
    dict
        By way, medians over the rounds: ``start wall s`` and ``start CPU s`` of loading and a first
        forecast; of each case its ``seconds``, and the ``peak`` of memory so far; ``anonymous``
        memory at the end. Our first way on a CPU has the rates of the machine as well.
    """
    first = next(way for way in setting.ways if way.side == "ours")
    rates_from = first if setting.device == "cpu" else None
    turns = {
        way.name: lambda way=way: _measure(setting, cases, way, way is rates_from)
        for way in setting.ways
    }
    return in_turns(turns, setting.rounds)


def _measure(setting: Setting, cases: Sequence[Case], way: Way, with_rates: bool) -> dict[str, Any]:
    """Time every case in one way, in a new process."""
    with closing(start(way.python, way.side)) as process:
        load = process.ask("load", setting.folder, device=setting.device, **way.options)
        process.ask("balance")
        size = {"context": cases[0].context, "horizon": cases[0].horizon}
        first_forecast = process.ask("first_forecast", **size, batch=cases[0].batch)
        figures = {f"start {clock}": load[clock] + first_forecast[clock] for clock in load}
        for case in cases:
            details = case._asdict()
            figures[f"{case} seconds"] = statistics.median(process.ask("seconds", **details))
            figures[f"{case} peak"] = _peak(process, setting.device)
        figures["anonymous"] = process.ask("memory")["anonymous"]
        if with_rates:
            figures |= process.ask("machine_rates", **(QUICK if setting.quick else {}))
        return figures


def _peak(process: Process, device: str) -> float:
    return process.ask("memory")["peak"] if device == "cpu" else process.ask("gpu_memory")


def report_cases(setting: Setting, config: Any, cases: Sequence[Case]) -> None:
    """Print a row for each case and way, then a table of the starts.

    A start is loading and a first forecast, as some ways read weights when they are first used.
    """
    found = measure_cases(setting, cases)
    machine = _machine(setting, found)
    rows = []
    for case in cases:
        for way in setting.ways:
            seconds = found[way.name][f"{case} seconds"]
            reference = found[setting.ways[0].name][f"{case} seconds"]
            row = {
                "batch": case.batch,
                "context": case.context,
                "horizon": case.horizon,
                "implementation": way.name,
                "seconds": seconds,
                f"times faster than {setting.ways[0].name}": reference / seconds,
                "peak GB": found[way.name][f"{case} peak"],
                "tokens/s": case.batch * -(-case.context // config.input_token_len) / seconds,
            }
            rows.append(row | _shares(config, case, way, seconds, machine))
    print(markdown(rows) + "\n")
    print(markdown(_starts(setting.ways, found)) + "\n")


def _machine(setting: Setting, found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the best rates of the machine, a second; print those that were measured."""
    if setting.device == "cuda":
        return {"bfloat16": H200["product"], "float32": np.nan, "read": H200["read"]}
    figures = next(each for each in found.values() if "read" in each)
    kinds = ("float32", "bfloat16", "int8")
    print(
        "This machine's own products, 10⁹ operations a CPU second: "
        + ", ".join(f"{kind} {figures[kind]:,.0f}" for kind in kinds)
        + f"; it reads {figures['read']:.1f} GB a CPU second.\n"
    )
    return {name: figures[name] * 1e9 for name in (*kinds, "read")}


def _shares(
    config: Any, case: Case, way: Way, seconds: float, machine: Mapping[str, float]
) -> dict[str, Any]:
    """Return the shares of the machine's rates that a forecast reaches."""
    needed = useful_work(config, case.batch, case.context, case.horizon)
    products = needed.flops / seconds / machine.get(way.kind, np.nan)
    reads = needed.weights * ITEMSIZE[way.kind] / seconds / machine["read"]
    return {"of the products": f"{products:.0%}", "of reading": f"{reads:.0%}"}


def _starts(ways: Sequence[Way], found: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    return [
        {
            "implementation": way.name,
            "load and first forecast, wall s": found[way.name]["start wall s"],
            "load and first forecast, CPU s": found[way.name]["start CPU s"],
            "anonymous GB at the end": found[way.name]["anonymous"],
        }
        for way in ways
    ]


def report_agreement(setting: Setting, case: Case) -> None:
    """Print the difference of our forecasts from the released ones, without balanced routing."""
    found = {}
    for way in setting.ways:
        with closing(start(way.python, way.side)) as process:
            process.ask("load", setting.folder, device=setting.device, **way.options)
            answer = process.ask("forecast", context=case.context, horizon=case.horizon)
            found[way.name] = np.array(answer)
    (name, reference), *others = found.items()
    for other, quantiles in others:
        difference = np.sqrt(np.mean((quantiles - reference) ** 2))
        print(
            f"{other} and {name}, with the routers of the checkpoint: forecasts of {case.horizon} "
            f"steps differ by {difference:.1e} (root of the mean square, in standard deviations "
            f"of the series; the forecasts' own spread is {reference.std():.1e}).\n"
        )


def report_ragged(setting: Setting, n: int, horizon: int, repeats: int) -> None:
    """Print the time of a panel of `n` series of mixed lengths."""

    def turn(way: Way) -> dict[str, float]:
        with closing(start(way.python, way.side)) as process:
            process.ask("load", setting.folder, **way.options)
            process.ask("balance")
            answer = process.ask("ragged_seconds", n=n, horizon=horizon, repeats=repeats)
            return {"seconds": statistics.median(answer)}

    turns = {way.name: lambda way=way: turn(way) for way in setting.ways}
    found = in_turns(turns, setting.rounds)
    reference = found[setting.ways[0].name]["seconds"]
    rows = [
        {
            "implementation": name,
            "seconds": figures["seconds"],
            "ms a series": 1000 * figures["seconds"] / n,
            f"times faster than {setting.ways[0].name}": reference / figures["seconds"],
        }
        for name, figures in found.items()
    ]
    print(f"{n} series of mixed lengths, {horizon} steps:\n\n{markdown(rows)}\n")


def report_profile(setting: Setting, case: Case) -> None:
    """Print the operations on which our first way spends its time."""
    way = next(way for way in setting.ways if way.side == "ours")
    with closing(start(way.python, way.side)) as process:
        process.ask("load", setting.folder, device=setting.device, **way.options)
        process.ask("balance")
        details = {"context": case.context, "horizon": case.horizon, "batch": case.batch}
        process.ask("seconds", **details, repeats=1)
        print(f"```\n{process.ask('profile', **details)}\n```\n")
