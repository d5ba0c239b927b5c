"""Reports of saved runs: one HTML page that needs nothing else, and a summary in Markdown."""
