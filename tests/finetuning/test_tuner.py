import json
import pickle
import random
import re
import warnings

import numpy as np
import odd_series
import pandas as pd
import pytest
import torch
from ttm import OWN

from timer_forecaster import ForecastPipeline
from timer_forecaster.adapters.base import Base
from timer_forecaster.finetuning import (
    Adapter,
    FinetuneConfig,
    TuningWarning,
    finetune,
    finetune_windows,
)
from timer_forecaster.finetuning.guards import validate
from timer_forecaster.finetuning.objectives.ttm import make_windows
from timer_forecaster.inference.frequency_warning import FrequencyWarning
from timer_forecaster.models.timer_s1 import targets as of_timer_s1
from timer_forecaster.models.ttm import targets as of_ttm

QUICK = {"steps": 12, "context_length": 128, "batch_size": 16, "horizon": 16, "learning_rate": 5e-3}


def tuned_by(pipe, adapter):
    return ForecastPipeline(pipe.key, adapter)


FAMILIES = {"pipe": of_timer_s1.TARGETS, "ttm": of_ttm.TARGETS}
EVERY_TARGET = [
    (family, target)
    for family, targets in FAMILIES.items()
    for target in targets
    if target != "channels"  # it needs known columns
]


@pytest.mark.parametrize(("family", "target"), EVERY_TARGET)
def test_every_target_learns_and_leaves_the_base_bit_identical(family, target, waves, request):
    pipe = request.getfixturevalue(family)
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


def test_what_the_report_says_of_the_loss_is_what_the_adapter_does(either, waves):
    """A second tuning starts where the first ended, to the digit."""
    config = FinetuneConfig(**QUICK)
    first = finetune(either, waves, config)
    second = finetune(tuned_by(either, first), waves, FinetuneConfig(**{**QUICK, "seed": 1}))
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


def test_what_was_tuned_before_stays_if_going_on_does_not_help(either, waves):
    first = finetune(either, waves, FinetuneConfig(**QUICK))
    harmful = FinetuneConfig(**{**QUICK, "learning_rate": 30.0})
    with pytest.warns(TuningWarning, match="What was tuned before stays"):
        second = finetune(tuned_by(either, first), waves, harmful)
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


def test_a_learning_rate_far_too_high_is_answered_by_the_identity(either, waves):
    for rate in (30.0, 1e4):
        message = refused(either, waves, "diverged", target="head", learning_rate=rate)
        assert f"a lower learning_rate than {rate:g} may help" in message


def test_a_loss_that_is_not_finite_is_answered_by_the_identity(either, waves):
    message = refused(
        either, waves, "not finite", target="full", learning_rate=1e30, weight_decay=0, steps=99
    )
    assert "was not finite in 4 of" in message


def test_collapsed_routers_are_answered_by_the_identity(waves):
    pipe = ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")
    unguarded = {"router_kl": 0, "balance_loss": 0, "batch_size": 64}
    message = refused(pipe, waves, "collapsed", target="router", learning_rate=1.0, **unguarded)
    assert "router_kl" in message


def test_what_does_not_help_is_not_kept(either, waves):
    message = refused(either, waves, "not improved", target="head", learning_rate=1e-30)
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


def test_thousands_of_series_of_any_length_with_gaps(either):
    random_ = np.random.default_rng(0)
    series = [np.sin(np.arange(n) / 3) for n in random_.integers(1, 120, size=2000)]
    for values in series[::3]:
        values[random_.random(len(values)) < 0.2] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TuningWarning)
        report = finetune(either, series, FinetuneConfig(**QUICK)).report
    assert report.n_series > 1900
    assert report.n_windows == 128


def test_the_seed_decides_and_no_global_state_is_read_or_changed(either, waves):
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    config = FinetuneConfig(target="lora", **QUICK)
    first = finetune(either, waves, config)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert random.getstate() == states[2]
    torch.manual_seed(5)
    assert finetune(either, waves, config) == first
    assert finetune(either, waves, FinetuneConfig(target="lora", seed=1, **QUICK)) != first


def test_scale_and_level_of_the_series_do_not_matter(either, waves):
    losses = [
        finetune(either, [a * w + b for w in waves], FinetuneConfig(**QUICK)).report.loss_after
        for a, b in ((1, 0), (1e8, 0), (1e-9, 0), (1, 1e6))
    ]
    np.testing.assert_allclose(losses, losses[0], rtol=2e-3)


@pytest.mark.parametrize("factor", [1e170, 1e-170, -1e170, 1e300, 1e-300, 2.0**-1040])
def test_series_of_extreme_sizes_are_tuned_as_others(either, waves, factor):
    config = FinetuneConfig(steps=3, context_length=64)
    gaps = [np.where(np.arange(len(wave)) % 37 == 5, np.nan, wave) for wave in waves[:4]]
    expected = finetune(either, [np.sign(factor) * wave for wave in gaps], config)
    assert expected.report.improved
    found = finetune(either, [factor * wave for wave in gaps], config)
    np.testing.assert_allclose(found.report.training, expected.report.training, rtol=1e-5)
    assert found.report.loss_after == pytest.approx(expected.report.loss_after, rel=1e-5)
    for name, value in expected.weights.items():
        assert torch.allclose(found.weights[name], value, atol=1e-4)


@pytest.mark.parametrize("factor", [1e170, 1e-170, 1e300])
def test_windows_of_extreme_sizes_are_tuned_as_others(either, waves, factor):
    config = FinetuneConfig(steps=2)
    rows = np.stack([waves[0][start : start + 108] for start in range(0, 180, 4)])
    expected = finetune_windows(either, rows[:, :96], rows[:, 96:], config)
    found = finetune_windows(either, factor * rows[:, :96], factor * rows[:, 96:], config)
    assert found.report.loss_after == pytest.approx(expected.report.loss_after, rel=1e-5)
    assert found.report.status == expected.report.status


def test_series_of_extreme_sizes_count_as_much_as_others(either, waves):
    config = FinetuneConfig(steps=2, context_length=64)
    expected = finetune(either, waves[:3], config)
    mixed = [wave * factor for wave, factor in zip(waves, (1e170, 1e-170, 1.0), strict=False)]
    found = finetune(either, mixed, config)
    np.testing.assert_allclose(found.report.training, expected.report.training, rtol=1e-5)


@pytest.mark.parametrize("values", [0.0, 5.0, -1e170, 1e-310, 1e15])
def test_constant_series_have_nothing_to_tune_on(either, values):
    with pytest.raises(ValueError, match="nothing to train on; one of them at least must vary"):
        finetune(either, np.full(300, values), FinetuneConfig(steps=2))


def test_noise_of_rounding_is_a_constant_as_in_a_forecast(either, waves):
    with pytest.raises(ValueError, match="must vary"):
        finetune(either, waves[0] + 1e16, FinetuneConfig(steps=2))


def test_windows_and_what_follows_them_tune_too(either, waves):
    rows = np.stack([w[start : start + 144] for start in range(0, 150, 10) for w in waves])
    adapter = finetune_windows(either, rows[:, :128], rows[:, 128:], FinetuneConfig(**QUICK))
    assert adapter.report.status == "improved"
    assert adapter.report.n_windows == round(0.2 * len(rows))
    near = finetune_windows(
        either, rows[:, :128], rows[:, 128:], FinetuneConfig(**{**QUICK, "horizon": 4})
    )
    first_steps = finetune_windows(
        either, rows[:, :128], rows[:, 128:132], FinetuneConfig(**{**QUICK, "horizon": 4})
    )
    assert near.report.loss_before == first_steps.report.loss_before
    with pytest.raises(ValueError, match="3 contexts and 2 targets"):
        finetune_windows(either, rows[:3, :128], rows[:2, 128:])


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


def test_there_are_ten_validations_at_most(either, waves):
    config = FinetuneConfig(**{**QUICK, "steps": 19, "learning_rate": 1e-4, "patience": 99})
    assert len(finetune(either, waves, config).report.validation) == 1 + 10


def test_series_that_show_nothing_are_refused(either):
    with pytest.raises(ValueError, match="nothing to train on"):
        finetune(either, np.ones(100))
    with pytest.raises(ValueError, match=r"series\[0\] is infinite at step 1"):
        finetune(either, [1.0, np.inf, 2.0])


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
    titles = [axes.get_title(loc="left") for axes in (before, after)]
    assert [title.split()[-1] for title in titles] == ["before", "after"], titles
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


# --- TinyTimeMixer --------------------------------------------------------------------------


def median_error(pipe, series, horizon=16):
    """Mean absolute error of the median in the newest steps, which the tuning validates by."""
    found = pipe.predict([values[:-horizon] for values in series], horizon).median
    return np.abs(found - np.stack([values[-horizon:] for values in series])).mean()


@pytest.mark.parametrize("target", [None, "full"])
def test_forecasts_of_a_pattern_become_better(ttm, waves, target):
    config = FinetuneConfig(**{**QUICK, "steps": 60, "batch_size": 32}, target=target)
    adapter = finetune(ttm, waves, config)
    assert adapter.target == target or adapter.target == "decoder+head"
    assert median_error(tuned_by(ttm, adapter), waves) < median_error(ttm, waves) / 2


def test_each_family_has_a_target_of_its_own(either, waves):
    adapter = finetune(either, waves, FinetuneConfig(**{**QUICK, "steps": 1}, target="auto"))
    expected = {"timer-s1-test": "router+head", "ttm-test": "decoder+head"}[either.key.name]
    assert adapter.target == adapter.report.target == adapter.record["config"]["target"] == expected


@pytest.mark.parametrize(
    ("family", "target"),
    [
        ("pipe", "decoder+head"),
        ("pipe", "quantile-head"),
        ("ttm", "router"),
        ("ttm", "router+head"),
    ],
)
def test_targets_of_the_other_family_are_refused(family, target, waves, request):
    own = {"pipe": "Timer-S1.*'router'", "ttm": "TinyTimeMixer.*'quantile-head'"}[family]
    with pytest.raises(ValueError, match=rf"target='{re.escape(target)}': {own}"):
        finetune(request.getfixturevalue(family), waves, FinetuneConfig(target=target))


def test_a_mixer_has_no_hot_experts(ttm, waves):
    config = FinetuneConfig(target="lora", hot_experts=0.5, **QUICK)
    with pytest.raises(ValueError, match=r"hot_experts=0.5: the network has no experts"):
        finetune(ttm, waves, config)


def test_two_finetunings_never_influence_each_other(either, waves):
    """In whatever order they are made."""
    others = [np.arange(300.0) % 17 for _ in waves]
    config = FinetuneConfig(**QUICK)
    first = finetune(either, waves, config)
    expected = tuned_by(either, first).predict(waves, 16).quantiles
    second = finetune(either, others, config)
    np.testing.assert_array_equal(tuned_by(either, first).predict(waves, 16).quantiles, expected)
    assert finetune(either, waves, config) == first
    assert finetune(either, others, config) == second != first


def test_a_tuned_pipeline_pickles_with_little_beside_its_adapter(either, waves):
    adapter = finetune(either, waves, FinetuneConfig(**QUICK))
    pipe = tuned_by(either, adapter)
    stored = pickle.dumps(pipe)
    assert len(stored) - len(pickle.dumps(adapter)) < 5000
    again = pickle.loads(stored)  # noqa: S301
    expected = pipe.predict(waves, 16).quantiles
    np.testing.assert_array_equal(again.predict(waves, 16).quantiles, expected)


def test_a_checkpoint_of_points_gets_a_trained_quantile_head(ttm_points, waves, tmp_path):
    config = FinetuneConfig(**{**QUICK, "steps": 40, "batch_size": 32}, target="quantile-head")
    adapter = finetune(ttm_points, waves, config)
    assert adapter.report.improved, adapter.report
    assert adapter.architecture["multi_quantile_head"] is True
    assert all(name.startswith("multi_quantile_head_block.") for name in adapter.weights)
    tuned = tuned_by(ttm_points, adapter)
    before, after = (one.predict(waves, 16) for one in (ttm_points, tuned))
    assert set(before.calibration) == {"own"}
    assert set(after.calibration) == {"trained"}
    assert after.levels == before.levels
    assert (np.diff(after.quantiles, axis=-1) > 0).all()
    points = ttm_points.network(*inputs_of(ttm_points, waves)).prediction_outputs
    ours = tuned.network(*inputs_of(ttm_points, waves)).prediction_outputs
    torch.testing.assert_close(ours, points, rtol=1e-5, atol=1e-5)
    loaded = Adapter.load(adapter.save(tmp_path / "adapter"))
    assert loaded == adapter
    assert loaded.architecture == adapter.architecture
    again = tuned_by(ttm_points, pickle.loads(pickle.dumps(loaded)))  # noqa: S301
    np.testing.assert_array_equal(again.predict(waves, 16).quantiles, after.quantiles)
    further = finetune(tuned, waves, FinetuneConfig(**{**QUICK, "seed": 1}, target="quantile-head"))
    assert further.report.loss_before == pytest.approx(adapter.report.loss_after, rel=1e-5)
    assert further.architecture == adapter.architecture


def inputs_of(pipe, series):
    values = np.stack([values[-pipe.network.config.context_length :] for values in series])
    return (torch.from_numpy(values).float()[..., None],)


def test_a_quantile_head_that_does_not_help_is_not_kept(ttm_points, waves):
    refused(ttm_points, waves, "diverged", target="quantile-head", learning_rate=30.0)


@pytest.mark.parametrize("target", ["head", "decoder+head", "norms", "lora", "full"])
def test_checkpoints_of_points_are_tuned_by_their_absolute_error(ttm_points, waves, target):
    adapter = finetune(ttm_points, waves, FinetuneConfig(target=target, **QUICK))
    assert adapter.report.improved
    assert not adapter.architecture
    contexts = [values[-144:-16] for values in waves]
    windows = make_windows(
        ttm_points.network, contexts, np.stack([values[-16:] for values in waves])
    )
    seen = validate(ttm_points.network, [windows])
    for loss, context, values in zip(seen.losses, contexts, waves, strict=True):
        point = ttm_points.network(
            torch.from_numpy((context - context.mean()) / context.std())[None, :, None]
        )
        found = point.prediction_outputs[0, :16, 0].numpy()
        error = (values[-16:] - context.mean()) / context.std() - found
        assert loss == pytest.approx(np.abs(error).mean(), rel=1e-4)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
@pytest.mark.parametrize("target", ["decoder+head", "lora"])
def test_mixers_of_other_types_are_tuned(waves, dtype, target):
    pipe = ForecastPipeline.from_pretrained("ttm-test", device="cpu", dtype=dtype)
    adapter = finetune(pipe, waves, FinetuneConfig(target=target, **QUICK))
    assert adapter.report.improved
    assert tuned_by(pipe, adapter).network.dtype == getattr(torch, dtype)
    ours = tuned_by(pipe, adapter).predict(waves, 16).quantiles
    assert np.abs(ours - pipe.predict(waves, 16).quantiles).max() > 1e-3


def test_the_report_of_a_mixer_draws_its_losses(ttm, waves, tmp_path):
    adapter = finetune(ttm, waves, FinetuneConfig(**QUICK))
    assert adapter.report.expert_use_before == []
    figure = Adapter.load(adapter.save(tmp_path / "adapter")).report.plot()
    assert len(figure.axes) == 1


@pytest.mark.parametrize("target", ["decoder+head", "quantile-head"])
def test_checkpoints_that_read_frequencies_are_tuned_at_them(target, waves):
    """The losses that are validated are those of forecasts at the same frequencies."""
    base = ForecastPipeline.from_pretrained(OWN / "r2_ft", device="cpu")
    settings = FinetuneConfig(target=target, steps=4, batch_size=4, horizon=20, seed=2)
    series, freq = waves[:3], ["h", "D", "60min"]
    adapter = finetune(base, series, settings, freq=freq)
    again = finetune(base, series, settings, freq=["1h", pd.offsets.Day(), "H"])
    other = finetune(base, series, settings, freq="15min")
    assert again.report.loss_before == adapter.report.loss_before
    assert other.report.loss_before != adapter.report.loss_before
    hours = [
        pd.Series(own, pd.date_range("2024-01-01", periods=len(own), freq="h")) for own in series
    ]
    dated, given = finetune(base, hours, settings), finetune(base, series, settings, freq="h")
    assert dated.report.training == given.report.training
    with pytest.warns(FrequencyWarning) as caught:
        finetune(base, series, settings, freq=["h", "MS", "MS"])
    assert sum(one.category is FrequencyWarning for one in caught) == 1
    rows, after = [w[:90] for w in waves], np.stack([w[90:110] for w in waves])
    tuned = finetune_windows(base, rows, after, settings, freq="D")
    assert tuned.report.n_windows > 0
    with pytest.raises(ValueError, match="freq has 2 frequencies for 3 series"):
        finetune(base, series, settings, freq=["h", "D"])
