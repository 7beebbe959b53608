import numpy as np
import pytest
import torch

from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.finetuning.guards import validate
from timer_forecaster.finetuning.loop import MOST_VALIDATIONS, Loop, TuningFailedError
from timer_forecaster.finetuning.objectives.timer_s1 import TrainingSteps, make_windows
from timer_forecaster.finetuning.trainable import load_frozen, trainable


@pytest.fixture(scope="module")
def frozen(pipe):
    return load_frozen(pipe.key)


@pytest.fixture
def loop(frozen, waves):
    """A function that makes a loop over the waves, from settings."""
    contexts, targets = [w[:200] for w in waves], np.stack([w[200:216] for w in waves])
    windows = [make_windows(frozen, contexts, targets)]
    before = validate(frozen, windows)

    def make(**settings):
        usual = {"target": "head", "steps": 8, "learning_rate": 5e-3, "batch_size": 8}
        config = FinetuneConfig(**{**usual, **settings})
        trained = trainable(frozen, config.target)
        steps = TrainingSteps(frozen, [w[:200] for w in waves], config, 80, 16)
        make.parameters = list(trained.parameters.values())
        return Loop(trained, steps, windows, before, config)

    make.windows = windows
    return make


def test_the_best_step_has_the_lowest_validated_loss(loop):
    made = loop()
    made.run(progress=False)
    assert made.step == 8
    steps, losses = zip(*made.validation, strict=True)
    assert steps == tuple(range(9))  # as there are fewer steps than validations
    assert made.best.validation.loss == min(losses) < losses[0]
    assert made.best.step == steps[int(np.argmin(losses))]
    assert [step for step, _ in made.training] == list(steps[1:])


def test_the_weights_of_the_best_step_have_its_loss(loop, frozen):
    from timer_forecaster.models.timer_s1.adaptation import adapted

    made = loop()
    made.run(progress=False)
    again = validate(adapted(frozen, made.best.weights), loop.windows)
    assert again.loss == pytest.approx(made.best.validation.loss, rel=1e-6)


def test_validations_are_spread_over_many_steps(loop):
    made = loop(steps=25, learning_rate=1e-4, patience=99)
    made.run(progress=False)
    steps = [step for step, _ in made.validation]
    assert len(steps) <= 1 + MOST_VALIDATIONS
    assert steps == [*range(0, 25, 3), 25]


def test_patience_ends_the_training(loop):
    made = loop(steps=20, learning_rate=1e-30, patience=2)
    made.run(progress=False)
    assert made.step == 4  # two validations, each after two steps
    assert made.best.step == 0


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"learning_rate": 1e4}, "diverged"),
        ({"target": "full", "learning_rate": 1e30, "weight_decay": 0, "steps": 99}, "not finite"),
    ],
)
def test_a_training_that_goes_wrong_raises_its_status(loop, settings, status):
    with pytest.raises(TuningFailedError, match="a lower learning_rate than") as caught:
        loop(**settings).run(progress=False)
    assert caught.value.status == status


def test_weights_decay_towards_their_start(loop):
    def distance(weight_decay):
        made = loop(steps=4, learning_rate=0.05, weight_decay=weight_decay, patience=99)
        start = [value.detach().clone() for value in loop.parameters]
        made.run(progress=False)
        pairs = zip(loop.parameters, start, strict=True)
        return sum(float((value.detach() - old).norm()) for value, old in pairs)

    assert distance(10.0) < 0.7 * distance(0.0)


def test_the_base_of_the_network_is_not_changed(loop, frozen):
    before = {name: value.clone() for name, value in frozen.state_dict().items()}
    loop(target="full", steps=2).run(progress=False)
    assert all(torch.equal(frozen.state_dict()[name], value) for name, value in before.items())
