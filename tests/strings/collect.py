#!/usr/bin/env python3
"""Collects the texts that users see, from the source, into one file for review.

    collect.py            compares them with strings.txt and shows what differs; exit code 1 if anything does
    collect.py --write    writes strings.txt again

Texts are string literals with at least two words in src, and the help texts of src/cli, in the order of the files. A line
that ends in a backslash in the source is joined with the next one. SQL, tests and comments are left out. Notices, pages,
PowerShell scripts and SQL headers are files of their own, which a diff shows anyway.
"""
import difflib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
EXPECTED = pathlib.Path(__file__).parent / "strings.txt"
RAW = re.compile(r'r(#*)"')
CHARACTER = re.compile(r"'(\\[^']*|[^\\'])'")
SQL = re.compile(r"\s*(SELECT|WITH|FROM|CREATE|WHERE|JOIN)\b")
MARKUP = re.compile(r"\s*</?(th|td|tr|table|div|svg|rect|path|text|dl|ul|h\d|Types|workbook|worksheet|styleSheet)\b")


def literals(text, help_texts):
    """The string literals of Rust source, and the doc comments if they are help, each once it begins."""
    at, end = 0, len(text)
    while at < end:
        if text.startswith("//", at):
            line_end = text.find("\n", at)
            line_end = end if line_end < 0 else line_end
            if help_texts and text.startswith("///", at):
                yield text[at + 3 : line_end].strip()
            at = line_end
        elif (raw := RAW.match(text, at)) and not (text[at - 1].isalnum() or text[at - 1] == "_"):
            close = text.index('"' + raw[1], raw.end())
            yield text[raw.end() : close]
            at = close + 1 + len(raw[1])
        elif text[at] == '"':
            close = at + 1
            while text[close] != '"':
                close += 2 if text[close] == "\\" else 1
            yield re.sub(r"\\\n\s*", "", text[at + 1 : close])
            at = close + 1
        elif text[at] == "'" and (character := CHARACTER.match(text, at)):
            at = character.end()
        else:
            at += 1


def is_for_people(text):
    words = text.split()
    return len(words) > 1 and re.search(r"[a-zA-Z]{2}", text) and not SQL.match(text) and not MARKUP.match(text)


def collected():
    sections = []
    for path in sorted((ROOT / "src").rglob("*.rs")):
        name = path.relative_to(ROOT).as_posix()
        if re.search(r"/tests?(/|\.rs$)|_tests\.rs$|/sample(/|\.rs$)", name):
            continue
        text = path.read_text().split("#[cfg(test)]\nmod tests {")[0]
        texts = [found.replace("\n", "\\n") for found in literals(text, name.startswith("src/cli/")) if is_for_people(found)]
        if texts:
            sections.append("\n".join([f"## {name}", *texts]))
    return "\n\n".join(sections) + "\n"


def main():
    found = collected()
    if sys.argv[1:] == ["--write"]:
        EXPECTED.write_text(found)
        return 0
    expected = EXPECTED.read_text()
    lines = list(difflib.unified_diff(expected.splitlines(), found.splitlines(), "strings.txt", "the source", lineterm="", n=0))
    print("\n".join(lines) if lines else f"strings: {found.count(chr(10))} lines as reviewed")
    if lines:
        print("Review these texts, then run: tests/strings/collect.py --write", file=sys.stderr)
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
