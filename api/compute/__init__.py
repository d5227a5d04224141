"""Compute processes: questions are answered in processes with a memory limit, behind a short, fair queue."""
