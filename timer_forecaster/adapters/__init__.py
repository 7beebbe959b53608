"""Adapters: the few weights that finetuning changed, apart from their checkpoint."""
