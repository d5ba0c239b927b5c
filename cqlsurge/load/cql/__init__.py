"""CQL native protocol v4 as bytes, both roles, without I/O."""
