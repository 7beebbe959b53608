"""Darts' own tests of foundation models and of global models, on our models.

Releases of Darts hold no tests. They are taken from a checkout of its repository, beside the
installed Darts::

    git clone --branch 0.46.1 https://github.com/unit8co/darts CHECKOUT
    DARTS_CHECKOUT=CHECKOUT python -m pytest tests/conformance/test_conformance_darts.py

``DARTS_CHECKPOINT=ttm-test`` runs them on the model of the other family.

The functions run as they are: what is exchanged are the models that they name, the values of
their parameters that name models, and the functions that fetch weights and data. A test that is
left out is reported as skipped, with the reason; one that a newer checkout adds is run.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
import shutil
import sys
import tempfile
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pandas as pd
import pytest

pytest.importorskip("pytorch_lightning", reason="darts is not installed, or without torch")

from darts import datasets
from darts.datasets.dataset_loaders import DatasetLoader
from darts.utils.likelihood_models import QuantileRegression

from timer_forecaster.checkpoints import registry as checkpoints
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.darts import TimerS1Model, TinyTimeMixerModel

if "DARTS_CHECKOUT" not in os.environ:
    pytest.skip(
        "set DARTS_CHECKOUT to the folder of a checkout of Darts' repository to run its tests",
        allow_module_level=True,
    )
CHECKOUT = Path(os.environ["DARTS_CHECKOUT"]).absolute()
if not (CHECKOUT / "darts" / "tests" / "conftest.py").is_file():
    raise FileNotFoundError(f"DARTS_CHECKOUT={CHECKOUT} holds no darts/tests")

NAME = os.environ.get("DARTS_CHECKPOINT", "timer-s1-test")
Model: Any = {"timer-s1-test": TimerS1Model, "ttm-test": TinyTimeMixerModel}[NAME]
FOLDER = Path(checkpoints.__file__).parent / NAME
QUIET = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False}
OURS: dict[str, Any] = {"hub_model_name": NAME, "pl_trainer_kwargs": QUIET}
# for tests that compare batches of different sizes to seven decimals
EXACT: dict[str, Any] = {**OURS, "dtype": "float64"}

# what Lightning and torch's data loader say about every forecast of every Darts model
pytestmark = [
    pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]


# --- models that stand in for those with other parameters -----------------------------------


class _Trained:
    """Ours with a default that trains, as the other models have it."""

    load = Model.load
    load_from_checkpoint = Model.load_from_checkpoint

    def __new__(cls, *args, enable_finetuning="head", **kwargs):
        return Model(*args, enable_finetuning=enable_finetuning, **kwargs)


class _Recurrent(_Trained):
    """Ours for the parameters of ``RNNModel``."""

    def __new__(
        cls,
        input_chunk_length,
        model="RNN",
        hidden_dim=25,
        n_rnn_layers=1,
        training_length=24,
        **kwargs,
    ):
        return super().__new__(cls, input_chunk_length, 1, **kwargs)


class _OneStep:
    """Ours for the parameters of ``RNNModel``, without training."""

    def __new__(cls, input_chunk_length, model="RNN", hidden_dim=25, **kwargs):
        return Model(input_chunk_length, 1, **kwargs)


class _Linear:
    """Ours for the parameters of ``LinearRegressionModel``."""

    def __new__(cls, lags, output_chunk_length=1, **kwargs):
        return Model(lags, output_chunk_length, **EXACT, **kwargs)


def create_model(ocl, use_ll=True, model_type="torch", n_epochs=1, **kwargs):
    """As the function of this name in Darts' tests of historical forecasts."""
    likelihood = QuantileRegression([0.05, 0.4, 0.5, 0.6, 0.95]) if use_ll else None
    return Model(3, ocl, likelihood=likelihood, random_state=42, **EXACT, **kwargs)


# --- values of parameters -------------------------------------------------------------------

Change = Callable[[Any], Any]
"""What a test shall be given in place of one of the values it is given upstream, None: nothing."""


def recurrent(config: Any) -> Any:
    return _Recurrent, config[1]


def always(value: Any) -> Change:
    return lambda _: value


def first(value: Any) -> Change:
    return lambda values: (value, *values[1:])


def only(condition: Callable[[Any], bool]) -> Change:
    return lambda value: value if condition(value) else None


def with_quantiles(config: Any) -> bool:
    return isinstance(config[0], QuantileRegression)


def without_covariates(config: Any) -> bool:
    return not config[0]


def of_torch_without_retraining(config: Any) -> bool:
    return config[2:] == (False, True)


def scaled_alone(values: Any) -> Any:
    """Ours for series that have no covariates; upstream passes over other lengths to train on."""
    (series, scalers), retrain, points, *lengths, _ = values
    if len(series) > 1 or (any(lengths) and not retrain):
        return None
    return (series, scalers), retrain, points, *lengths, Model


# --- what is taken --------------------------------------------------------------------------


@dataclass
class Suite:
    """Test classes of one module of Darts' tests, and what is exchanged in them.

    Attributes
    ----------
    models : dict
        Names in the module, to what they shall be.
    parameters : dict
        Tests, to how the values are changed of the parameter that chooses a model.
    attributes : dict
        Of the classes.
    options : dict
        Of every model that a test makes with the keywords which Darts' tests share.
    left_out : dict
        Reasons, to tests.
    """

    models: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Change] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=lambda: {"hub_model_name": NAME})
    left_out: dict[str, str] = field(default_factory=dict)


def for_all(tests: str, change: Change) -> dict[str, Change]:
    return dict.fromkeys(tests.split(), change)


FROZEN = "looks for frozen weights in the module: ours holds those alone that are tuned"
COVARIATES = "of the other model's limits on covariates; ours has none"
SHORT = "expects covariates to count in windows that are too short to check what they say"
STATIC = "static covariates are kept, and not used"
LOSS = "of losses that a user chooses: ours is the one that the checkpoint was trained by"
NETWORK = "of the module's type, which is that of the network in other models"
ANY_TYPE = "wants series of another type than before to fail: ours takes them"
FORMER = "of names that Darts has not had since 0.48, or of files that it no longer loads"
OTHERS = "of another model's own parameters, defaults or likelihoods"
NUMBERS = "compares with numbers of the other model"
EARLIER = "counts the windows of a model that needs steps to train on: ours starts earlier"
LIMITS = "of the other model's limits, which ours has not; of ours: tests/darts/test_model.py"

FREE = always((Model, {}, contextlib.nullcontext))
TINY = (Model, {**EXACT, "input_chunk_length": 3, "output_chunk_length": 1})
GLOBAL = (Model, OURS, 200.0)  # weights are random: any error will do
TORCH = (
    Model,
    {**OURS, "input_chunk_length": 10, "output_chunk_length": 1, "random_state": 42},
)
TRAINED = (Model, {**TORCH[1], "n_epochs": 1, "enable_finetuning": "head"})
TRAINED_CHUNKS = (Model, {**TRAINED[1], "output_chunk_length": 2, "output_chunk_shift": 1})
SAMPLING = {
    **OURS,
    "input_chunk_length": 10,
    "output_chunk_length": 5,
    "likelihood": QuantileRegression([0.1, 0.5, 0.9]),
    "random_state": 42,
}
WINDOWS = (
    Model,
    {**OURS, "input_chunk_length": 24, "output_chunk_length": 12},
    (24, 12),
    "MixedCovariates",
)
TRAINED_WINDOWS = (
    Model,
    {**WINDOWS[1], "enable_finetuning": "head", "n_epochs": 1},
    *WINDOWS[2:],
)

# test_tirex.py needs the package tirex, and asks what test_timesfm2p5.py does.
SUITES = {
    "models.forecasting.test_foundation": Suite(
        models={
            "Chronos2Model": Model,
            "TimesFM2p5Model": Model,
            "PatchTSTFMModel": Model,
        },
        parameters={
            **for_all(
                "test_variable_icl_fit_predict test_variable_icl_matches_fixed_icl"
                " test_load_weights_different_chunk_params",
                FREE,
            ),
            "test_variable_icl_save_load": always((Model, {}, contextlib.nullcontext, False)),
        },
        left_out={
            FROZEN: (
                "test_partial_finetuning_block_freeze test_partial_finetuning_unfreeze"
                " test_finetuning_all_models"
            ),
            "an empty local_dir is refused, not downloaded into": "test_local_dir",
        },
    ),
    "models.forecasting.test_chronos2": Suite(
        models={"Chronos2Model": Model},
        attributes={"dummy_local_dir": FOLDER},
        left_out={
            NUMBERS: "test_fidelity",
            LIMITS: "test_creation",
        },
    ),
    "models.forecasting.test_timesfm2p5": Suite(
        models={"TimesFM2p5Model": Model},
        left_out={
            COVARIATES: "test_covariates",
            NUMBERS: "test_fidelity",
            LIMITS: "test_creation",
            OTHERS: "test_longer_projection_head",
        },
    ),
    "models.forecasting.test_patchtst_fm": Suite(
        models={"PatchTSTFMModel": Model},
        attributes={"dummy_local_dir": FOLDER},
        left_out={
            COVARIATES: "test_covariates",
            NUMBERS: "test_fidelity",
            LIMITS: "test_creation",
        },
    ),
    "models.forecasting.test_global_forecasting_models": Suite(
        models={
            "RNNModel": _OneStep,
            "TCNModel": Model,
            "models_cls_kwargs_errs": [GLOBAL],
        },
        parameters={
            **for_all(
                "test_save_model_parameters test_single_ts test_multi_ts test_covariates"
                " test_prediction_with_different_n test_same_result_with_different_n_jobs"
                " test_fit_with_constr_epochs test_fit_with_fit_epochs"
                " test_fit_from_dataset_with_epochs test_predit_after_fit_from_dataset",
                always(GLOBAL),
            ),
            "test_save_load_model": always(Model(4, 3, **OURS)),
        },
        left_out={
            OTHERS: "test_residuals",
            STATIC: "test_use_static_covariates",
            **(
                {"Darts reads no saved static covariates of pandas 2": "test_save_load_model"}
                if pd.__version__ < "3"
                else {}
            ),
        },
    ),
    "models.forecasting.test_torch_forecasting_model": Suite(
        models={
            "RNNModel": _Recurrent,
            "DLinearModel": _Trained,
            "NLinearModel": Model,
            "models": [TRAINED],
        },
        parameters={
            "test_save_and_load_weights_covs_usage_attributes": first(Model),
            "test_rin": always(TORCH),
            "test_load_weights": recurrent,
            "test_manual_save_and_load": lambda config: (config[0], recurrent(config[1])),
            "test_auto_precision_casting": only(lambda config: config[1] != "bf16-true"),
            "test_weights": first(TRAINED),
            "test_weights_probabilistic": only(lambda value: isinstance(value, QuantileRegression)),
            **for_all("test_output_shift test_multi_ts_prediction", first(TORCH)),
        },
        left_out={
            FROZEN: (
                "test_partial_freeze test_partial_unfreeze test_enable_finetuning_with_load_weights"
            ),
            LOSS: "test_load_from_checkpoint_w_custom_loss",
            NUMBERS: "test_load_best",
            SHORT: "test_save_and_load_weights_w_encoders",
            STATIC: "test_predict_after_fit_from_dataset",
            NETWORK: "test_to_dtype",
            ANY_TYPE: (
                "test_manual_save_and_load_precision test_verify_dtypes_after_loading"
                " test_verify_dtypes_warning"
            ),
            FORMER: (
                "test_val_set test_dataloader_kwargs_setup test_load_from_checkpoint_w_metrics"
                " test_fit_from_dataset_sample_tuple_length_mismatch test_validate_predict_samples"
            ),
            OTHERS: (
                "test_save_and_load_weights_w_likelihood test_inherited_wrong_model_creation_params"
                " test_mc_dropout_active test_dropout_output test_metrics_w_likelihood"
                " test_predict_likelihood_parameters_n_too_large test_load_weights_params_check"
                " test_load_accelerator test_enable_finetuning_none_is_default"
            ),
            "makes no model": "test_load_from_checkpoint_missing_init_file",
        },
    ),
    "models.forecasting.test_probabilistic_models": Suite(
        models={
            "RNNModel": _Recurrent,
            "NBEATSModel": Model,
            "TCNModel": Model,
            "DLinearModel": Model,
        },
        parameters={
            **for_all(
                "test_fit_predict_determinism test_historical_forecast test_fit_predict_randomized"
                " test_probabilistic_forecast_accuracy_univariate"
                " test_probabilistic_forecast_accuracy_multivariate",
                always((Model, SAMPLING, 0.2, 0.2)),
            ),
            **for_all(
                "test_predict_likelihood_parameters_univariate_torch_models"
                " test_predict_likelihood_parameters_multivariate_torch_models",
                only(with_quantiles),
            ),
        },
        left_out={
            OTHERS: (
                "test_predict_likelihood_parameters_regression_models"
                " test_predict_likelihood_parameters_wrong_args"
            ),
            NUMBERS: "test_likelihoods_and_resulting_mean_forecasts",
        },
    ),
    "utils.historical_forecasts.test_historical_forecasts": Suite(
        models={
            "NLinearModel": Model,
            "BlockRNNModel": Model,
            "LinearRegressionModel": _Linear,
        },
        parameters={
            "test_torch_auto_start_multiple_no_cov": first(WINDOWS),
            **for_all(
                "test_torch_auto_start_with_past_cov test_torch_auto_start_with_future_cov"
                " test_torch_auto_start_with_past_and_future_cov",
                first(TRAINED_WINDOWS),
            ),
            "test_global_historical_forecasts_single_series": first(TINY),
            **for_all("test_fit_kwargs test_predict_kwargs", first("torch")),
            "test_predict_likelihood_parameters": always("torch"),
            "test_historical_forecasts_with_scaler": scaled_alone,
            "test_historical_forecasts_start_too_early": only(of_torch_without_retraining),
            "test_historical_forecast_start_after_end_of_series": always(Model(3, 2, **OURS)),
            "test_val_length": first(TRAINED_CHUNKS),
            "test_conformal_historical_forecasts": only(without_covariates),
        },
        attributes={"create_model": staticmethod(create_model)},
        options={"hub_model_name": NAME, "dtype": "float64"},
        left_out={
            OTHERS: (
                "test_hist_fc_end_exact_with_covs test_global_historical_forecasts_no_intersection"
                " test_historical_forecasts_start_end_outside_forecastable_range"
                " test_historical_forecasts_transferrable_future_cov_local_models"
                " test_historical_forecasts_future_cov_local_models"
                " test_historical_forecasts_local_models test_historical_forecasts_output"
                " test_historical_forecasts test_regression_auto_start_multiple_no_cov"
                " test_regression_auto_start_multiple_with_cov_retrain"
                " test_regression_auto_start_multiple_with_cov_no_retrain"
                " test_optimized_historical_forecasts_regression"
                " test_optimized_historical_forecasts_regression_with_encoders"
                " test_optimized_historical_forecasts_regression_with_component_specific_lags"
                " test_probabilistic_optimized_hist_fc_regression"
                " test_hfc_too_short_input_for_training_with_multiple_samples"
                " test_val_length_warnings"
            ),
            "compares batches of different sizes bit by bit; to 1e-5: tests/darts/test_model.py": (
                "test_historical_forecasts_start_end_multiple_series_global"
            ),
            "needs a model that is trained in one suite with those that are not": (
                "test_sample_weight"
            ),
            EARLIER: (
                "test_retrain test_sanity_check_start test_train_length_warnings"
                " test_global_historical_forecasts_fit_predict"
                " test_global_historical_forecasts_data_transformer"
            ),
        },
    ),
}


# --- taking it ------------------------------------------------------------------------------


def import_from_checkout(folder: Path) -> dict[str, types.ModuleType]:
    """Import the modules of `SUITES`, which load data sets while they are imported."""
    tests = types.ModuleType("darts.tests")
    tests.__path__ = [str(CHECKOUT / "darts" / "tests")]
    pytest.register_assert_rewrite(tests.__name__)
    sys.modules[tests.__name__] = tests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatasetLoader, "_DEFAULT_DIRECTORY", folder)
        patch.setattr(DatasetLoader, "_download_dataset", _copy_from_checkout)
        # not in the repository; only tests that are left out read it
        electricity = MagicMock()
        electricity.__getitem__.return_value = electricity
        electricity.astype.return_value = electricity
        electricity.split_after.return_value = (None, None)
        loader = datasets.ElectricityConsumptionZurichDataset
        patch.setattr(loader, "load", lambda self: electricity)
        # where upstream's models fetch their tiny checkpoints, ours looks for its own
        utilities = importlib.import_module("darts.tests.models.forecasting.foundation_test_utils")
        target = "timer_forecaster.darts.pipeline_model.find_checkpoint"
        utilities.HF_HUB_DOWNLOAD_PATCH_TARGET = target
        utilities.mock_hf_hub_download = find_checkpoint
        utilities._mock_timesfm2p5_hf_hub_download = find_checkpoint
        return {name: importlib.import_module(f"darts.tests.{name}") for name in SUITES}


def _copy_from_checkout(loader: DatasetLoader) -> None:
    metadata = loader._metadata
    shutil.copy(CHECKOUT / "datasets" / Path(metadata.uri).name, loader._get_path_dataset())


def repoint(module: types.ModuleType, suite: Suite) -> dict[str, type]:
    """Exchange what `suite` says, in place; return the test classes by name."""
    for name, model in suite.models.items():
        setattr(module, name, model)
    for name in ("tfm_kwargs", "tfm_kwargs_dev"):
        if hasattr(module, name):
            setattr(module, name, {**getattr(module, name), **suite.options})
    classes = {
        name: value
        for name, value in vars(module).items()
        if name.startswith("Test") and isinstance(value, type)
    }
    for cls in classes.values():
        for name, value in suite.attributes.items():
            setattr(cls, name, value)
        for name in ("base_kwargs", "model_kwargs"):  # made of tfm_kwargs upstream
            if hasattr(cls, name):
                getattr(cls, name).update(suite.options)
        for name, change in suite.parameters.items():
            if hasattr(cls, name):
                _change_parameters(getattr(cls, name), change)
        for reason, names in suite.left_out.items():
            for name in names.split():
                if hasattr(cls, name):
                    setattr(cls, name, _left_out(reason))
    return classes


def _change_parameters(test: Any, change: Change) -> None:
    """Change the values of the parameter that chooses a model: the first written one of a test."""
    position = max(i for i, mark in enumerate(test.pytestmark) if mark.name == "parametrize")
    names, values = test.pytestmark[position].args
    changed: list[Any] = []
    for value in map(change, values):
        if value is not None and value not in changed:
            changed.append(value)
    test.pytestmark[position] = pytest.mark.parametrize(names, changed).mark


def _left_out(reason: str) -> Callable[[Any], None]:
    @pytest.mark.skip(reason=reason)
    def test(self: Any) -> None: ...

    return test


with tempfile.TemporaryDirectory() as cache:
    MODULES = import_from_checkout(Path(cache))
for path, suite in SUITES.items():
    globals().update(repoint(MODULES[path], suite))

tmpdir_fn = sys.modules["darts.tests.conftest"].tmpdir_fn


@pytest.fixture(autouse=True)
def _quietly_elsewhere(tmp_path, monkeypatch):
    """Darts and Lightning log several lines for each forecast, and write into the folder."""
    monkeypatch.chdir(tmp_path)
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def _of_our_model(request, monkeypatch):
    """See to it that a test is about our model."""
    parameters = getattr(request.node, "callspec", None)
    made = [] if parameters is None else list(parameters.params.values())
    initialize = Model.__init__

    @functools.wraps(initialize)  # Darts reads the signature
    def counted(self, *args, **kwargs):
        made.append(self)
        initialize(self, *args, **kwargs)

    monkeypatch.setattr(Model, "__init__", counted)
    yield
    ours = [model for model in made if isinstance(model, Model)]
    assert ours, "the test made no model of ours: exchange its models, or leave it out"
