"""Options of forecasts with covariates."""

import pytest

from timer_forecaster.inference.covariate_options import (
    FEW_MODELS,
    MODELS,
    CovariateOptions,
    as_covariate_options,
)


def test_words_stand_for_options():
    assert as_covariate_options("auto") == CovariateOptions()
    assert as_covariate_options("off").mode == "off"
    assert as_covariate_options("fast") == CovariateOptions(effort="fast")


def test_large_networks_do_less():
    assert CovariateOptions().effort_for(192).models == MODELS
    assert CovariateOptions().effort_for(1024).models == FEW_MODELS
    assert CovariateOptions(effort="full").effort_for(1024).models == MODELS


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"mode": "on"}, ValueError, "mode='on'"),
        ({"effort": 3}, ValueError, "effort=3"),
        ({"windows": 1}, ValueError, "windows=1"),
        ({"nonlinear": "yes"}, TypeError, "nonlinear='yes'"),
    ],
)
def test_bad_options_are_named(options, error, word):
    with pytest.raises(error, match=word):
        CovariateOptions(**options)
    with pytest.raises(ValueError, match="covariates='on'"):
        as_covariate_options("on")
