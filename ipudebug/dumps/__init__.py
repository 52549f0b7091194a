"""Dumps: many tensors <-> one file.

A dump format is one module here that exports ``FORMAT``, an object with ``recognise`` and ``open``.
"""
