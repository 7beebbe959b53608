"""Joint sample paths: the steps of a path belong together, as the steps of the future will.

Quantiles of each step are the forecast. What they do not tell is whether a step above its median is
followed by others above theirs. Here each path draws its own correlation of the steps from a small
mixture, whose weights were learned from the errors of a checkpoint: the paths have the distribution
of the forecast at each step, and sums and extremes over steps vary as they should.
"""
