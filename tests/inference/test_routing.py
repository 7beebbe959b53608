"""The experts to which a network sends the patches of series."""

import numpy as np
import pytest
import torch

from timer_forecaster.inference import Routing
from timer_forecaster.inference.rows import scaled_rows
from timer_forecaster.models.timer_s1.patches import patchify


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def test_routing_tells_where_each_series_goes(timer_s1):
    config = timer_s1.network.config
    rows = [walk(steps, steps) for steps in (20, 100, 50)]
    shares = timer_s1.routing(rows).shares
    n_blocks = config.num_hidden_layers + config.num_mtp_tokens
    assert shares.shape == (3, n_blocks, config.num_experts)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
    np.testing.assert_allclose(shares[1], timer_s1.routing(rows[1] * 3 + 2).shares[0])
    # By hand, for a row alone.
    values = torch.from_numpy(scaled_rows(timer_s1.network, [rows[1]])[0].values[None]).float()
    first = next(timer_s1.network.stages(patchify(values, None, 16), 0)).router_logits[0]
    expected = torch.bincount(first.argmax(-1), minlength=config.num_experts) / len(first)
    np.testing.assert_allclose(shares[1, 0], expected)


def test_routing_has_a_picture(timer_s1):
    pytest.importorskip("matplotlib").use("Agg")
    axes = timer_s1.routing([walk(100), walk(50)]).plot()
    assert axes.get_xlabel() == "expert"
    assert len(axes.images) == 1


def test_a_picture_is_of_one_series_or_of_the_mean():
    pytest.importorskip("matplotlib").use("Agg")
    routing = Routing(np.array([[[1.0, 0.0]], [[0.5, 0.5]]]))
    pictures = [routing.plot().images[0], routing.plot(series=1).images[0]]
    np.testing.assert_array_equal(pictures[0].get_array(), [[0.75, 0.25]])
    np.testing.assert_array_equal(pictures[1].get_array(), [[0.5, 0.5]])
