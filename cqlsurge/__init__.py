"""cqlsurge: load for ScyllaDB and Apache Cassandra from Python, and the truth about what was measured.

Nothing is imported here: load processes on other interpreters import this package for `cqlsurge.load` alone.
"""

__version__ = "0.1.0"
