"""When the next operation is due; pure, no clock inside."""
