"""Histograms of latencies, their merge and their HdrHistogram encoding; pure.

A histogram is a plain `list[int]` of `layout.COUNTS_LENGTH` counts; `layout.new_counts()` makes an empty one.
"""
