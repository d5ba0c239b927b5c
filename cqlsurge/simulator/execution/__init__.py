"""Statements done: from a parsed statement and its bound values to rows in the store and an answer."""
