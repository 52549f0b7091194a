"""Faults planted into networks: do the verdicts of ``ipudebug diagnose`` name them? See bench/README.md."""
