"""The engine: standardized rows in, quantiles out, in batches and threads."""
