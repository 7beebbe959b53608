"""What tells checkpoints of Timer-S1 apart."""

import dataclasses

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.identity import computed_by, told_apart_by

SIZES = TimerS1Architecture()


def test_settings_of_training_tell_nothing():
    assert computed_by(dataclasses.replace(SIZES, dropout_rate=0.5)) == computed_by(SIZES)
    assert computed_by(dataclasses.replace(SIZES, rope_theta=500)) != computed_by(SIZES)


def test_routers_head_and_norms_count_as_a_whole_and_experts_not_at_all():
    names = [
        "model.norm.weight",
        "model.layers.0.ffn_layer.gate.weight",
        "output_patch_embedding.output_layer.bias",
        "model.layers.0.self_attn.q_proj.weight",
        "model.layers.0.ffn_layer.experts.0.up_proj.weight",
    ]
    found = told_apart_by(names)
    assert list(found) == sorted(names[:4])
    assert [name for name in found if not found[name]] == [names[3]]
