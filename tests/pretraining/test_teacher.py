"""A larger checkpoint teaches a TinyTimeMixer."""

import dataclasses

import numpy as np
import pytest
import torch

from timer_forecaster.inference import ForecastPipeline
from timer_forecaster.models.ttm.objective import quantile_distance
from timer_forecaster.pretraining import TTMPretrainingConfig, pretrain, trainer
from timer_forecaster.pretraining.data import BatchSource
from timer_forecaster.pretraining.teacher import TaughtBatch
from timer_forecaster.pretraining.ttm import QuantileObjective, TTMFamily

CPU = torch.device("cpu")


@pytest.fixture
def taught_settings(ttm_settings):
    return ttm_settings | {"teacher": {"checkpoint": "timer-s1-test", "share": 1.0}}


def batches(settings, steps):
    source = BatchSource(TTMPretrainingConfig.from_mapping(settings), CPU)
    return [source.batch(step)[0] for step in steps]


def test_the_teacher_forecasts_what_the_network_sees(taught_settings):
    (batch,) = batches(taught_settings, [0])
    assert isinstance(batch, TaughtBatch) and batch.taught.shape == (32, 9, 16)
    assert not batch.observed.all()  # a short context and gaps among them
    values = torch.where(batch.observed > 0, batch.past, torch.nan).double().numpy()
    rows = [row[np.isfinite(row).argmax() :] for row in values]
    expected = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu").predict(rows, 16)
    np.testing.assert_allclose(batch.taught.mT, expected.quantiles, atol=1e-5)


def test_every_second_pass_changes_the_sign(taught_settings):
    first, second = batches(taught_settings, [0, 2])
    for name in ("past", "targets"):
        assert torch.equal(getattr(second, name), -getattr(first, name))
    assert torch.equal(second.taught, -first.taught.flip(1))
    assert torch.equal(second.observed, first.observed)


def test_batches_of_later_passes_do_not_depend_on_the_steps_before(taught_settings):
    in_order = batches(taught_settings, range(4))[3]
    (alone,) = batches(taught_settings, [3])
    assert all(torch.equal(one, other) for one, other in zip(in_order, alone, strict=True))


def test_the_loss_mixes_true_values_and_the_teacher(taught_settings):
    (batch,) = batches(taught_settings, [0])
    family = TTMFamily(TTMPretrainingConfig.from_mapping(taught_settings))
    network = family.network().eval()
    true, distance, mixed = (
        QuantileObjective(network, False, CPU, share)(batch)[0] for share in (0.0, 1.0, 0.25)
    )
    assert true != distance
    torch.testing.assert_close(mixed, 0.75 * true + 0.25 * distance)


def test_the_distance_counts_known_steps_alone():
    quantiles, taught = torch.randn(2, 2, 9, 16)
    known = torch.zeros(2, 16, dtype=torch.bool)
    assert quantile_distance(quantiles, taught, known) == 0
    known[0, 3] = True
    step = (taught[0, :, 3].asinh() - quantiles[0, :, 3].asinh()).abs().mean()
    torch.testing.assert_close(quantile_distance(quantiles, taught, known), step)


def test_a_taught_run_comes_closer_to_its_teacher_and_resumes(
    taught_settings, tmp_path, monkeypatch
):
    config = TTMPretrainingConfig.from_mapping(taught_settings)
    records = []
    pretrain(config, tmp_path / "straight", device="cpu", on_record=records.append)
    losses = [record["loss"] for record in records]
    assert losses[-1] < 0.9 * losses[0]
    train_step = trainer._Run._train_step

    def stop(run):
        if run.step == 7:  # in the second pass of a pool
            raise KeyboardInterrupt
        return train_step(run)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trainer._Run, "_train_step", stop)
        pretrain(config, tmp_path / "stopped", device="cpu")
    resumed = pretrain(config, tmp_path / "stopped", device="cpu")
    assert resumed.metrics["validation_loss"] == records[-1]["validation_loss"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher": {"checkpoint": "timer-s1-test", "share": 1.5}}, "share=1.5 must lie between"),
        ({"teacher": {"share": 0.5}}, "checkpoint"),
        ({"teacher": {"checkpoint": "timer-s1-test", "weight": 1}}, "weight"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(ttm_settings, changes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TTMPretrainingConfig.from_mapping(ttm_settings | changes)


def test_levels_must_survive_a_change_of_sign(taught_settings):
    config = TTMPretrainingConfig.from_mapping(taught_settings)
    odd = dataclasses.replace(config.architecture, quantile_levels=(0.1, 0.5, 0.8))
    with pytest.raises(ValueError, match=r"symmetric about 0\.5"):
        dataclasses.replace(config, architecture=odd)
