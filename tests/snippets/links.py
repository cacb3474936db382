"""Fails where a relative link of a Markdown page leads to no file, or to no heading of a page.

Usage: links.py ROOT
"""

import pathlib
import re
import sys


def prose(page):
    """The page without code, in which brackets are no links."""
    return re.sub(r"`[^`]*`", "", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S))


def anchors(page):
    """The names that GitHub gives to the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    names = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()).replace(" ", "-")
        number = 0
        while (f"{name}-{number}" if number else name) in names:
            number += 1
        names.add(f"{name}-{number}" if number else name)
    return names


def main():
    root = pathlib.Path(sys.argv[1])
    links = 0
    broken = 0
    for page in [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("examples/**/*.md")]:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if re.match(r"[a-z]+:", target):
                continue
            links += 1
            file, _, anchor = target.partition("#")
            there = page.parent / file if file else page
            if not there.exists():
                print(f"{page.relative_to(root)}: {target}: no such file")
                broken += 1
            elif anchor and anchor not in anchors(there):
                print(f"{page.relative_to(root)}: {target}: no such heading")
                broken += 1
    print(f"{links} links, {broken} broken")
    return 1 if broken or not links else 0


sys.exit(main())
