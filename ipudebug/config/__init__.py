"""Text file -> frozen dataclass; every error names file, line, section and key."""
