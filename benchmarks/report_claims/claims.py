"""The comparisons that the report of Timer-S1 publishes, and the same comparisons here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.report_claims.arms import REMOVED
from benchmarks.report_claims.comparisons import ArmScores, Change, paired_change


class Claim(NamedTuple):
    """A comparison of the report.

    Attributes
    ----------
    text : str
        Label in the table.
    arm, reference : str
        The arm, and the arm that it is compared with.
    published : tuple of float
        CRPS of both in the report.
    context : {"short", "long"}
        Context length of the arm here.
    """

    text: str
    arm: str
    reference: str
    published: tuple[float, float]
    context: str = "short"


CLAIMS = (
    Claim("serial blocks removed at inference", REMOVED, "stp", (0.581, 0.485)),
    Claim("NTP instead of STP, equal blocks", "ntp", "stp", (0.556, 0.485)),
    Claim("MTP instead of STP, equal blocks", "mtp", "stp", (0.506, 0.485)),
    Claim("NTP instead of STP with 5 + 3 blocks", "ntp", "stp-deep", (0.556, 0.485)),
    Claim("MTP instead of STP with 5 + 3 blocks", "mtp", "stp-deep", (0.506, 0.485)),
    Claim("no augmentation", "plain", "stp", (0.495, 0.485)),
    Claim("continued pre-training against pre-training", "continued", "stp", (0.496, 0.512)),
    Claim("long-context extension against continued", "long", "continued", (0.485, 0.496), "long"),
)


def claim_changes(scores: Mapping[str, ArmScores]) -> list[tuple[Claim, Change]]:
    """Return each claim whose arms have been run, with the change found here."""
    return [
        (claim, paired_change(scores, claim.arm, claim.reference, claim.context))
        for claim in CLAIMS
        if claim.arm in scores and claim.reference in scores
    ]


def published_change(claim: Claim) -> float:
    """Return the change of the report's CRPS, in percent."""
    ours, reference = claim.published
    return 100 * (ours / reference - 1)
