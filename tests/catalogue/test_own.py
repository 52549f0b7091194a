"""What ipudebug itself says can be explained: the catalogue and the page follow the source."""

from __future__ import annotations

import random

from ipudebug.catalogue import find_known, load_entries
from ipudebug.catalogue.entries import PLACEHOLDER
from tests.catalogue.own_messages import collect_messages
from tests.catalogue.regenerate import OWN, PAGE, find_others, render_own, render_page, shape_template

STALE = "{} is out of date: python -m tests.catalogue.regenerate"


def list_messages(text: str) -> set[str]:
    """Return the messages of an own.ini, whatever their varying parts are called."""
    return {PLACEHOLDER.sub("⟨⟩", line) for line in text.splitlines() if line.startswith("message = ")}


def test_own_ini_follows_from_the_source() -> None:
    fresh = list_messages(render_own(collect_messages()))
    assert list_messages(OWN.read_text(encoding="utf-8")) == fresh, STALE.format(OWN)


def test_the_page_follows_from_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(load_entries()), STALE.format(PAGE)


def test_every_message_in_the_source_is_explained_when_it_is_pasted_back() -> None:
    source = random.Random(7)
    unknown = []
    for message in collect_messages():
        template = shape_template(message)
        if not template:
            continue
        text = PLACEHOLDER.sub(lambda _: f"/x{source.randint(0, 999)}/y z", template.removeprefix("error: "))
        known = [
            entry for found in find_known([f"error: {text}\n", "hint: x\n"], load_entries()) for entry in found.entries
        ]
        if not any(entry.stage == "I" or entry in find_others(template) for entry in known):
            unknown.append((template, [entry.key for entry in known]))
    assert unknown == []


def test_few_messages_are_too_general_to_be_recognised() -> None:
    messages = collect_messages()
    general = [message.template for message in messages if not shape_template(message)]
    assert len(messages) > 100
    assert len(general) < len(messages) / 5
