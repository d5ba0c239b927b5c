"""The real Apache Cassandra that cqlsurge brings along."""
