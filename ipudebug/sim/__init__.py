"""Models on their way to the board: what the chip accepts, and the steps from an original model to an offline one."""
