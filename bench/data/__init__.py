"""Dumps, models and images for the bench, made by itself; nothing here uses ipudebug's readers and writers."""
