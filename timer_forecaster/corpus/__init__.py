"""Training data: synthetic series made on the fly, and real series in Parquet shards."""
