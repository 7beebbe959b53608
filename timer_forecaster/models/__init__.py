"""The networks: torch (and, where it is needed, transformers) only."""
