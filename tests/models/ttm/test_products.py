"""Products along either dimension, and functions that may overwrite."""

import pytest
import torch
from torch import nn

from timer_forecaster.models.ttm.products import along, gelu, plus, times


class Doubled(nn.Linear):
    """A layer that is more than its weight."""

    def forward(self, hidden):
        return 2 * super().forward(hidden)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("shape", [(5, 7), (3, 5, 7), (2, 3, 5, 7)])
def test_both_dimensions_agree(shape, gradients):
    torch.manual_seed(0)
    linear, hidden = nn.Linear(5, 4), torch.randn(shape)
    with torch.set_grad_enabled(gradients):
        if len(shape) > 2:
            expected = linear(hidden.mT).mT
            torch.testing.assert_close(along(linear, hidden, -2), expected)
        torch.testing.assert_close(along(linear, hidden.mT, -1), linear(hidden.mT))


def test_layers_that_are_more_than_their_weight_are_called():
    torch.manual_seed(0)
    hidden = torch.randn(3, 5, 7)
    doubled, hooked, replaced = Doubled(5, 4), nn.Linear(5, 4), nn.Linear(5, 4)
    torch.testing.assert_close(along(doubled, hidden, -2), doubled(hidden.mT).mT)
    hooked.register_forward_hook(lambda module, inputs, output: output + 1)
    torch.testing.assert_close(along(hooked, hidden, -2), hooked(hidden.mT).mT)
    replaced.forward = lambda hidden: hidden[..., :4]
    torch.testing.assert_close(along(replaced, hidden, -2), hidden[:, :4])


@pytest.mark.parametrize("gradients", [False, True])
def test_values_are_overwritten_only_without_gradients(gradients):
    first, second = torch.randn(4), torch.randn(4)
    expected = [nn.functional.gelu(first), first + second, first * second]
    with torch.set_grad_enabled(gradients):
        for function, others, value in zip(
            (gelu, plus, times), ((), (second,), (second,)), expected, strict=True
        ):
            new = first.clone()
            found = function(new, *others)
            torch.testing.assert_close(found, value)
            assert torch.equal(new, first) is gradients
