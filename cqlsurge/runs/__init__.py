"""One run, from settings to its result."""
