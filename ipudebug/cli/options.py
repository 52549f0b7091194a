"""Options that several commands share, spelled as the vendor spells them; ``-`` for ``_`` is accepted too."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

image_option = click.option(
    "-i", "--image", required=True, metavar="PATH", help="Image, folder of images, list of images, or FOLDER:LIST."
)
preprocess_option = click.option(
    "-n", "--preprocess", required=True, metavar="FILE", help="Preprocess file; one a model input, ',' between them."
)
input_config_option = click.option(
    "--input_config", "--input-config", "input_config", metavar="INI", help="input_config.ini, for its input_layouts."
)


def make_dump_bin_option(default: str | None = None) -> Callable[[F], F]:
    """Return the option --dump_bin; required unless it has a default."""
    return click.option(
        "--dump_bin",
        "--dump-bin",
        "dump_bin",
        required=default is None,
        default=default,
        show_default=default is not None,
        type=click.Choice(["True", "False"], case_sensitive=False),
        metavar="True|False",
        help="True: one binary dump, for comparing. False: text, for reading.",
    )


dump_bin_option = make_dump_bin_option()
dump_folder_option = click.option(
    "-o", "--output", default="dumpData", show_default=True, metavar="FOLDER", help="Folder for the dump."
)
