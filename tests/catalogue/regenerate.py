"""Writes what follows from other files: ``python -m tests.catalogue.regenerate``.

``ipudebug/catalogue/own.ini`` follows from the messages in the source, ``docs/errors.md`` from the catalogue. Tests
fail where they are out of date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ipudebug.catalogue import STAGES, Entry, find_known, load_entries
from ipudebug.catalogue.entries import PLACEHOLDER
from tests.catalogue.own_messages import OwnMessage, collect_messages

ROOT = Path(__file__).parents[2]
OWN, PAGE = ROOT / "ipudebug" / "catalogue" / "own.ini", ROOT / "docs" / "errors.md"
COMMON = frozenset(
    re.findall(r"\w+", "a an and are at byte bytes expected file found from has in is it line no not of the")
)
FEWEST_WORDS, FEWEST_LETTERS = 2, 10
"""Below them a message is only recognised behind the word that the command line prints before it."""
HEAD = """\
# What ipudebug itself says, read off its source by: python -m tests.catalogue.regenerate
# The keys are those of messages.ini. Do not edit: the next run replaces it.
"""
PAGE_HEAD = """\
# Error messages

What the vendor's tools and ipudebug print when they stop, why, and what to do: the pages behind `ipudebug explain`. A
part in ⟨⟩ is a sample of what varies. Evidence: *doc* the vendor's page, *script* its older scripts, *std* Python,
protobuf or ONNX, *seen* in a real run, *inferred* a conclusion, *ours* ipudebug.

This file is generated from `ipudebug/catalogue/`: `python -m tests.catalogue.regenerate`.
"""


def count_telling(template: str) -> int:
    """Return how many fixed words of a message say something of their own."""
    words = re.findall(r"[a-z]{2,}", PLACEHOLDER.sub(" ", template).lower())
    return len([word for word in words if word not in COMMON])


def shape_template(message: OwnMessage) -> str:
    """Return what is looked for: the template, behind ``error:`` where its own words are few; empty where too few."""
    template = " ".join(message.template.split())
    if count_telling(template) >= FEWEST_WORDS:
        return template
    letters = sum(map(str.isalpha, PLACEHOLDER.sub("", template)))
    return f"error: {template}" if count_telling(template) and letters >= FEWEST_LETTERS else ""


def find_others(template: str) -> list[Entry]:
    """Return the entries besides those of own.ini that explain a message: a text of the vendor's may be part of it."""
    entries = {key: entry for key, entry in load_entries().items() if not entry.key.startswith("own-message-")}
    known = find_known([PLACEHOLDER.sub(r"\1", template)], entries)
    return [entry for found in known for entry in found.entries if not entry.general]


def render_own(messages: Iterable[OwnMessage]) -> str:
    """Return own.ini: the messages that can be recognised and that no other entry explains."""
    blocks: dict[str, str] = {}
    for message in messages:
        template = shape_template(message)
        if not template or find_others(template):
            continue
        words = re.findall(r"[a-z0-9]+", PLACEHOLDER.sub(" ", template).lower())
        stem = "own-message-" + "-".join(words[:7])
        key = next(name for number in range(1, 99) if (name := stem + f"-{number}" * (number > 1)) not in blocks)
        hint = " ".join(message.hint.split())
        remedy = hint if count_telling(hint) >= FEWEST_WORDS else "do what the line after 'hint:' says"
        last = "general = yes\n" if template.startswith("error: ") else ""
        blocks[key] = (
            f"\n[{key}]\nstage = I\nmessage = {template}\ncause = {_explain(message)}\n"
            f"when = ipudebug stops with {message.error}\nevidence = ours\nremedy = {remedy}\n"
            f"look = the file, option or layer that the message names\n{last}"
        )
    return HEAD + "".join(blocks[key] for key in sorted(blocks))


def _explain(message: OwnMessage) -> str:
    """Return the cause of a message: what its error class is for."""
    import ipudebug.errors

    error = getattr(ipudebug.errors, message.error, ipudebug.errors.IpuDebugError)
    if error is ipudebug.errors.IpuDebugError:
        return "What the command was given does not fit"
    return (error.__doc__ or "").split("\n")[0].rstrip(".").replace("``", "")


def render_page(entries: Mapping[str, Entry]) -> str:
    """Return docs/errors.md."""
    blocks = [PAGE_HEAD]
    for stage, title in STAGES.items():
        blocks.append(f"\n## {stage}: {title}\n")
        blocks += [_render_entry(entry) for entry in entries.values() if entry.stage == stage]
    return "".join(blocks)


def _render_entry(entry: Entry) -> str:
    """Return one entry of the page."""
    anchor = entry.link.partition("#")[2]
    facts = {"When": f"{entry.when} ({entry.evidence})", "Do": entry.remedy, "Rewrite": entry.rewrite}
    facts |= {"Look at": entry.look}
    cause = entry.cause[:1].upper() + entry.cause[1:]
    forms = "\n".join(entry.forms)
    lines = "".join(f"- {title}: {_escape(fact)}\n" for title, fact in facts.items() if fact)
    return f'\n<a id="{anchor}"></a>\n\n```text\n{forms}\n```\n\n{_escape(cause)}.\n\n{lines}'


def _escape(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_<>\[\]])", r"\\\1", text)


if __name__ == "__main__":
    OWN.write_text(render_own(collect_messages()), encoding="utf-8")
    load_entries.cache_clear()
    PAGE.write_text(render_page(load_entries()), encoding="utf-8")
