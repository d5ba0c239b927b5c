"""One run from its settings to its document (run.py), and several on one database (series.py).

What goes on beside a phase is an Observer (phase.py). No figure is computed here (results/), nothing is printed
(show/); cli/, limits/ and api.py call it.
"""
