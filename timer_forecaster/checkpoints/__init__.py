"""Checkpoints: from a name to a network in memory."""
