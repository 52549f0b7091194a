"""Options that several commands share, spelled as the vendor spells them; ``-`` for ``_`` is accepted too."""

import click

image_option = click.option(
    "-i", "--image", required=True, metavar="PATH", help="Image, folder of images, list of images, or FOLDER:LIST."
)
preprocess_option = click.option(
    "-n", "--preprocess", required=True, metavar="FILE", help="Preprocess file; one a model input, ',' between them."
)
input_config_option = click.option(
    "--input_config", "--input-config", "input_config", metavar="INI", help="input_config.ini, for its input_layouts."
)
dump_bin_option = click.option(
    "--dump_bin",
    "--dump-bin",
    "dump_bin",
    required=True,
    type=click.Choice(["True", "False"], case_sensitive=False),
    metavar="True|False",
    help="True: one binary dump, for comparing. False: text, for reading.",
)
dump_folder_option = click.option(
    "-o", "--output", default="dumpData", show_default=True, metavar="FOLDER", help="Folder for the dump."
)
