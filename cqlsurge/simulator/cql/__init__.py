"""The CQL language as far as the simulator speaks it: text to statements."""
