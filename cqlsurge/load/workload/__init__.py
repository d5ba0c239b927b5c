"""From an operation number to kind, key, values and expected value; pure."""
