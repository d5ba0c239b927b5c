"""When the next operation is due; pure, no clock inside.

notation.parse reads `--rate`, shapes.Shape is the asked rate over time, schedule.Pacer lists the due times of one load
process.
"""
