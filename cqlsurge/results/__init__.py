"""From what load processes report to the result document, and what can be said of documents: compared, judged, kept.

Pure but for files.py, folder.py and hdr_log.py: nothing here asks a clock, a process or a server. Above it stand runs/,
which feeds it, and show/, which shows it.
"""
