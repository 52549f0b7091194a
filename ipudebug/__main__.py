"""``python -m ipudebug``."""

from ipudebug.cli import main

main()
