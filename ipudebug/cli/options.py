"""Options that several commands share, spelled as the vendor spells them; ``-`` for ``_`` is accepted too."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class BinaryFile(click.ParamType):
    """The name of a binary file to write: not ``-``, as stdout has what the command says."""

    name = "file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; raises click.BadParameter for ``-``."""
        if value == "-":
            self.fail(
                "a binary file does not go to stdout; give it a name, ./- for a file that is called so", param, ctx
            )
        return value


image_option = click.option(
    "-i", "--image", required=True, metavar="PATH", help="Image, folder of images, list of images, or FOLDER:LIST."
)
preprocess_option = click.option(
    "-n", "--preprocess", required=True, metavar="FILE", help="Preprocess file; one a model input, ',' between them."
)


def make_input_config_option(help_text: str, *, required: bool = False) -> Callable[[F], F]:
    """Return the option --input_config."""
    return click.option(
        "--input_config", "--input-config", "input_config", required=required, metavar="INI", help=help_text
    )


input_config_option = make_input_config_option("input_config.ini, for its input_layouts.")


def make_soc_version_option(help_text: str, *, required: bool = False) -> Callable[[F], F]:
    """Return the option --soc_version, the name of the chip."""
    return click.option(
        "--soc_version", "--soc-version", "soc_version", required=required, metavar="CHIP", help=help_text
    )


def make_category_option(help_text: str) -> Callable[[F], F]:
    """Return the option -c, what the model's outputs are."""
    return click.option(
        "-c",
        "--category",
        type=click.Choice(["Unknown", "Classification", "Detection"], case_sensitive=False),
        default="Unknown",
        show_default=True,
        help=help_text,
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
