"""What a disk may hold after a power cut.

A file keeps its content as of its last fsync, a folder its names as of the folder's; of what came later, any part may
be there. `Disk` follows the operations of a process and lists, at any moment, the trees that a cut may leave:
all of it lost, none of it, the content of one file lost (whole, from some write on, or replaced by zeros), one name
lost, from one name on all of its folder lost, and only one of them kept.
"""

import os
from pathlib import Path


class File:
    def __init__(self, content=b""):
        self.content = content
        self.safe = b""
        self.unsynced = []  # contents since the last sync, the newest last

    def write(self, offset, data):
        content = self.content.ljust(offset, b"\0")
        self.become(content[:offset] + data + content[offset + len(data):])

    def become(self, content):
        self.content = content
        self.unsynced.append(content)

    def sync(self):
        self.safe = self.content
        self.unsynced = []


class Folder:
    def __init__(self):
        self.names = {}
        self.safe = {}
        self.unsynced = []  # changes since the last sync, each of which is made whole or not at all

    def change(self, names):
        """`None` takes a name away."""
        apply(self.names, names)
        self.unsynced.append(names)

    def sync(self):
        self.safe = dict(self.names)
        self.unsynced = []


def apply(names, change):
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Disk:
    """The files below a folder, all of which are safe at first."""

    def __init__(self, root):
        self.path = str(root)
        self.root = self.load(Path(root))
        self.nodes = list(self.all())
        self.sync_all()

    def load(self, path):
        if path.is_dir():
            folder = Folder()
            folder.names = {entry.name: self.load(entry) for entry in path.iterdir()}
            return folder
        return File(path.read_bytes())

    def all(self, folder=None):
        folder = folder or self.root
        yield folder
        for node in folder.names.values():
            if isinstance(node, Folder):
                yield from self.all(node)
            else:
                yield node

    def parts(self, path):
        """The names below the root; `None` for what is elsewhere, and for the root."""
        relative = os.path.relpath(path, self.path)
        return None if relative == "." or relative.startswith("..") else relative.split("/")

    def find(self, path):
        node = self.root
        if path == self.path:
            return node
        for name in self.parts(path) or ["\0"]:
            node = node.names.get(name) if isinstance(node, Folder) else None
            if node is None:
                return None
        return node

    def folder_of(self, path):
        return self.find(os.path.dirname(path))

    def make(self, path, node):
        self.nodes.append(node)
        self.folder_of(path).change({os.path.basename(path): node})
        return node

    def link(self, old, new):
        self.folder_of(new).change({os.path.basename(new): self.find(old)})

    def unlink(self, path):
        self.folder_of(path).change({os.path.basename(path): None})

    def rename(self, old, new):
        node, above, below = self.find(old), self.folder_of(old), self.folder_of(new)
        if above is below:
            # Within one folder it is there or not; the old name never stays beside the new one.
            above.change({os.path.basename(old): None, os.path.basename(new): node})
        else:
            below.change({os.path.basename(new): node})
            above.change({os.path.basename(old): None})

    def sync_all(self):
        for node in self.nodes:
            node.sync()

    def unsynced(self):
        return [node for node in self.nodes if node.unsynced]

    def tree(self, kept):
        """The content of each file by its path, `None` for a folder. `kept` says of a node what it has."""
        tree = {}

        def add(folder, prefix):
            names = dict(folder.safe)
            for change in kept(folder) if folder.unsynced else []:
                apply(names, change)
            for name, node in names.items():
                if isinstance(node, Folder):
                    tree[prefix + name] = None
                    add(node, prefix + name + "/")
                else:
                    tree[prefix + name] = kept(node) if node.unsynced else node.safe

        add(self.root, "")
        return tree

    def trees(self):
        """What a cut at this moment may leave: what is lost, and the tree."""
        def everything(node):
            return node.unsynced if isinstance(node, Folder) else node.content

        def nothing(node):
            return [] if isinstance(node, Folder) else node.safe

        def but(of, one, has):
            return self.tree(lambda node: has if node is one else of(node))

        yield "nothing lost", self.tree(everything)
        yield "all lost", self.tree(nothing)
        yield "contents lost", self.tree(lambda node: (everything if isinstance(node, Folder) else nothing)(node))
        for node in self.unsynced():
            if isinstance(node, File):
                yield "a content lost", but(everything, node, node.safe)
                yield "a content zeroed", but(everything, node, bytes(len(node.content)))
                for content in node.unsynced[:-1]:
                    yield "later writes lost", but(everything, node, content)
                yield "only a content kept", but(nothing, node, node.content)
                continue
            for at, change in enumerate(node.unsynced):
                yield "a name lost", but(everything, node, node.unsynced[:at] + node.unsynced[at + 1:])
                yield "later names lost", but(everything, node, node.unsynced[:at])
                yield "only a name kept", but(nothing, node, [change])


def build(tree, root):
    """Makes the files of a tree in an empty folder."""
    for path, content in tree.items():
        if content is None:
            (root / path).mkdir(parents=True, exist_ok=True)
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
