"""Other forms of the same weights, which a device computes faster."""
