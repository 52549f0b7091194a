"""Remarks for the user, on stderr."""

import click


def show_note(text: str) -> None:
    """Print a remark to stderr."""
    click.echo(f"note: {text}", err=True)
