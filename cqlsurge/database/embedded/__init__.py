"""The real Apache Cassandra that cqlsurge brings along."""

from cqlsurge.database.embedded.cluster import EmbeddedCluster, start

__all__ = ["EmbeddedCluster", "start"]
