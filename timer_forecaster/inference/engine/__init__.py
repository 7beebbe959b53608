"""The engine: rows in, quantiles out, in batches and threads."""
