"""The engines, each behind one contract."""
