"""Training data: synthetic series made on the fly, and packed real series."""
