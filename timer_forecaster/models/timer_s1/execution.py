"""The choice of how the blocks of a network are computed; the numbers stay the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from timer_forecaster.models.timer_s1.attention_kernels import ATTENTION_KERNELS
from timer_forecaster.models.timer_s1.experts import EXPERT_STRATEGIES, Expert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from timer_forecaster.models.timer_s1.network import TimeMoEBlock


class ExecutionChoice:
    """The choices of a network that has `TimerS1Layers`."""

    if TYPE_CHECKING:  # a member of `TimerS1Layers`

        def _blocks(self) -> list[TimeMoEBlock]: ...

    def set_expert_strategy(self, name: str) -> None:
        """Choose how the experts of every block are executed.

        Parameters
        ----------
        name : {"sorted", "dense"}
            A key of `timer_forecaster.models.timer_s1.experts.EXPERT_STRATEGIES`.

        Raises
        ------
        ValueError
            If there is no such strategy, or if the experts are laid out for forecasts on one
            device, which fixes how they are executed.
        """
        _check_name(name, EXPERT_STRATEGIES)
        for block in self._blocks():
            experts = block.ffn_layer.experts
            if not isinstance(experts, nn.ModuleList) or not all(
                isinstance(expert, Expert) for expert in experts
            ):
                raise ValueError(
                    f"expert strategy {name!r} needs plain experts, and the experts of this "
                    "network are laid out for forecasts on its device; "
                    "timer_forecaster.inference.load_plain_network returns a network of plain ones"
                )
        for block in self._blocks():
            block.ffn_layer.strategy = name

    def set_attention_kernel(self, name: str) -> None:
        """Choose how the attention of every block is computed.

        Parameters
        ----------
        name : {"fastest", "sdpa", "eager"}
            A key of `timer_forecaster.models.timer_s1.attention_kernels.ATTENTION_KERNELS`.

        Raises
        ------
        ValueError
            If there is no such kernel.
        """
        _check_name(name, ATTENTION_KERNELS)
        for block in self._blocks():
            block.self_attn.kernel = name


def _check_name(name: str, choices: Mapping[str, object]) -> None:
    if name not in choices:
        raise ValueError(f"name={name!r} is unknown; choose one of {sorted(choices)}")
