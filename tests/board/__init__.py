"""Tests of the board over RPC."""
