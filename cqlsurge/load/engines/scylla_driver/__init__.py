"""ScyllaDB's Python driver as an engine, through its public API, with a choice of techniques."""
