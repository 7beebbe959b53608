"""Reports of the program, which ask, compute ratios and print tables."""
