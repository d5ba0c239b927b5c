"""Entry point and messages of a load process."""
