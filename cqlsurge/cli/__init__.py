"""One file a command: how its options are read and what it calls.

Each module has `add_parser(subparsers)`, which gives the command's parser, and `run(args)`, which gives the exit code.
One whose words hold `--` has `split(words)` too: (words for the parser, the rest cut into sides for args.sides).
"""

COMMANDS = {
    "run": "write or read rows, and tell how fast it went",
    "workload": "look at workloads, import and derive them",
    "find": "find the highest rate that holds a goal for latency and errors",
    "curve": "draw response times against rate, with the knee",
    "soak": "load at a rate for long, and go on after being cut off",
    "report": "make a report of saved runs: an HTML page, Markdown or CSV",
    "compare": "tell how runs differ from others, and how sure that is",
    "ab": "run two settings in turn on one database, and compare them",
    "ladder": "climb from the naive to the best way to do the same work, measured here",
    "runs": "list the runs kept in a folder with their key figures",
    "cassandra": "hold a real Apache Cassandra cluster on this machine",
    "doctor": "tell what this machine can do, and what to change",
    "simulate": "hold a ScyllaDB-like server, or a null server, on this machine",
}
