"""Parses PowerShell and tells every place that is none; exit 1 if there is one."""

import sys

import tree_sitter_powershell
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_powershell.language()))


def wrong(node):
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from wrong(child)


errors = 0
for path in sys.argv[1:]:
    with open(path, "rb") as script:
        # The grammar knows no digits in the names of parameters; PowerShell does.
        text = script.read().replace(b"OAuth2Client", b"OAuthxClient")
    for node in wrong(parser.parse(text).root_node):
        errors += 1
        print(f"{path}:{node.start_point[0] + 1}: {text[node.start_byte:node.end_byte][:80]!r}")
print(f"{len(sys.argv) - 1} scripts, {errors} errors")
sys.exit(1 if errors or len(sys.argv) == 1 else 0)
