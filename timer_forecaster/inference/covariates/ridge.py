"""Ridge regressions of one design matrix, all from its Gram matrices by blocks of steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray

PENALTIES = 10.0 ** np.arange(-1, 5)
_FOLDS = 5
_NUISANCE = 1e-3  # penalty of a nuisance column, for each step
_CLEARLY = 0.999  # a larger penalty is taken only if the error falls below this share


class Span(NamedTuple):
    """Steps from a first one up to, not including, a last one."""

    start: int
    stop: int


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
        parts = [self._gram(span) for span in self._blocks]
        self._parts = [np.stack(part) for part in zip(*parts, strict=True)]
        self._whole = [part.sum(axis=0) for part in self._parts]
        self._penalty = self._best_penalties()

    def coefficients(self, without: Sequence[Span]) -> FloatArray:
        """Return coefficients from all steps, then from all but each span.

        Returns
        -------
        ndarray, shape (1 + spans, columns, targets)
        """
        parts = [self._gram(span) for span in without]
        grams = np.stack([self._whole[0], *(self._whole[0] - part[0] for part in parts)])
        moments = np.stack([self._whole[1], *(self._whole[1] - part[1] for part in parts)])
        counts = np.array([self._whole[2], *(self._whole[2] - part[2] for part in parts)])
        found = np.empty_like(moments)
        for target, penalty in enumerate(self._penalty):
            found[..., target] = self._solve(grams, moments[..., [target]], counts, penalty)[..., 0]
        return found

    def _gram(self, span: Span) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the products of the design with itself and with the targets, and the steps."""
        rows = self._design[span.start : span.stop]
        moments = rows.T @ self._targets[span.start : span.stop]
        return rows.T @ rows, moments, np.float64(self._seen[span.start : span.stop].sum())

    def _solve(
        self, grams: FloatArray, moments: FloatArray, counts: FloatArray, penalty: float
    ) -> FloatArray:
        """Return coefficients (..., columns, targets) for stacks of Gram matrices."""
        nuisance = _NUISANCE * counts[..., None] + 1e-6
        diagonal = np.where(self._is_covariate, penalty, nuisance)
        n_columns = grams.shape[-1]
        system = grams.copy()
        system[..., np.arange(n_columns), np.arange(n_columns)] += diagonal
        return np.linalg.solve(system, moments)

    def _best_penalties(self) -> FloatArray:
        """Return the penalty of each target with the least error in the blocks."""
        rest = [whole - parts for whole, parts in zip(self._whole, self._parts, strict=True)]
        best = np.full(self._targets.shape[1], np.inf)
        chosen = np.full(len(best), PENALTIES[0])
        for penalty in PENALTIES:
            found = self._solve(*rest, penalty)
            error = np.zeros(len(best))
            for own, (start, stop) in zip(found, self._blocks, strict=True):
                fitted = self._design[start:stop] @ own
                error += np.abs(self._targets[start:stop] - fitted).sum(axis=0)
            better = error < best * _CLEARLY
            best, chosen = np.where(better, error, best), np.where(better, penalty, chosen)
        return chosen
