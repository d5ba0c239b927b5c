"""This machine: cores, limits, pressure, free ports.

Every function that reads /proc or /sys takes the root under which they lie, so that tests can bring their own. What a
system does not show (macOS, an old kernel, a locked-down container) is None, never an error and never a guess.
"""
