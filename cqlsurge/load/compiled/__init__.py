"""Workloads as straight-line code for the interpreter at hand: the fast form of what load/workload says plainly.

From what comes first to what comes last:
  graph       typed nodes from an operation's number to the values that its frames hold, common parts shared
  layout      a frame as constant bytes with holes, slices of pools, and bytes objects
  statement   one statement of a workload as graph and layouts; lower makes these of a workload
  source      nodes to lines of Python, in one of three dialects: plain integers, machine integers (PyPy), numpy arrays
  parts, arena, blocks     what the engine calls, one module for each way of handling bytes
"""
