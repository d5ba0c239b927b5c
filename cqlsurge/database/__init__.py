"""Control plane: connection, schema and topology through scylla-driver."""
