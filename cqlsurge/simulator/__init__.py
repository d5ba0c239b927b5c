"""A ScyllaDB-like server and the null server, built on load/wire and load/routing."""
