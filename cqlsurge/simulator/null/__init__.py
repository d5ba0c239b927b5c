"""The null server: right answers that cost next to nothing, so that only the client is measured."""
