"""Where a system's limit is: goals, steps of load, the search for the highest rate that holds a goal, the knee.

Pure: told of each second of load, it says what to do next. No clock, process or file.
"""
