"""What people see on a terminal while a run goes and when it ends; fed by results only."""
