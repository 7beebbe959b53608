"""Checks of the parameters that mean something special in a Darts model of this package."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, NoReturn

import numpy as np

from timer_forecaster.checks import check_choice, check_integer
from timer_forecaster.darts.framework import FoundationModel, QuantileRegression
from timer_forecaster.failures import ON_ERROR
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.models.network import Architecture
from timer_forecaster.models.tuning import TARGETS, Tuned, parameter_shapes, tuned_names


def plain_path(name: str, value: Any) -> str:
    """Return a name or a path as a string."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}={value!r} must be a string or a path")
    if not os.fspath(value):
        raise ValueError(f"{name}={value!r} is empty; give a name or a folder")
    return os.fspath(value)


def check_likelihood(likelihood: Any) -> None:
    """Refuse likelihoods other than ``QuantileRegression``."""
    if likelihood is not None and not isinstance(likelihood, QuantileRegression):
        raise ValueError(
            "Only QuantileRegression likelihood is supported, or None for the median; got "
            f"likelihood={likelihood!r}"
        )


def check_enable_finetuning(enable_finetuning: Any) -> None:
    """Check the form of ``enable_finetuning``: Darts' own forms, or the name of a target."""
    if isinstance(enable_finetuning, str):
        if enable_finetuning not in TARGETS:
            raise ValueError(
                f"enable_finetuning={enable_finetuning!r} is unknown; use one of {TARGETS}, "
                "True, or a dict of patterns"
            )
    elif enable_finetuning is None or isinstance(enable_finetuning, (bool, dict)):
        FoundationModel._verify_enable_finetuning(enable_finetuning)
    else:
        raise TypeError(
            f"enable_finetuning={enable_finetuning!r} must be a bool, one of {TARGETS}, or a "
            "dict of patterns"
        )


def check_darts_parameters(
    quantization: str | None,
    enable_finetuning: Any,
    loss_fn: Any = None,
    pl_trainer_kwargs: Any = None,
    **_: Any,
) -> None:
    """Check the parameters of Darts' base class that cannot have every value here."""
    if enable_finetuning and loss_fn is not None:
        raise ValueError(
            f"loss_fn={loss_fn!r}: finetuning uses the loss that the checkpoint was trained by; "
            "leave loss_fn out"
        )
    if pl_trainer_kwargs is None:
        return
    if not isinstance(pl_trainer_kwargs, dict):
        raise TypeError(f"pl_trainer_kwargs={pl_trainer_kwargs!r} must be a dict")
    precision = pl_trainer_kwargs.get("precision")
    if precision in ("16-true", "bf16-true"):
        refuse_half_precision(f"pl_trainer_kwargs has precision={precision!r}")
    accelerator = pl_trainer_kwargs.get("accelerator")
    if quantization is not None and accelerator not in (None, "auto", "cpu"):
        raise ValueError(
            f"quantization={quantization!r} is for CPUs, and pl_trainer_kwargs has "
            f"accelerator={accelerator!r}: use 'cpu' or 'auto', or leave quantization out"
        )


def refuse_half_precision(found: str) -> NoReturn:
    """Raise the error about half precision, which begins with the place where it was found."""
    raise ValueError(
        f"{found}: half precision would round the series before the model sees it. Use float32 or "
        "float64 series (`series.astype('float32')`) and Lightning's default precision; the "
        "network's own type is the parameter `dtype`"
    )


def check_parameters(parameters: dict[str, Any]) -> None:
    """Check the parameters of a model that do not depend on its network."""
    check_choice("on_error", parameters["on_error"], ON_ERROR)
    check_window(parameters["input_chunk_length"])
    check_integer("output_chunk_length", parameters["output_chunk_length"], 1)
    check_integer("output_chunk_shift", parameters["output_chunk_shift"], 0)
    fields = [field.name for field in dataclasses.fields(ForecastOptions)]
    ForecastOptions(**{name: parameters[name] for name in fields if name in parameters})
    check_likelihood(parameters["likelihood"])
    check_enable_finetuning(parameters["enable_finetuning"])
    check_darts_parameters(**parameters)


def check_window(input_chunk_length: Any) -> None:
    """Refuse truth values, which Darts takes for lengths of 0 and 1."""
    both = input_chunk_length if isinstance(input_chunk_length, tuple) else (input_chunk_length,)
    for length in both:
        if isinstance(length, (bool, np.bool_)):
            check_integer("input_chunk_length", length)


def check_context(input_chunk_length: Any, longest: int, most: int, checkpoint: str) -> None:
    """Refuse windows of more steps than a checkpoint reads.

    Parameters
    ----------
    input_chunk_length : int or tuple of int
        The parameter, for the error.
    longest : int
        Steps of the longest window.
    most : int
        Steps that a forecast can read.
    checkpoint : str
    """
    if longest > most:
        raise ValueError(
            f"input_chunk_length={input_chunk_length} is more than {checkpoint!r} reads; use at "
            f"most {most} steps"
        )


def check_tuning(
    enable_finetuning: Tuned, output_chunk_shift: int, config: Architecture, checkpoint: str
) -> None:
    """Refuse finetuning that would train nothing."""
    one_pass = config.pass_length
    if output_chunk_shift >= one_pass:
        raise ValueError(
            f"output_chunk_shift={output_chunk_shift} leaves nothing to tune: one pass of "
            f"{checkpoint!r} forecasts {one_pass} steps; use less, or leave enable_finetuning out"
        )
    tuned_names(config, enable_finetuning, list(parameter_shapes(config)))


def check_roll_size(roll_size: int | None, output_chunk_length: int) -> None:
    """Refuse a ``roll_size`` for which Darts joins the chunks of a forecast wrongly."""
    if roll_size not in (None, output_chunk_length):
        raise ValueError(
            f"roll_size={roll_size!r}: Darts joins chunks wrongly unless roll_size is "
            f"output_chunk_length={output_chunk_length}; leave it out"
        )
