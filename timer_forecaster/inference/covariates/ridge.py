"""Ridge regressions of one design matrix, all from its Gram matrices by blocks of steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray

PENALTIES: FloatArray = np.logspace(-1, 4, 6)
_FOLDS = 5
_NUISANCE = 1e-3  # penalty of a nuisance column, for each step
_CLEARLY = 0.999  # a larger penalty is taken only if the error falls below this share


class Span(NamedTuple):
    """Steps from a first one up to, not including, a last one."""

    start: int
    stop: int


class _Grams(NamedTuple):
    """Products of a design over some steps, or stacks of them."""

    products: FloatArray  # (..., columns, columns), of the design with itself
    moments: FloatArray  # (..., columns, targets), of the design with the targets
    counts: FloatArray  # (...), observed steps

    def less(self, parts: _Grams) -> _Grams:
        """Return the products over all other steps."""
        return _Grams(*(whole - part for whole, part in zip(self, parts, strict=True)))


class Ridge:
    """Ridge regressions of several targets on one matrix.

    The penalty of the covariates is chosen for each target by the absolute error in five blocks of
    steps, each forecast from the others. Coefficients without a span of steps are found by
    subtraction.

    Parameters
    ----------
    design : ndarray, shape (steps, columns)
        Covariates first, then nuisance columns.
    n_covariates : int
    targets : ndarray, shape (steps, targets)
        NaN where missing, in the same steps for all targets.
    """

    def __init__(self, design: FloatArray, n_covariates: int, targets: FloatArray) -> None:
        seen = np.isfinite(targets[:, 0])
        self._design = np.where(seen[:, None], design, 0.0)
        self._targets = np.where(seen[:, None], targets, 0.0)
        self._seen = seen
        self._is_covariate = np.arange(design.shape[1]) < n_covariates
        block = np.arange(len(design)) * _FOLDS // max(1, len(design))
        stops = np.searchsorted(block, np.arange(_FOLDS), side="right").tolist()
        self._blocks = [Span(*pair) for pair in zip([0, *stops[:-1]], stops, strict=True)]
        self._parts = self._grams(self._blocks)
        self._whole = _Grams(*(part.sum(axis=0) for part in self._parts))
        self._penalty = self._best_penalties()

    def coefficients(self, without: Sequence[Span]) -> FloatArray:
        """Return coefficients from all steps, then from all but each span.

        Returns
        -------
        ndarray, shape (1 + spans, columns, targets)
        """
        rest = self._whole.less(self._grams([Span(0, 0), *without]))
        found = self._solve(rest, self._penalty)
        of_target = [found[target, ..., target] for target in range(len(self._penalty))]
        return np.stack(of_target, axis=-1)

    def _grams(self, spans: Sequence[Span]) -> _Grams:
        """Return the products over each span."""
        rows = [slice(span.start, span.stop) for span in spans]
        design, targets = self._design, self._targets
        return _Grams(
            np.stack([design[own].T @ design[own] for own in rows]),
            np.stack([design[own].T @ targets[own] for own in rows]),
            np.array([float(self._seen[own].sum()) for own in rows]),
        )

    def _solve(self, grams: _Grams, penalties: FloatArray) -> FloatArray:
        """Return coefficients (penalties, ..., columns, targets) for stacks of products."""
        n_columns = grams.products.shape[-1]
        nuisance = _NUISANCE * grams.counts[..., None] + 1e-6
        penalties = penalties.reshape(-1, *[1] * nuisance.ndim)
        diagonal = np.where(self._is_covariate, penalties, nuisance)
        systems = np.repeat(grams.products[None], len(penalties), axis=0)
        systems[..., np.arange(n_columns), np.arange(n_columns)] += diagonal
        return np.asarray(np.linalg.solve(systems, grams.moments[None]), dtype=np.float64)

    def _best_penalties(self) -> FloatArray:
        """Return the penalty of each target with the least error in the blocks."""
        found = self._solve(self._whole.less(self._parts), PENALTIES)
        errors = np.zeros((len(PENALTIES), self._targets.shape[1]))
        for fold, (start, stop) in enumerate(self._blocks):
            fitted = self._design[start:stop] @ found[:, fold]
            errors += np.abs(self._targets[start:stop] - fitted).sum(axis=1)
        best, chosen = errors[0], np.full(errors.shape[1], PENALTIES[0])
        for penalty, error in zip(PENALTIES[1:], errors[1:], strict=True):
            better = error < best * _CLEARLY
            best, chosen = np.where(better, error, best), np.where(better, penalty, chosen)
        return chosen
