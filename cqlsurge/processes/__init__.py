"""Starts the load processes, talks to them and merges what they say."""
