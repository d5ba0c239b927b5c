"""What the simulator does on command: delays, stalls and faults."""
