"""Inputs of cases: values, containers, options, times, frames and files."""
