"""Workloads derived from tables that are there: their columns from the schema, their shapes from a sample.

How: `schema` reads a table, `sample` its rows by token ranges, `histograms` and `shapes` turn values into what may
leave (lengths, ranges, shares, never a value), `document` writes our file.
"""
