"""Workloads of other load programs, turned into the text of our workload file and a report of what became of them."""
