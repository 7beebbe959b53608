"""The commands that write, with small inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.kills import contents
from benchmarks.kills.killing import Work

FORMATS = ("csv", "csv.gz", "parquet", "json", "xlsx")
"""Formats of `forecast --output`. A format that the command refuses is left out."""

MODEL = "timer-s1-test"
_TABLE = ["../inputs/sales.csv", "--time-column", "day", "--id-column", "shop"]
_TABLE += ["--target", "sold", "--checkpoint", MODEL]


@dataclasses.dataclass(frozen=True)
class Case:
    """A command that writes.

    Parameters
    ----------
    name : str
    work : callable
        Runs the command in the working folder.
    read : callable
        Returns the contents of its output.
    earlier : callable, optional
        Makes the output that is there before.
    resumes : bool
        Whether its output grows, so that a part of it may be found after a kill.
    once : bool
        Whether it refuses to write when its output is there.
    parts : str, optional
        A folder that a kill may leave, from which the next run goes on.
    """

    name: str
    work: Work
    read: contents.Read
    earlier: Work | None = None
    resumes: bool = False
    once: bool = False
    parts: str | None = None


def command(*words: Any) -> Work:
    """Return the work of a command."""

    def work() -> int:
        from timer_forecaster import cli

        return cli.main([str(word) for word in words])

    return work


def cases() -> list[Case]:
    """Return all commands that write, and the functions that write adapters over others."""
    return [
        *(_forecast(f"forecast --output {ending}", f"out.{ending}") for ending in FORMATS),
        _forecast("forecast --plot png", "out.png", "--plot", contents.picture("out.png")),
        _forecast("forecast --report", "out.html", "--report", contents.report("out.html")),
        _streamed(),
        _backtest(),
        Case("finetune", _finetune(), contents.adapter, once=True),
        Case(
            "convert",
            command("convert", MODEL, "--output", "out"),
            contents.checkpoint,
            once=True,
        ),
        Case(
            "corpus build",
            command("corpus", "build", "../inputs/source", "out", "--shard-megabytes", 0.005),
            contents.corpus,
            once=True,
        ),
        Case("evaluate", _evaluate(), contents.results, resumes=True),
        Case(
            "pretrain",
            command("pretrain", "../inputs/run.yaml", "--output", "out", "--device", "cpu"),
            contents.training,
            resumes=True,
        ),
        Case("Adapter.save", _save("ababab"), contents.adapter, _save("a")),
        Case(
            "Adapter.to_peft",
            _save("ababab", "to_peft"),
            contents.peft_adapter,
            _save("a", "to_peft"),
        ),
    ]


def _forecast(
    name: str, output: str, option: str = "--output", read: contents.Read | None = None
) -> Case:
    """Return the case of a forecast that replaces a shorter one."""
    words = ["forecast", *_TABLE, option, output]
    return Case(
        name,
        command(*words, "--horizon", 5),
        read or contents.table(output),
        command(*words, "--horizon", 3),
    )


def _streamed() -> Case:
    """Return the case of a forecast into a folder, which resumes from its finished partitions."""
    words = ["forecast", *_TABLE, "--horizon", 5, "--output", "out", "--partition-rows", 60]
    return Case("forecast --output folder", command(*words), contents.partitions, resumes=True)


def _backtest() -> Case:
    """Return the case of a backtest that replaces a shorter one, and resumes from its parts."""
    words = ["backtest", *_TABLE, "--output", "out.csv", "--windows", 2]
    return Case(
        "backtest",
        command(*words, "--horizon", 5),
        contents.table("out.csv"),
        command(*words, "--horizon", 3),
        parts="out.csv.parts",
    )


def _finetune() -> Work:
    sizes = ["--steps", 4, "--batch-size", 4, "--context-length", 48, "--horizon", 16]
    return command("finetune", *_TABLE, *sizes, "--output", "out")


def _evaluate() -> Work:
    words = ["--data", "../inputs/benchmark", "--checkpoint", MODEL, "--baseline", "naive"]
    return command("evaluate", *words, "--output", "results.csv", "--plot", "scores.png")


def _save(names: Sequence[str], method: str = "save") -> Work:
    """Return the work of saving adapters to one folder, one after the other."""

    def work() -> int:
        for name in names:
            getattr(_adapter(1 if name == "a" else 2), method)("out")
        return 0

    return work


def _adapter(scale: int) -> Any:
    import torch

    from timer_forecaster.adapters import Adapter, Base
    from timer_forecaster.checkpoints.key import NetworkKey

    layer = "model.layers.0.self_attn.q_proj"
    pair = {"A": torch.full((2, 16), 0.1 * scale), "B": torch.full((16, 2), 0.1)}
    weights = {f"{layer}.lora_{side}.weight": value for side, value in pair.items()}
    key = NetworkKey.resolve(MODEL, None, "cpu", "float32")
    return Adapter(Base.of(key), "lora", weights, {"scale": scale})


def write_inputs(folder: Path) -> None:
    """Write the inputs of all cases, unless they are there."""
    import numpy as np
    import pandas as pd
    import yaml

    if folder.exists():
        return
    random = np.random.default_rng(0)
    (folder / "source").mkdir(parents=True)
    (folder / "benchmark").mkdir()
    days = pd.date_range("2024-01-01", periods=120)
    sold = np.arange(120) % 7 + random.normal(size=120) / 10
    shops = [pd.DataFrame({"shop": name, "day": days, "sold": sold}) for name in "ab"]
    pd.concat(shops).to_csv(folder / "sales.csv", index=False)
    walks = [random.normal(size=500).cumsum().astype(np.float32) for _ in range(20)]
    for stem in ("walks__D", "others__H"):
        items = [f"s{i}" for i in range(len(walks))]
        frame = pd.DataFrame({"item_id": items, "freq": stem[-1], "target": walks})
        frame.to_parquet(folder / "source" / f"{stem}.parquet")
    for name, freq, steps in (("ett1__W", "W", 60), ("shop__D", "D", 90)):
        series = list(10 + random.normal(size=(3, steps)))
        frame = pd.DataFrame({"freq": freq, "target": series})
        frame.to_parquet(folder / "benchmark" / f"{name}.parquet")
    (folder / "run.yaml").write_text(yaml.safe_dump(_run_settings()))


def _run_settings() -> dict[str, Any]:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    sizes |= {"num_mtp_tokens": 1, "num_attention_heads": 2, "num_experts": 2}
    stage = {"tokens_per_step": 64, "window_patches": 8, "learning_rate": 2e-3}
    return {
        "architecture": sizes,
        "data": {"families": {"clean_periodic": 1}},
        "stages": [stage | {"name": "first", "steps": 4}, stage | {"name": "second", "steps": 4}],
        "log_every": 1,
        "checkpoint_every": 2,
        "bfloat16": False,
    }
