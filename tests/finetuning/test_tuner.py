import json
import random
import warnings

import numpy as np
import odd_series
import pytest
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.adapters.base import Base
from timer_forecaster.finetuning import (
    Adapter,
    FinetuneConfig,
    TuningWarning,
    finetune,
    finetune_windows,
)
from timer_forecaster.models.timer_s1.targets import TARGETS

QUICK = {"steps": 12, "context_length": 128, "batch_size": 16, "horizon": 16, "learning_rate": 5e-3}


def tuned_by(pipe, adapter):
    return ForecastPipeline(pipe.key, adapter)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_learns_and_leaves_the_base_bit_identical(pipe, waves, target):
    shared = {name: value.clone() for name, value in pipe.network.state_dict().items()}
    before = pipe.predict(waves, 16).quantiles
    adapter = finetune(pipe, waves, FinetuneConfig(target=target, **QUICK))
    report = adapter.report
    assert report.status == "improved", report
    assert report.loss_after < report.loss_before
    assert report.loss_after == min(loss for _, loss in report.validation)
    assert report.n_parameters == adapter.n_parameters > 0
    ours = tuned_by(pipe, adapter).predict(waves, 16).quantiles
    assert np.abs(ours - before).max() > 1e-4
    np.testing.assert_array_equal(pipe.predict(waves, 16).quantiles, before)
    for name, value in pipe.network.state_dict().items():
        assert torch.equal(value, shared[name]), name


def test_what_the_report_says_of_the_loss_is_what_the_adapter_does(pipe, waves):
    """A second tuning starts where the first ended, to the digit."""
    config = FinetuneConfig(**QUICK)
    first = finetune(pipe, waves, config)
    second = finetune(tuned_by(pipe, first), waves, FinetuneConfig(**{**QUICK, "seed": 1}))
    assert second.report.loss_before == pytest.approx(first.report.loss_after, rel=1e-6)
    assert second.report.loss_after <= second.report.loss_before


def test_a_tuning_goes_on_with_its_own_target_alone(pipe, waves):
    adapter = finetune(pipe, waves, FinetuneConfig(target="head", **QUICK))
    with pytest.raises(ValueError, match="target='router': the pipeline has an adapter of 'head'"):
        finetune(tuned_by(pipe, adapter), waves, FinetuneConfig(target="router", **QUICK))


def test_settings_that_a_further_tuning_cannot_follow_are_refused(pipe, waves):
    lora = FinetuneConfig(target="lora", lora_rank=4, **QUICK)
    tuned = tuned_by(pipe, finetune(pipe, waves, lora))
    with pytest.raises(ValueError, match="lora_rank=8: the pipeline has an adapter of rank 4"):
        finetune(tuned, waves, FinetuneConfig(target="lora", **QUICK))
    hot = FinetuneConfig(target="lora", lora_rank=4, hot_experts=0.5, **QUICK)
    with pytest.raises(ValueError, match=r"hot_experts=0.5: the pipeline has an adapter"):
        finetune(tuned, waves, hot)


def test_an_adapter_with_part_of_a_target_is_tuned_as_a_whole(pipe, waves):
    name = "model.norm.weight"
    weight = pipe.network.get_parameter(name) * 1.01
    part = Adapter(Base.of(pipe.key), "norms", {name: weight})
    whole = finetune(tuned_by(pipe, part), waves, FinetuneConfig(target="norms", **QUICK))
    assert whole.n_parameters > part.n_parameters


def test_what_was_tuned_before_stays_if_going_on_does_not_help(pipe, waves):
    first = finetune(pipe, waves, FinetuneConfig(**QUICK))
    harmful = FinetuneConfig(**{**QUICK, "learning_rate": 30.0})
    with pytest.warns(TuningWarning, match="What was tuned before stays"):
        second = finetune(tuned_by(pipe, first), waves, harmful)
    assert second == first
    assert second.report.loss_after == second.report.loss_before


def test_arguments_that_are_something_else_are_refused(pipe, waves):
    with pytest.raises(TypeError, match="config='head' must be a FinetuneConfig"):
        finetune(pipe, waves, "head")
    with pytest.raises(TypeError, match="pipe='timer-s1-test' must be"):
        finetune("timer-s1-test", waves)
    with pytest.raises(ValueError, match="targets has shape"):
        finetune_windows(pipe, [[1.0, 2.0]], [1.0])
    with pytest.raises(ValueError, match="targets must be rows of equally many"):
        finetune_windows(pipe, [[1.0, 2.0], [2.0, 3.0]], [[1.0], [1.0, 2.0]])


def refused(pipe, waves, status, **settings):
    """Tune in a way that must fail, and check that nothing of it was kept."""
    with pytest.warns(TuningWarning) as caught:
        adapter = finetune(pipe, waves, FinetuneConfig(**{**QUICK, **settings}))
    report = adapter.report
    assert report.status == status, report
    assert [str(warning.message) for warning in caught] == [report.message]
    assert caught[0].filename == __file__
    assert adapter.is_identity
    assert report.loss_after == report.loss_before
    np.testing.assert_array_equal(
        tuned_by(pipe, adapter).predict(waves, 16).quantiles, pipe.predict(waves, 16).quantiles
    )
    return report.message


def test_a_learning_rate_far_too_high_is_answered_by_the_identity(pipe, waves):
    for rate in (30.0, 1e4):
        message = refused(pipe, waves, "diverged", target="head", learning_rate=rate)
        assert f"a lower learning_rate than {rate:g} may help" in message


def test_a_loss_that_is_not_finite_is_answered_by_the_identity(pipe, waves):
    message = refused(
        pipe, waves, "not finite", target="full", learning_rate=1e30, weight_decay=0, steps=99
    )
    assert "was not finite in 4 of" in message


def test_collapsed_routers_are_answered_by_the_identity(waves):
    pipe = ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")
    unguarded = {"router_kl": 0, "balance_loss": 0, "batch_size": 64}
    message = refused(pipe, waves, "collapsed", target="router", learning_rate=1.0, **unguarded)
    assert "router_kl" in message


def test_what_does_not_help_is_not_kept(pipe, waves):
    message = refused(pipe, waves, "not improved", target="head", learning_rate=1e-30)
    assert "did not improve" in message


def test_the_penalty_keeps_routing_near_that_of_the_base(pipe, waves):
    def change(router_kl):
        config = FinetuneConfig(
            **{**QUICK, "learning_rate": 0.05}, target="router", router_kl=router_kl, patience=99
        )
        report = finetune(pipe, waves, config).report
        use = np.array(report.expert_use_before), np.array(report.expert_use_after)
        return np.abs(use[1] - use[0]).max()

    assert change(100.0) < change(0.0) / 2


def test_one_series_of_forty_points_is_enough():
    pipe = ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")
    series = np.sin(np.arange(40) / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TuningWarning)
        adapter = finetune(pipe, series, FinetuneConfig(steps=5))
    assert adapter.report.n_series == 1
    assert adapter.report.loss_after <= adapter.report.loss_before


def test_thousands_of_series_of_any_length_with_gaps(pipe):
    random_ = np.random.default_rng(0)
    series = [np.sin(np.arange(n) / 3) for n in random_.integers(1, 120, size=2000)]
    for values in series[::3]:
        values[random_.random(len(values)) < 0.2] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TuningWarning)
        report = finetune(pipe, series, FinetuneConfig(**QUICK)).report
    assert report.n_series > 1900
    assert report.n_windows == 128


def test_the_seed_decides_and_no_global_state_is_read_or_changed(pipe, waves):
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    config = FinetuneConfig(target="lora", **QUICK)
    first = finetune(pipe, waves, config)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert random.getstate() == states[2]
    torch.manual_seed(5)
    assert finetune(pipe, waves, config) == first
    assert finetune(pipe, waves, FinetuneConfig(target="lora", seed=1, **QUICK)) != first


def test_scale_and_level_of_the_series_do_not_matter(pipe, waves):
    losses = [
        finetune(pipe, [a * w + b for w in waves], FinetuneConfig(**QUICK)).report.loss_after
        for a, b in ((1, 0), (1e8, 0), (1e-9, 0), (1, 1e6))
    ]
    np.testing.assert_allclose(losses, losses[0], rtol=2e-3)


@pytest.mark.parametrize("factor", [1e170, 1e-170, -1e170, 1e300, 1e-300, 2.0**-1040])
def test_series_of_extreme_sizes_are_tuned_as_others(pipe, waves, factor):
    config = FinetuneConfig(steps=3, context_length=64)
    gaps = [np.where(np.arange(len(wave)) % 37 == 5, np.nan, wave) for wave in waves[:4]]
    expected = finetune(pipe, [np.sign(factor) * wave for wave in gaps], config)
    assert expected.report.improved
    found = finetune(pipe, [factor * wave for wave in gaps], config)
    np.testing.assert_allclose(found.report.training, expected.report.training, rtol=1e-5)
    assert found.report.loss_after == pytest.approx(expected.report.loss_after, rel=1e-5)
    for name, value in expected.weights.items():
        assert torch.allclose(found.weights[name], value, atol=1e-4)


@pytest.mark.parametrize("factor", [1e170, 1e-170, 1e300])
def test_windows_of_extreme_sizes_are_tuned_as_others(pipe, waves, factor):
    config = FinetuneConfig(steps=2)
    rows = np.stack([waves[0][start : start + 108] for start in range(0, 180, 4)])
    expected = finetune_windows(pipe, rows[:, :96], rows[:, 96:], config)
    found = finetune_windows(pipe, factor * rows[:, :96], factor * rows[:, 96:], config)
    assert found.report.loss_after == pytest.approx(expected.report.loss_after, rel=1e-5)
    assert found.report.status == expected.report.status


def test_series_of_extreme_sizes_count_as_much_as_others(pipe, waves):
    config = FinetuneConfig(steps=2, context_length=64)
    expected = finetune(pipe, waves[:3], config)
    mixed = [wave * factor for wave, factor in zip(waves, (1e170, 1e-170, 1.0), strict=False)]
    found = finetune(pipe, mixed, config)
    np.testing.assert_allclose(found.report.training, expected.report.training, rtol=1e-5)


@pytest.mark.parametrize("values", [0.0, 5.0, -1e170, 1e-310, 1e15])
def test_constant_series_have_nothing_to_tune_on(pipe, values):
    with pytest.raises(ValueError, match="nothing to train on; one of them at least must vary"):
        finetune(pipe, np.full(300, values), FinetuneConfig(steps=2))


def test_noise_of_rounding_is_a_constant_as_in_a_forecast(pipe, waves):
    with pytest.raises(ValueError, match="must vary"):
        finetune(pipe, waves[0] + 1e16, FinetuneConfig(steps=2))


def test_windows_and_what_follows_them_tune_too(pipe, waves):
    rows = np.stack([w[start : start + 144] for start in range(0, 150, 10) for w in waves])
    adapter = finetune_windows(pipe, rows[:, :128], rows[:, 128:], FinetuneConfig(**QUICK))
    assert adapter.report.status == "improved"
    assert adapter.report.n_windows == round(0.2 * len(rows))
    near = finetune_windows(
        pipe, rows[:, :128], rows[:, 128:], FinetuneConfig(**{**QUICK, "horizon": 4})
    )
    first_steps = finetune_windows(
        pipe, rows[:, :128], rows[:, 128:132], FinetuneConfig(**{**QUICK, "horizon": 4})
    )
    assert near.report.loss_before == first_steps.report.loss_before
    with pytest.raises(ValueError, match="3 contexts and 2 targets"):
        finetune_windows(pipe, rows[:3, :128], rows[:2, 128:])


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_hot_experts_are_those_most_used(pipe, waves, share):
    config = FinetuneConfig(target="lora", hot_experts=share, **QUICK)
    adapter = finetune(pipe, waves, config)
    use = np.array(adapter.report.expert_use_before)
    n_hot = int(np.ceil(share * use.shape[1]))
    widened = {name.rsplit(".", 3)[0] for name in adapter.weights if ".experts." in name}
    blocks = ["model.layers.0", "mtp_modules.0.layer"][: len(use)]
    hot = {
        f"{block}.ffn_layer.experts.{number}"
        for block, shares in zip(blocks, use, strict=True)
        for number in np.argsort(-shares, kind="stable")[:n_hot]
    }
    assert widened == hot


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_pipelines_of_other_types_are_tuned(waves, dtype):
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype=dtype)
    adapter = finetune(pipe, waves, FinetuneConfig(**QUICK))
    assert adapter.report.improved
    ours = tuned_by(pipe, adapter).predict(waves, 16).quantiles
    assert np.abs(ours - pipe.predict(waves, 16).quantiles).max() > 1e-3


def test_random_networks_and_callers_without_gradients_work(waves):
    sizes = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_attention_heads": 4,
        "num_experts": 4,
        "num_hidden_layers": 1,
        "num_mtp_tokens": 1,
    }
    pipe = ForecastPipeline.from_pretrained(None, config=sizes, device="cpu")
    for own in (pipe, ForecastPipeline.from_pretrained("timer-s1-test", dtype="bfloat16")):
        with torch.inference_mode():
            adapter = finetune(own, waves, FinetuneConfig(**QUICK))
        assert adapter.report.improved


def test_there_are_ten_validations_at_most(pipe, waves):
    config = FinetuneConfig(**{**QUICK, "steps": 19, "learning_rate": 1e-4, "patience": 99})
    assert len(finetune(pipe, waves, config).report.validation) == 1 + 10


def test_series_that_show_nothing_are_refused(pipe):
    with pytest.raises(ValueError, match="nothing to train on"):
        finetune(pipe, np.ones(100))
    with pytest.raises(ValueError, match=r"series\[0\] is infinite at step 1"):
        finetune(pipe, [1.0, np.inf, 2.0])


def test_the_report_survives_its_file_and_draws_itself(pipe, waves, tmp_path):
    adapter = finetune(pipe, waves, FinetuneConfig(**QUICK))
    loaded = Adapter.load(adapter.save(tmp_path / "adapter"))
    assert loaded == adapter
    assert str(loaded.report) == str(adapter.report)
    assert json.loads(json.dumps(dict(loaded.record))) == loaded.record
    assert loaded.record["config"]["target"] == "router+head"
    figure = loaded.report.plot()
    curves, before, after = figure.axes[:3]
    assert {line.get_label() for line in curves.get_lines()} >= {"training", "validation"}
    assert (before.get_title(), after.get_title()) == ("before", "after")
    figure.savefig(tmp_path / "tuning.png")


def test_progress_is_shown_on_request(pipe, waves, capsys):
    finetune(pipe, waves, FinetuneConfig(**QUICK), progress=True)
    assert "tune: 100%" in capsys.readouterr().err
    finetune(pipe, waves, FinetuneConfig(**QUICK))
    assert not capsys.readouterr().err


@pytest.mark.parametrize("name", odd_series.NO_NUMBERS)
def test_series_that_hold_no_numbers_are_refused(pipe, name):
    make, words = odd_series.NO_NUMBERS[name]
    with pytest.raises(TypeError, match=words):
        finetune(pipe, make())
    with pytest.raises(TypeError, match=words):
        finetune_windows(pipe, make(), np.zeros((1, 2)))


def test_targets_that_hold_no_numbers_are_refused(pipe, waves):
    rows = np.zeros((2, 40))
    for targets in (
        np.ones((2, 3), dtype="timedelta64[s]"),
        np.ones((2, 3)) + 1j,
        torch.ones(2, 3) + 1j,
        np.ones((2, 3)).astype(str),
    ):
        with pytest.raises(ValueError, match="targets must be rows of equally many numbers"):
            finetune_windows(pipe, rows, targets)


def test_containers_and_types_change_nothing(pipe, waves):
    settings = {**QUICK, "steps": 2}
    small = {name: np.uint8(value) for name, value in settings.items() if type(value) is int}
    expected = finetune(pipe, list(waves), FinetuneConfig(**settings))
    masked = [np.ma.masked_invalid(values) for values in waves]
    found = finetune(pipe, dict(enumerate(masked)), FinetuneConfig(**(settings | small)))
    assert found.report.validation == expected.report.validation
