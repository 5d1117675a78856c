"""Records what a program does to the files below a folder, with every byte, and repeats it on a `Disk`.

Uses strace, which sees every system call, also those that a preloaded library does not. A call that is not understood
and changes a file below the folder is an error, so that nothing is passed over.
"""

import os
import re

from disk import File, Folder

CALLS = ("open,openat,openat2,creat,read,pread64,readv,write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,"
         "splice,lseek,dup,dup2,dup3,fcntl,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,syncfs,sync,"
         "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat")
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
FD = re.compile(r"^(\d+)<([^>]*)>")
BASE = re.compile(r"(?:AT_FDCWD|\d+)<([^>]*)>, $")
IOV = re.compile(r'iov_base="((?:\\x[0-9a-f]{2})*)"')
BY_FD = {"read", "readv", "write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range", "splice",
         "lseek", "dup", "dup2", "dup3", "fcntl", "ftruncate", "fallocate", "fsync", "fdatasync", "syncfs"}
NOT_MODELLED = {"pwritev", "pwritev2", "sendfile", "copy_file_range", "splice", "truncate", "fallocate", "symlink",
                "symlinkat", "openat2"}


def strace(trace):
    """The words before a command line that record it."""
    return ["strace", "-f", "-y", "-xx", "-s", str(64 << 20), "-e", f"trace={CALLS}", "-o", str(trace)]


def joined(trace):
    """Lines of one call each; a call that another thread interrupted stands where it ended."""
    waiting = {}
    for line in trace:
        pid, _, rest = line.rstrip("\n").partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            waiting[pid] = rest.removesuffix("<unfinished ...>").rstrip()
        elif rest.startswith("<... "):
            yield waiting.pop(pid, "") + rest.partition("resumed>")[2]
        else:
            yield rest


def data(hexadecimal):
    return bytes.fromhex(hexadecimal.replace("\\x", ""))


def plain(text):
    """A text in which strace has written bytes as hexadecimal."""
    return data(text).decode(errors="surrogateescape") if text.startswith("\\x") else text


class Opened:
    """An open file; its duplicates share the position."""

    def __init__(self, node, appends):
        self.node = node
        self.appends = appends
        self.position = 0


class Recording:
    """Repeats a trace on a disk."""

    def __init__(self, disk, cwd):
        self.disk = disk
        self.cwd = str(cwd)
        self.opened = {}

    def play(self, trace):
        """Yields the name of each call that changed something, when the disk has it."""
        with open(trace, encoding="ascii", errors="strict") as lines:
            for line in joined(lines):
                call = CALL.match(line)
                if call and int(call.group(3)) >= 0:
                    name, arguments, result = call.group(1), call.group(2), int(call.group(3))
                    changed = (self.by_fd if name in BY_FD else self.by_path)(name, arguments, result)
                    if changed:
                        yield changed

    def paths(self, arguments):
        paths = []
        for text in TEXT.finditer(arguments):
            before = BASE.search(arguments[: text.start()])
            base = plain(before.group(1)) if before else self.cwd
            paths.append(os.path.normpath(os.path.join(base, data(text.group(1)).decode(errors="surrogateescape"))))
        return paths

    def by_fd(self, name, arguments, result):
        named = FD.match(arguments)
        if not named:
            return None
        fd, path = int(named.group(1)), plain(named.group(2))
        if not path.removesuffix(" (deleted)").startswith(self.disk.path):
            return None
        if name in NOT_MODELLED:
            raise SystemExit(f"the recording does not know what this does: {name}({arguments[:200]}")
        if name == "syncfs":
            self.disk.sync_all()
            return None
        file = self.opened.get(fd)
        if file is None:
            return None
        if name in {"fsync", "fdatasync"}:
            file.node.sync()
        elif name in {"dup", "dup2", "dup3"} or (name == "fcntl" and "F_DUPFD" in arguments):
            self.opened[result] = file
        elif name in {"read", "readv"}:
            file.position += result
        elif name == "lseek":
            file.position = result
        elif name == "ftruncate":
            size = int(arguments.rpartition(", ")[2])
            file.node.become(file.node.content[:size].ljust(size, b"\0"))
            return "ftruncate"
        elif name in {"write", "writev", "pwrite64"}:
            text = TEXT.search(arguments)
            if text and text.group(2):
                raise SystemExit("strace cut a text short")
            found = b"".join(map(data, IOV.findall(arguments))) if name == "writev" else data(text.group(1))
            if name == "pwrite64":
                offset = int(arguments.rpartition(", ")[2])
            else:
                offset = len(file.node.content) if file.appends else file.position
                file.position = offset + result
            file.node.write(offset, found[:result])
            return name
        return None

    def by_path(self, name, arguments, result):
        below = [path for path in self.paths(arguments) if self.disk.parts(path) or path == self.disk.path]
        if not below:
            return None
        if name in NOT_MODELLED:
            raise SystemExit(f"the recording does not know what this does: {name}({arguments[:200]}")
        path = below[0]
        if name in {"open", "openat", "creat"}:
            return self.open(path, arguments, result)
        if name in {"mkdir", "mkdirat"}:
            self.disk.make(path, Folder())
        elif name in {"unlink", "unlinkat", "rmdir"}:
            self.disk.unlink(path)
        elif name.startswith("rename"):
            self.disk.rename(*below)
        elif name.startswith("link"):
            self.disk.link(*below)
        else:
            return None
        return name

    def open(self, path, arguments, fd):
        node, changed = self.disk.find(path), None
        if node is None:
            if "O_CREAT" not in arguments:
                return None
            node, changed = self.disk.make(path, File()), "create"
        elif "O_TRUNC" in arguments and node.content:
            node.become(b"")
            changed = "truncate"
        self.opened[fd] = Opened(node, "O_APPEND" in arguments)
        return changed
