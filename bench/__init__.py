"""What ipudebug costs, as ratios to named baselines measured in the same run; see README.md."""
