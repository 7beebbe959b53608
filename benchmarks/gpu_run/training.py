"""The training: a constant learning rate for most of the time, then a decay that fits."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu_run.files import hand_over
from benchmarks.gpu_run.report import Report
from benchmarks.gpu_run.settings import with_decay
from timer_forecaster.pretraining import PretrainingConfig, pretrain

CONSTANT_SHARE = 0.65
"""Share of the time at a constant learning rate."""
SAFETY = 0.9
"""Share of the steps that fit by the clock; the others pay for validation and checkpoints."""


def train(
    config: PretrainingConfig,
    arguments: argparse.Namespace,
    compiled: bool,
    folder: Path,
    end: float,
    report: Report,
) -> None:
    """Train until a time, hand the weights over at each checkpoint, and report the losses.

    Parameters
    ----------
    config : PretrainingConfig
        Settings of `benchmarks.gpu_run.settings.settings_of`.
    arguments : argparse.Namespace
        Of the program.
    compiled : bool
        Whether blocks are compiled.
    folder : Path
        Receives the run.
    end : float
        End of the training on the monotonic clock.
    report : Report
        Its folder receives the weights.
    """
    records: list[dict[str, Any]] = []

    def on_record(record: dict[str, Any]) -> None:
        records.append(record)
        print(json.dumps(record), flush=True)

    def run(settings: PretrainingConfig, share: float) -> None:
        pretrain(
            settings,
            folder,
            device=arguments.device,
            compile_blocks=compiled,
            on_record=on_record,
            seconds=max(0.1, share * (end - time.monotonic())),
            checkpoint_seconds=arguments.checkpoint_seconds,
            on_checkpoint=lambda written: hand_over(
                written, report.folder, arguments.file_megabytes
            ),
        )

    run(config, CONSTANT_SHARE)
    rate = statistics.median(record["tokens_per_second"] for record in records)
    seconds = max(0.0, end - time.monotonic())
    steps = max(1, int(SAFETY * seconds * rate / arguments.tokens_per_step))
    run(with_decay(config, records[-1]["step"], steps), 1.0)
    report(_table(records))
    report(f"{records[-1]['step']} steps of {arguments.tokens_per_step} patches, {rate:,.0f} a s")


def _table(records: list[dict[str, Any]]) -> str:
    """Return the losses of validation of all checkpoints as a table in Markdown."""
    validated = [record for record in records if any("validation_" in name for name in record)]
    losses = [name for name in validated[0] if name.startswith(("validation_", "averaged_"))]
    rows = [["step", "stage", *losses], ["---"] * (len(losses) + 2)]
    for record in validated:
        values = [f"{record[name]:.4f}" for name in losses]
        rows.append([str(record["step"]), record["stage"], *values])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
