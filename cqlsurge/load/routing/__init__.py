"""From a routing key to token, replicas, tablet and shard; pure."""
