"""Workloads derived from tables that are there: their columns from the schema, their shapes from a sample.

How: `sample` reads rows of a table by token ranges, `histograms` and `shapes` turn values into what may
leave (lengths, ranges, shares, never a value), `document` writes our file.
"""
