"""Parameters of sktime's TinyTimeMixer class, in the words of this package."""

import dataclasses

import pytest

pytest.importorskip("sktime")

from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.sktime.translations import TRAINING_ARGS, Training, check_meaningless

HARMLESS = {
    "compute_metrics": None,
    "callbacks": [],
    "broadcasting": False,
    "use_source_package": False,
    "freq": None,
    "padding_mask": "unobserved",
}


def settings(fit_strategy="minimal", validation_split=0.2, training_args=None):
    return Training(fit_strategy, validation_split, training_args).settings()


@pytest.mark.parametrize(
    ("strategy", "target"), [("zero-shot", None), ("minimal", "decoder+head"), ("full", "full")]
)
def test_a_strategy_is_a_target(strategy, target):
    found = settings(strategy)
    assert found == (None if target is None else {"target": target, "validation": 0.2})


def test_settings_of_transformers_are_ours_under_other_names():
    names = {field.name for field in dataclasses.fields(FinetuneConfig)}
    assert set(TRAINING_ARGS.values()) < names
    given = dict.fromkeys(TRAINING_ARGS, 3)
    expected = {"target": "full", "validation": 0.4, **dict.fromkeys(TRAINING_ARGS.values(), 3)}
    assert settings("full", 0.4, given) == expected
    assert FinetuneConfig(**expected).steps == 3


def test_the_training_arguments_of_sktimes_page_are_accepted():
    of_the_page = {
        "max_steps": 10,
        "output_dir": "test_output",
        "per_device_train_batch_size": 4,
        "report_to": "none",
    }
    found = settings("full", training_args=of_the_page)
    assert found == {"target": "full", "validation": 0.2, "steps": 10, "batch_size": 4}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"fit_strategy": "partial"}, ValueError, "fit_strategy='partial'.*zero-shot.*minimal"),
        ({"validation_split": None}, ValueError, "validation_split=None.*such as"),
        ({"training_args": 3}, TypeError, "training_args=3 must be a dict"),
        ({"training_args": {"num_train_epochs": 3}}, ValueError, "'num_train_epochs'.*tuning="),
        (
            {"fit_strategy": "zero-shot", "training_args": {"max_steps": 3}},
            ValueError,
            "trains nothing: leave them out, or take fit_strategy='minimal'",
        ),
    ],
)
def test_bad_settings_are_named(given, error, message):
    with pytest.raises(error, match=message):
        settings(**given)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"compute_metrics": len}, ValueError, "compute_metrics=.*adapter_.report"),
        ({"callbacks": [1]}, ValueError, r"callbacks=\[1\].*adapter_.report"),
        ({"broadcasting": True}, ValueError, "broadcasting=True.*ForecastByLevel"),
        ({"broadcasting": "yes"}, TypeError, "broadcasting='yes' must be True or False"),
        ({"use_source_package": True}, ValueError, "use_source_package=True.*model_path"),
        ({"freq": "h"}, ValueError, "freq='h'.*taken from its index"),
        ({"padding_mask": "observed"}, ValueError, "padding_mask='observed'.*leave padding_mask"),
        ({"padding_mask": "zeros"}, ValueError, "padding_mask='zeros'"),
    ],
)
def test_what_means_nothing_is_refused(given, error, message):
    check_meaningless(**HARMLESS)
    with pytest.raises(error, match=message):
        check_meaningless(**HARMLESS | given)
