"""scikit-learn's own test suite on our regressor, every check an item of ours."""

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.sklearn import TimerS1Regressor

# The checks' random tables teach nothing, and some of their windows are too short to tune to.
pytestmark = pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning")

PATCHES_OF_4 = {
    "hidden_size": 16,
    "input_token_len": 4,
    "intermediate_size": 16,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
    "output_token_lens": [4],
}
# In float64 nothing is expected to fail.
REGRESSORS = [
    TimerS1Regressor("timer-s1-test", dtype="float64"),
    TimerS1Regressor(
        "timer-s1-test",
        context_length=2,
        point="mean",
        rollout="median",
        flip=True,
        batch_size=3,
        device_map="cpu",
        dtype="float64",
    ),
    TimerS1Regressor("timer-s1-test", point=0.05, dtype="float64"),
    TimerS1Regressor("ttm-test", dtype="float64"),
    TimerS1Regressor(
        None,
        config=PATCHES_OF_4,
        dtype="float64",
        tuning=FinetuneConfig(steps=1, batch_size=2, context_length=8),
    ),
]
FLOAT32 = {
    "check_methods_subset_invariance": (
        "asks for 1e-7 between batches of 1 and of 20 rows; sums of float32 differ by 2e-6"
    )
}


@parametrize_with_checks(REGRESSORS)
def test_sklearn_suite(estimator, check):
    check(estimator)


def test_in_8_bits(int8_kernel):
    regressor = TimerS1Regressor(
        "timer-s1-test", device_map="cpu", dtype="float64", quantization="int8"
    )
    results = check_estimator(regressor, on_skip=None, on_fail="raise")
    assert {result["status"] for result in results} <= {"passed", "skipped"}


@pytest.mark.parametrize("model", ["timer-s1-test", "timer-s1-small"])
def test_in_float32(model):
    results = check_estimator(
        TimerS1Regressor(model), expected_failed_checks=FLOAT32, on_skip=None, on_fail="raise"
    )
    assert {result["status"] for result in results} <= {"passed", "skipped", "xfail"}
