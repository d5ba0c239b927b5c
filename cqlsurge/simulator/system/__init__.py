"""The system tables of the simulated cluster: their definitions, and their rows made from the model."""
