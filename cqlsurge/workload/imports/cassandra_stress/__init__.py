"""cassandra-stress: its distributions, profiles and command lines.

How: `distributions` reads `gaussian(1..10)`, `profile` the YAML, `command_line` the words of a command line into a
`command`. Meaning is that of the 3.11 line of the program, which ScyllaDB's version shares.
"""
