"""Rates, stages and corpora of a run, whatever the family."""

import pytest

from timer_forecaster.pretraining import PretrainingConfig, TTMPretrainingConfig


@pytest.fixture(params=["timer-s1", "ttm"])
def values(request, settings, ttm_settings):
    return settings if request.param == "timer-s1" else ttm_settings


def config_of(values):
    kind = TTMPretrainingConfig if values.get("model") == "ttm" else PretrainingConfig
    return kind.from_mapping(values)


def test_rates_warm_up_stay_and_fall(values):
    first, second = config_of(values).stages
    assert [first.learning_rate_at(step) for step in (2, 13)] == [5e-3, 5e-3]
    assert first.learning_rate_at(0) == pytest.approx(5e-3 / 3)
    assert second.learning_rate_at(0) == 5e-3
    assert second.learning_rate_at(5) == pytest.approx((5e-3 + 1e-4) / 2)
    assert second.inherited_factor_at(0) == 1.0


def test_steps_are_located_in_stages(values):
    config = config_of(values)
    assert config.steps == 24
    assert config.locate(13)[1] == 13
    assert config.locate(14) == (config.stages[1], 0)
    with pytest.raises(ValueError, match="1 steps after the last of 24"):
        config.locate(25)


def test_corpora_are_those_of_the_stages_that_have_begun(values):
    values["data"] |= {"corpus": "one", "real_share": 0.5}
    values["stages"][1]["data"] = {"corpus": "two"}
    config = config_of(values)
    assert (config.corpora(14), config.corpora(15)) == (["one"], ["one", "two"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": {"weight_decay": 50.0}}, "weight_decay=50.0 of the optimizer times"),
        ({"ema_decay": 1.0}, "ema_decay=1.0 must lie between 0 and 1"),
        ({"stages": []}, "give at least one"),
        ({"checkpoint_every": 3}, "checkpoint_every=3 must be a multiple of log_every=2"),
    ],
)
def test_what_does_not_fit_is_named(values, changes, message):
    with pytest.raises(ValueError, match=message):
        config_of(values | changes)


def test_only_inherited_weights_are_held_back(values):
    values["stages"][0]["inherited_learning_rate"] = 0.5
    with pytest.raises(ValueError, match="of stage 'first' needs an initial_checkpoint"):
        config_of(values)
