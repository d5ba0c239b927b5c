"""The load process: standard library only, Python 3.9 syntax, importing nothing outside this folder."""
