"""Error classes, and what may be done about each; pure."""
