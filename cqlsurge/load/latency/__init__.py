"""Histograms of latencies, their merge and their HdrHistogram encoding; pure."""
