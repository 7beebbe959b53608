"""Every name of Darts that this package uses, private ones too.

A new release of Darts may move them: this file alone then changes.
"""

import sys

from timer_forecaster.extras import missing_extra

try:
    from darts import TimeSeries
    from darts.models.forecasting.foundation_model import FoundationModel
    from darts.models.forecasting.pl_forecasting_module import PLForecastingModule
    from darts.utils.data import (
        ModuleStage,
        PLModuleInput,
        PLModuleOutput,
        SequentialTorchInferenceDataset,
        TorchTrainingSample,
    )
    from darts.utils.data.utils import FeatureType
    from darts.utils.historical_forecasts.utils import _get_historical_forecasts_setup
    from darts.utils.likelihood_models import QuantileRegression
    from darts.utils.serialization import add_safe_globals
    from darts.utils.ts_utils import series2seq
except ImportError as error:
    found = getattr(sys.modules.get("darts"), "__version__", "none")
    what = f"timer_forecaster.darts needs Darts 0.48 or newer with torch, found {found} ({error})"
    raise ImportError(missing_extra(what, "darts")) from error

__all__ = [
    "FeatureType",
    "FoundationModel",
    "ModuleStage",
    "PLForecastingModule",
    "PLModuleInput",
    "PLModuleOutput",
    "QuantileRegression",
    "SequentialTorchInferenceDataset",
    "TimeSeries",
    "TorchTrainingSample",
    "_get_historical_forecasts_setup",
    "add_safe_globals",
    "series2seq",
]
