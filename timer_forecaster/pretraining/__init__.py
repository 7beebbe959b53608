"""Pre-training of small Timer-S1 checkpoints: batches, optimiser, loop.

``python -m timer_forecaster.pretraining --help`` is the command that trained the embedded
checkpoint; its model card says with which arguments.
"""

from .batches import TrainingBatch, make_batch
from .optimizer import Muon, build_optimizers
from .trainer import Pretraining, PretrainingConfig

__all__ = [
    "Muon",
    "Pretraining",
    "PretrainingConfig",
    "TrainingBatch",
    "build_optimizers",
    "make_batch",
]
