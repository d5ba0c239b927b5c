"""One file a command: how its options are read and what it calls."""
