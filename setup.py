"""What pyproject.toml cannot say yet: the compiled sums, which numpy takes where there is no compiler."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "ipudebug.metrics._runs",
            ["ipudebug/metrics/_runs.c"],
            extra_compile_args=["-O3", "-ffp-contract=off"],  # nothing fused: the same digits on every processor
            optional=True,
        )
    ]
)
