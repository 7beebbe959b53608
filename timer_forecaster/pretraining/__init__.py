"""Pre-training of checkpoints of Timer-S1 and TinyTimeMixer: settings, data, objectives, loop.

``timer-forecaster pretrain CONFIG.yaml`` runs it; `pretrain` does from Python.
"""

from timer_forecaster.models.timer_s1.batches import MaskShares, TrainingBatch, make_batch
from timer_forecaster.models.ttm.batches import ContextSettings
from timer_forecaster.pretraining.config import PretrainingConfig, Stage, read_config
from timer_forecaster.pretraining.optimizer import Muon, build_optimizers
from timer_forecaster.pretraining.run_settings import DataMix, OptimizerSettings
from timer_forecaster.pretraining.teacher import TeacherSettings
from timer_forecaster.pretraining.trainer import PretrainingResult, pretrain
from timer_forecaster.pretraining.ttm_config import TTMPretrainingConfig, TTMStage
from timer_forecaster.pretraining.variants import build_network, load_pipeline, remove_serial_blocks

__all__ = [
    "ContextSettings",
    "DataMix",
    "MaskShares",
    "Muon",
    "OptimizerSettings",
    "PretrainingConfig",
    "PretrainingResult",
    "Stage",
    "TTMPretrainingConfig",
    "TTMStage",
    "TeacherSettings",
    "TrainingBatch",
    "build_network",
    "build_optimizers",
    "load_pipeline",
    "make_batch",
    "pretrain",
    "read_config",
    "remove_serial_blocks",
]
