"""Covariates as they are known at an origin."""

import numpy as np

from timer_forecaster.frames.labels import Labels
from timer_forecaster.inference.anomalies.data import Data
from timer_forecaster.inference.covariates.tables import Tables


def data_of(covariates):
    return Data([np.arange(10.0)], Labels.of_numbers([0], [10]), [None], covariates)


def test_known_columns_reach_over_the_horizon_and_past_ones_to_the_origin():
    columns = [{"x": np.arange(10)}]
    found = data_of(Tables(known=columns, past=columns, cycles=[(7,)])).tables([0], [6], 2)
    assert found["known"][0]["x"].tolist() == list(range(8))
    assert found["past"][0]["x"].tolist() == list(range(6))
    assert found["cycles"] == [(7,)]


def test_tables_are_aligned_at_their_ends():
    found = data_of(Tables(known=[{"x": np.arange(4)}])).tables([0], [7], 1)
    assert found["known"][0]["x"].tolist() == [0, 1]
    assert (
        len(data_of(Tables(known=[{"x": np.arange(4)}])).tables([0], [2], 1)["known"][0]["x"]) == 0
    )


def test_an_empty_text_of_the_horizon_alone_is_no_category():
    column = np.array(["a", "b", "a", "b", "a", "b", "a", "", "", "b"], dtype=object)
    given = Tables(known=[{"x": column}])
    assert data_of(given).tables([0], [7], 1)["known"][0]["x"].tolist()[-1] is None
    assert data_of(given).tables([0], [8], 1)["known"][0]["x"].tolist()[-1] == ""


def test_without_covariates_there_are_no_arguments():
    assert data_of(None).tables([0], [5], 1) == {}
