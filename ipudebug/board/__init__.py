"""The board over RPC: the wire, a server that stands in for a board, its faults, and the client."""
