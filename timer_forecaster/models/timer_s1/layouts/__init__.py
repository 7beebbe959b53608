"""The same weights in forms that a device computes faster."""
