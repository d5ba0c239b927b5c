#!/usr/bin/env python3
"""cqlsurge behind the ancestor's command line: `uv run program.py [ADDRESS] [OPTIONS]`."""

import sys

from cqlsurge.cli.main import program

if __name__ == "__main__":
    sys.exit(program())
