"""Compensation: what rounding the weights of a convolution does to its output is made up for, without training.

Three steps, each known by its paper, and each needs no more than what a pass over the calibration images shows:

- ``rounding``: weights that meet pixels are rounded so that their errors cancel (OBQ, GPTQ).
- ``bias``: the mean error of each output channel goes into its bias (bias correction, Nagel et al. 2019).
- ``balance``: weights of 16 bits give some of them up where the sums of the chip would lose more.

``moments`` is what calibration remembers of the inputs of a convolution, and ``taps`` what it observes for that.
"""
