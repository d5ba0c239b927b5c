"""One file a command: how its options are read and what it calls.

Each module has `add_parser(subparsers)`, which gives the command's parser, and `run(args)`, which gives the exit code.
"""

COMMANDS = {
    "run": "write or read rows, and tell how fast it went",
    "cassandra": "hold a real Apache Cassandra cluster on this machine",
    "simulate": "hold a ScyllaDB-like server, or a null server, on this machine",
}
