"""This machine: cores, limits, pressure."""
