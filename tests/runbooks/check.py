"""Parses PowerShell by the grammar of another, and checks of runbooks what can be told without running them.

    check.py SCRIPT...              each is PowerShell; exit 1 with every place that is none
    check.py --runbooks FOLDER      the folder of `campaign apply --runbook`, too

In a runbook every command that changes something stands after the last guard and inside a
`ShouldProcess` of its own; what a script writes beside itself, it does not write with -WhatIf.
"""

import csv
import pathlib
import re
import sys

import tree_sitter_powershell
from tree_sitter import Language, Parser

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
POLICY_NAME_CHARACTERS_MAX = 64
READS = re.compile(r"^(Get|Test|Join|Split|Select|Where|ForEach|Group|Sort|Convert\w+|Write)-", re.I)
# They look like changes, and are of the session alone.
HARMLESS = {"New-Object", "Start-Sleep", "Set-StrictMode", "Out-Null"}
# Commands of Exchange that change a tenant, and calls that change the folder.
CHANGES = re.compile(r"^(Set|New|Remove|Enable|Disable|Add|Update|Invoke|Start|Stop|Clear|Move|Out-File|Export)-", re.I)
WRITES = {"AppendAllText", "WriteAllText", "Move", "Delete", "Copy"}
# Made in the script itself; what they do is checked where they are defined.
FUNCTIONS = {
    "turn-off.ps1": {"Write-Step", "Save-Change", "Test-Policy"},
    "undo.ps1": {"Write-Step"},
    "run-all.ps1": {"Add-Result", "New-Row", "Open-Tenant", "Close-Tenant"},
}

parser = Parser(Language(tree_sitter_powershell.language()))
errors = []


def wrong(node):
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from wrong(child)


def tree(path):
    # The grammar knows no digits in the names of parameters; PowerShell does.
    text = path.read_bytes().replace(b"OAuth2Client", b"OAuthxClient")
    root = parser.parse(text).root_node
    for node in wrong(root):
        told(path, node, "no PowerShell")
    return root


def told(path, node, what):
    line = f":{node.start_point[0] + 1}" if node else ""
    text = f": {node.text.decode()[:80]!r}" if node else ""
    errors.append(f"{path}{line}: {what}{text}")


def every(node, kind):
    if node.type == kind:
        yield node
    for child in node.children:
        yield from every(child, kind)


def above(node):
    while node.parent:
        yield node.parent, node
        node = node.parent


def asks_first(node):
    """Whether the node stands where a condition holds that asks, or that excludes -WhatIf."""
    for parent, child in above(node):
        if parent.type not in ("if_statement", "elseif_clause") or child.type != "statement_block":
            continue
        condition = b"".join(part.text for part in parent.children if part.type not in ("statement_block", "elseif_clauses", "else_clause"))
        if b".ShouldProcess(" in condition:
            return "ShouldProcess"
        if re.search(rb"-not \$WhatIfPreference", condition):
            return "not -WhatIf"
    return None


def in_function(node):
    return next((parent for parent, _ in above(node) if parent.type == "function_statement"), None)


def function_name(node):
    return next(every(node, "function_name")).text.decode()


def check_script(path):
    root = tree(path)
    name = path.name
    if not path.read_bytes().startswith(BYTE_ORDER_MARK):
        told(path, None, "no byte order mark: Windows PowerShell 5.1 would misread it")
    known = {function_name(node) for node in every(root, "function_statement")}
    if known != FUNCTIONS[name]:
        told(path, None, f"functions {sorted(known)}; expected {sorted(FUNCTIONS[name])}")
    passed = [node for node in every(root, "command") if node.text.startswith(b"Write-Step 'guards' 'passed'")]
    if name != "run-all.ps1" and len(passed) != 1:
        told(path, None, "expected one place where the guards have passed")
    changes = 0
    for node in every(root, "command"):
        command = next(every(node, "command_name"), None)
        if command is None:
            # The runner starts a script, which asks for itself.
            if name == "run-all.ps1" and node.text.startswith(b"& $path "):
                if b"-WhatIf:([bool]$WhatIfPreference)" not in node.text:
                    told(path, node, "-WhatIf is not handed on")
                continue
            told(path, node, "a command whose name is not told")
            continue
        command = command.text.decode()
        if command == "Save-Change":
            if asks_first(node) != "ShouldProcess":
                told(path, node, "it writes a file outside of ShouldProcess")
        elif command == "Export-Csv":
            if asks_first(node) is None:
                told(path, node, "it writes a file with -WhatIf, too")
        elif command in known or command in ("Connect-ExchangeOnline", "Disconnect-ExchangeOnline"):
            pass
        elif CHANGES.match(command) and command not in HARMLESS:
            changes += 1
            if name == "run-all.ps1":
                told(path, node, "the runner changes something itself")
            elif in_function(node):
                told(path, node, "a change inside a function: whether it asks cannot be told")
            elif asks_first(node) != "ShouldProcess":
                told(path, node, "a change outside of ShouldProcess")
            elif node.start_byte < passed[0].start_byte:
                told(path, node, "a change before the guards have passed")
            if b"-Confirm:$false" not in node.text:
                told(path, node, "it would ask a second time")
        elif command not in HARMLESS and not READS.match(command):
            told(path, node, "a command that is not known to read only")
    for node in every(root, "invokation_expression"):
        member = next(every(node, "member_name"), None)
        if member is not None and member.text.decode() in WRITES:
            function = in_function(node)
            is_journal = function is not None and function_name(function) == "Save-Change"
            if not is_journal and asks_first(node) is None:
                told(path, node, "it writes a file with -WhatIf, too")
    for node in every(root, "command"):
        if node.text.startswith((b"Invoke-Expression", b"iex ")):
            told(path, node, "text is run as a command")
    if name != "run-all.ps1" and changes == 0:
        told(path, None, "it changes nothing")
    check_guards(path, root, passed)
    return root


def check_guards(path, root, passed):
    """Each guard stops the script, and none stands behind the first change."""
    if not passed:
        return
    before = [node.text.decode() for node in every(root, "if_statement") if node.start_byte < passed[0].start_byte]
    for guard in (
        "CompareOrdinal($today, $validFrom)",
        "CompareOrdinal($today, $validUntil)",
        "$connections.Count -eq 0",
        "$connections.Count -gt 1",
        '"$($connection.TenantID)" -ne $tenantId',
        "$stated -ne $tenantId",
        "$strange.Count -eq $domains.Count",
        "$domains.Count -eq 0 -and -not $stated",
        "$($organization.IsDehydrated)",
        "$lacking.Count -gt 0",
    ):
        of_it = [text for text in before if guard in text.split("{")[0] or guard in text[:160]]
        if not any("throw " in text for text in of_it):
            told(path, None, f"no guard asks for {guard}")


def variable(root, name):
    for node in every(root, "assignment_expression"):
        if node.text.startswith(f"${name} =".encode()):
            return [text.text.decode()[1:-1] for text in every(node, "verbatim_string_characters")]
    return None


def check_folder(folder):
    scripts = sorted(folder.glob("*/*.ps1"))
    for path in scripts:
        root = check_script(path)
        tenant = path.parent.name
        if variable(root, "tenantId") != [tenant]:
            told(path, None, f"it is for {variable(root, 'tenantId')} and lies in the folder of {tenant}")
        for policy in variable(root, "policyName") or []:
            if len(policy) > POLICY_NAME_CHARACTERS_MAX:
                told(path, None, f"a policy's name has {len(policy)} characters")
        off, allow = variable(root, "off"), variable(root, "allow")
        if path.name == "turn-off.ps1" and (not off or set(off) & set(allow)):
            told(path, None, f"off {off}, allowed {allow}")
    runner = folder / "run-all.ps1"
    root = check_script(runner)
    with open(folder / "index.csv", encoding="utf-8-sig", newline="") as index:
        rows = list(csv.DictReader(index))
    named = [row["tenant_id"] for row in rows]
    for row in rows:
        for script in (row["turn_off"], row["undo"]):
            if folder / script not in scripts:
                told(folder / script, None, "the index names it, and it is not there")
    if sorted(named) != sorted(path.parent.name for path in scripts if path.name == "turn-off.ps1"):
        told(folder / "index.csv", None, f"it names {named}")
    due = [node for node in every(root, "hash_literal_expression") if b"Due = $true" in node.text]
    if len(due) != len(rows):
        told(runner, None, f"it runs {len(due)} tenants, and the index has {len(rows)}")
    return len(scripts) + 1


arguments = sys.argv[1:]
if arguments[:1] == ["--runbooks"]:
    count = check_folder(pathlib.Path(arguments[1]))
    arguments = arguments[2:]
else:
    count = 0
for argument in arguments:
    tree(pathlib.Path(argument))
count += len(arguments)
print("\n".join(errors))
print(f"{count} scripts, {len(errors)} errors")
sys.exit(1 if errors or count == 0 else 0)
