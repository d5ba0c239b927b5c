"""Workloads as people have them: files, profiles of other programs, tables. Each becomes a spec of load/workload."""
