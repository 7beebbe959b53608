"""Compiled training computes what plain training does."""

import json

import pytest

from timer_forecaster.pretraining import PretrainingConfig, pretrain


@pytest.mark.slow
def test_a_compiled_run_has_the_same_losses(settings, tmp_path):
    stage = settings["stages"][1] | {"steps": 8}
    settings["architecture"]["dropout_rate"] = 0.0
    settings |= {"stages": [stage], "gradient_accumulation": 2}
    config = PretrainingConfig.from_mapping(settings)
    losses = []
    for compiled in (False, True):
        folder = tmp_path / str(compiled)
        pretrain(config, folder, device="cpu", compile_blocks=compiled)
        records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        losses.append([record["loss"] for record in records])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
