"""mean and std_value of input_config.ini, in the current form (``1:2:3``) and that of SDK 1.1.5 (``mean_red`` ...)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipudebug.config.ini import Entry, Ini
from ipudebug.config.input_formats import channel_counts
from ipudebug.config.values import NUMBERS, Channels, check_count, read_channels

COLOURS = ("mean_red", "mean_green", "mean_blue")
NO_SCALE = "std_value is what pixels are divided by: write 1 to leave them as they are"
ONE = "write one number: a GRAY image has one channel"
MISMATCH = "input mean/std number != input number."


def read_normalisation(
    section: Mapping[str, Entry], inputs: Sequence[str], formats: Sequence[str], ini: Ini
) -> tuple[tuple[Channels, ...], tuple[Channels, ...]]:
    """Return mean and std, per input one number per channel; ``()`` where not stated.

    A single std of an input holds for all its channels. ``formats`` are the training formats, or empty. Raises
    ConfigError; remarks go to ``ini.notes``.
    """
    formats = formats or [""] * len(inputs)
    means = _read_means(section, inputs, formats, ini)
    entry = section.get("std_value")
    if entry is None:
        return means, ()
    check_count(entry, inputs, MISMATCH, "input")
    stds = []
    for place, channels in enumerate(read_channels(entry)):
        if 0.0 in channels:
            raise entry.fault("division by zero.", f"a std other than 0 for input {inputs[place]}", "0", NO_SCALE)
        counts = channel_counts(formats[place])
        wanted = len(means[place]) if means else counts[0] if counts else len(channels)
        spread = channels * wanted if len(channels) == 1 else channels
        _check_channels(entry, spread, inputs[place], formats[place])
        if means and len(spread) != wanted:
            raise entry.fault(
                MISMATCH, f"{_count(wanted)} for input {inputs[place]}, as many as mean", str(len(spread)), NUMBERS
            )
        stds.append(spread)
    return means, tuple(stds)


def _read_means(
    section: Mapping[str, Entry], inputs: Sequence[str], formats: Sequence[str], ini: Ini
) -> tuple[Channels, ...]:
    """Return the means of either form; ``()`` when there is none."""
    entry = section.get("mean")
    split = [section[key] for key in COLOURS if key in section]
    if entry and split:
        raise split[0].fault(
            "mean stated twice.", f"either mean (line {entry.line}) or this one", split[0].key, "keep mean"
        )
    if entry:
        check_count(entry, inputs, MISMATCH, "input")
        means = read_channels(entry)
        for place, channels in enumerate(means):
            _check_channels(entry, channels, inputs[place], formats[place])
        return means
    return _join_colours(split, inputs, formats, ini) if split else ()


def _join_colours(
    split: Sequence[Entry], inputs: Sequence[str], formats: Sequence[str], ini: Ini
) -> tuple[Channels, ...]:
    """Return the means of the three keys of SDK 1.1.5; a GRAY input takes the first of them."""
    columns = []
    for entry in split:
        check_count(entry, inputs, MISMATCH, "input")
        columns.append(read_channels(entry))
        if any(len(channels) > 1 for channels in columns[-1]):
            raise entry.fault(
                MISMATCH, "one number per input", hint="mean takes all channels of an input: mean = 1:2:3"
            )
    means = []
    for place, name in enumerate(inputs):
        channels = tuple(column[place][0] for column in columns)
        if formats[place] == "GRAY":
            if len(set(channels)) > 1:
                ini.notes.append(f"{split[0].place}: GRAY input {name} takes this mean, {channels[0]:g}, only")
            channels = channels[:1]
        _check_channels(split[0], channels, name, formats[place])
        means.append(channels)
    return tuple(means)


def _check_channels(entry: Entry, channels: Channels, name: str, training_format: str) -> None:
    """Raise ConfigError unless the input may have that many channels."""
    counts = channel_counts(training_format)
    if counts and len(channels) not in counts:
        expected = f"{' or '.join(map(_count, counts))} for {training_format or 'the'} input {name}"
        raise entry.fault(MISMATCH, expected, f"{len(channels)}", NUMBERS if max(counts) > 1 else ONE)


def _count(number: int) -> str:
    """Return a number of values in words."""
    return "1 value" if number == 1 else f"{number} values"
