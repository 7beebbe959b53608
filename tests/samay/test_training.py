import numpy as np
import pytest
import torch

from timer_forecaster.samay import training
from timer_forecaster.samay.training import Plan, train

PLAN = Plan(48, 3, 3e-3, None, 0)


def state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_loss_falls_and_a_seed_gives_the_same_weights(dataset, model):
    before, random = state(model.network), torch.random.get_rng_state()
    data = dataset("train", stride=2, batch_size=16)
    curves = train(model.network, data, None, PLAN)
    assert len(curves.training) == curves.best == 3
    assert curves.training[-1] < 0.8 * curves.training[0]
    assert torch.equal(torch.random.get_rng_state(), random)
    after = state(model.network)
    assert not same(after, before)
    for expected, seed in ((True, 0), (False, 1)):
        model.network.load_state_dict(before)
        train(model.network, data, None, PLAN._replace(seed=seed))
        assert same(state(model.network), after) is expected
    assert not model.network.training


def test_the_epoch_with_the_lowest_validated_loss_is_kept(dataset, model):
    validation = dataset("val")
    curves = train(model.network, dataset("train", batch_size=8), validation, PLAN)
    assert len(curves.validation) == 4
    assert curves.best == int(np.argmin(curves.validation)) > 0
    assert training._validated(model.network, validation, 48) == curves.validation[curves.best]


def test_the_training_stops_without_a_lower_loss(dataset, model, monkeypatch):
    losses = iter([1.0, 0.9, 0.95, 0.97, 0.5])
    monkeypatch.setattr(training, "_validated", lambda *args: next(losses))
    plan = PLAN._replace(epochs=9, patience=2)
    curves = train(model.network, dataset("train"), dataset("val"), plan)
    assert curves.best == 1
    assert curves.validation == [1.0, 0.9, 0.95, 0.97]


def test_a_failure_leaves_the_network_as_it_was(dataset, model, monkeypatch):
    before = state(model.network)
    taken = []

    def broken(network, batch):
        taken.append(batch)
        if len(taken) > 2:
            return torch.tensor(float("nan"), requires_grad=True)
        return real(network, batch)

    real = training.batch_loss
    monkeypatch.setattr(training, "batch_loss", broken)
    with pytest.raises(RuntimeError, match=r"diverged.*lower learning_rate=0\.003"):
        train(model.network, dataset("train", batch_size=4), None, PLAN)
    assert same(state(model.network), before)
    assert not model.network.training


def test_the_rate_rises_and_falls():
    shares = [training._share(step / 100) for step in range(1, 101)]
    assert shares[4] == 1
    assert np.all(np.diff(shares[:5]) > 0) and np.all(np.diff(shares[4:]) < 0)
    assert shares[-1] == pytest.approx(0.1)


def test_data_without_anything_to_learn_are_refused(dataset, model, tmp_path):
    from samay_cases import write_csv

    flat = write_csv(tmp_path / "flat.csv", {"x": np.full(400, 3.0)})
    constant = dataset("train", path=flat, target_columns=["x"])
    with pytest.raises(ValueError, match=r"flat\.csv: there is nothing to train on"):
        train(model.network, constant, None, PLAN)
    with pytest.raises(ValueError, match=r"flat\.csv: there is nothing to validate by"):
        train(model.network, dataset("train"), constant, PLAN)
