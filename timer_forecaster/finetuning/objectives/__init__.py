"""Losses of finetuning, by the family of the network."""
