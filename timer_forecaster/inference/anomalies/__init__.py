"""Anomalies: observed steps that the forecast from the steps before them did not expect.

Each step is compared with the quantile function that the network forecast for it. Its tail
probability is calibrated by a learned table and by the earlier steps of the same series, so that
the share of steps that are flagged is what was asked for. `docs/anomalies.md` shows how to use it.
"""

from timer_forecaster.inference.anomalies.report import AnomalyReport

__all__ = ["AnomalyReport"]
