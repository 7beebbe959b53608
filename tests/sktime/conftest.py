import pytest


@pytest.fixture(scope="module")
def pipeline():
    from sktime_cases import MODEL

    from timer_forecaster import ForecastPipeline

    return ForecastPipeline.from_pretrained(MODEL)
