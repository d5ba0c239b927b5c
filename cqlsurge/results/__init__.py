"""The result document: its shape, how it is computed, written and read."""
