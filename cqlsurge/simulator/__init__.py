"""A ScyllaDB-like server and the null server, built on load/cql and load/routing."""
