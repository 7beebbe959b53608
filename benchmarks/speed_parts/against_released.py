"""Reports on networks that the released implementation and ours load from the same folder."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measuring import in_turns, markdown
from processes import Process

from speed_parts.machine import QUICK
from speed_parts.networks import useful_work

H200 = {"product": 790e12, "read": 4.3e12}
"""Operations in bfloat16 and bytes that an H200 does in a second, as measured by others."""
ITEMSIZE = {"float32": 4, "bfloat16": 2, "int8": 1}


class Way(NamedTuple):
    """One implementation and how it computes."""

    name: str
    python: str
    side: str
    options: dict[str, str]

    @property
    def kind(self) -> str:
        """Type of the products of matrices."""
        return self.options.get("quantization", self.options["dtype"])


class Case(NamedTuple):
    """A forecast to time."""

    batch: int
    context: int
    horizon: int
    repeats: int = 3


@dataclasses.dataclass(frozen=True)
class Setting:
    """What the measurements of a report share."""

    program: Path
    folder: Path
    ways: Sequence[Way]
    rounds: int
    device: str = "cpu"
    quick: bool = False  # the machine's own rates are wrong then


def ways_of(reference: str | None, own: str, dtype: str, int8: bool) -> tuple[list[Way], list[str]]:
    """List the implementations to compare, the released one first, and what is left out."""
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
    """Time every case in every way, process after process; medians over the rounds.

    Returns
    -------
    dict
        By way: what loading and a first forecast take, ``start wall s`` and ``start CPU s``;
        ``anonymous``; and of each case its ``seconds`` and the ``peak`` of memory so far. With our
        first way on a CPU the machine's own ``peaks``.
    """

    def turn(way: Way, measures_machine: bool) -> dict[str, Any]:
        with closing(Process(way.python, setting.program, way.side)) as process:
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
            if measures_machine:
                figures |= process.ask("peaks", **(QUICK if setting.quick else {}))
            return figures

    first = next(way for way in setting.ways if way.side == "ours")
    on_cpu = setting.device == "cpu"
    turns = {way.name: lambda way=way: turn(way, on_cpu and way is first) for way in setting.ways}
    return in_turns(turns, setting.rounds)


def _peak(process: Process, device: str) -> float:
    return process.ask("memory")["peak"] if device == "cpu" else process.ask("gpu_memory")


def report_cases(setting: Setting, config: Any, cases: Sequence[Case]) -> None:
    """Print a row for each case and way, and what a start takes: some read weights at first use."""
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
    print(markdown(_loads(setting.ways, found)) + "\n")


def _machine(setting: Setting, found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Rates that shares are of, and a line that states them."""
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
    needed = useful_work(config, case.batch, case.context, case.horizon)
    products = needed.flops / seconds / machine.get(way.kind, np.nan)
    reads = needed.weights * ITEMSIZE[way.kind] / seconds / machine["read"]
    return {"of the products": f"{products:.0%}", "of reading": f"{reads:.0%}"}


def _loads(ways: Sequence[Way], found: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
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
    """Print how far our forecasts are from the released ones, each routed by its own gates."""
    found = {}
    for way in setting.ways:
        with closing(Process(way.python, setting.program, way.side)) as process:
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
    """Print what a panel of mixed lengths costs."""

    def turn(way: Way) -> dict[str, float]:
        with closing(Process(way.python, setting.program, way.side)) as process:
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
    """Print what our first way spends its time on."""
    way = next(way for way in setting.ways if way.side == "ours")
    with closing(Process(way.python, setting.program, way.side)) as process:
        process.ask("load", setting.folder, device=setting.device, **way.options)
        process.ask("balance")
        details = {"context": case.context, "horizon": case.horizon, "batch": case.batch}
        process.ask("seconds", **details, repeats=1)
        print(f"```\n{process.ask('profile', **details)}\n```\n")
