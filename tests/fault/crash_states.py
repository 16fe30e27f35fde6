"""What a disk may hold after a power loss, computed from the changes that were made to it.

Only what was synced is sure: the bytes and times of a file up to its last fsync, the entries of a
folder up to the folder's. Of what came later anything may be there: each entry of a folder on its
own in any of the states that it had since, and of each file all, nothing, a part, or zeros. Only a
rename is taken to be one step, as every file system with a journal has it: what it moved is never
gone from its old place without being in the new one. Real file systems keep more in order than
that.

    disk = Disk(inode of the data folder)
    for record in records: disk.apply(record)
    write_state(disk.after_power_loss(Lost()), folder)
"""

import os


class _File:
    def __init__(self):
        self.content = b""
        self.durable = b""
        self.modified_ns = None

    def sync(self):
        self.durable = self.content


class _Folder:
    def __init__(self):
        self.entries = {}
        # Of each entry that was changed since the last sync, every state from the durable one on.
        self.unsure = {}

    def set(self, name, node):
        """`node` None removes the entry."""
        self.unsure.setdefault(name, [self.entries.get(name)]).append(node)
        self.entries.pop(name, None)
        if node is not None:
            self.entries[name] = node

    def sync(self):
        self.unsure = {}


class Lost:
    """The least that may be there."""

    def entry(self, states):
        return states[0]

    def content(self, durable, content):
        return durable


class Kept:
    """The most: as if the process had been killed and the machine gone on."""

    def entry(self, states):
        return states[-1]

    def content(self, durable, content):
        return content


class Drawn:
    """Anything, as a random.Random has it."""

    def __init__(self, random):
        self._random = random

    def entry(self, states):
        return self._random.choice(states)

    def content(self, durable, content):
        cut = self._random.randrange(len(content) + 1)
        zeros = bytes(len(content) - cut)
        return self._random.choice([durable, content, content[:cut], content[:cut] + zeros])


class Disk:
    """The data folder as the changes leave it, and what of it is durable."""

    def __init__(self, root_inode):
        self._root = _Folder()
        self._nodes = {root_inode: self._root}
        # Of what was renamed, where it came from and where it went: a folder and a name each.
        self._moved = {}

    def _place(self, path):
        """The folder that a path leads to, and the last name."""
        *folders, name = path.split("/")
        node = self._root
        for folder in folders:
            node = node.entries[folder]
        return node, name

    def apply(self, record):
        if record.error == 0:
            getattr(self, f"_{record.kind}")(record)

    def _create(self, record):
        folder, name = self._place(record.path)
        if folder.entries.get(name) is not self._nodes.get(record.inode, self):
            self._nodes[record.inode] = _File()
            folder.set(name, self._nodes[record.inode])

    def _make_folder(self, record):
        folder, name = self._place(record.path)
        self._nodes[record.inode] = _Folder()
        folder.set(name, self._nodes[record.inode])

    def _write(self, record):
        file = self._nodes[record.inode]
        content = file.content.ljust(record.offset, b"\0")
        end = record.offset + len(record.data)
        file.content = content[:record.offset] + record.data + content[end:]

    def _set_times(self, record):
        self._nodes[record.inode].modified_ns = record.offset * 10**9 + record.length

    def _sync(self, record):
        self._nodes[record.inode].sync()

    def _sync_all(self, record):
        for node in self._nodes.values():
            node.sync()

    def _rename(self, record):
        folder, name = self._place(record.path)
        to_folder, to_name = self._place(record.other_path)
        node = folder.entries[name]
        if to_folder.entries.get(to_name) is not node:  # Else rename(2) does nothing.
            folder.set(name, None)
            to_folder.set(to_name, node)
            self._moved[node] = (folder, name), (to_folder, to_name)

    def _link(self, record):
        folder, name = self._place(record.path)
        to_folder, to_name = self._place(record.other_path)
        to_folder.set(to_name, folder.entries[name])

    def _unlink(self, record):
        folder, name = self._place(record.path)
        folder.set(name, None)

    _remove_folder = _unlink

    def after_power_loss(self, choice):
        """One state as {path: (content, time)}; folders have None, and what is one file under
        several names is one object."""
        chosen = {}  # The node or None of each entry that is unsure.
        for folder in self._folders():
            for name, states in folder.unsure.items():
                chosen[folder, name] = choice.entry(states)
        while half_done := self._half_done(chosen):
            node, place = half_done.pop()
            chosen[place] = node
        contents = {}

        def describe(node):
            if isinstance(node, _Folder):
                return None
            if node not in contents:
                content = node.content
                if content != node.durable:
                    content = choice.content(node.durable, content)
                contents[node] = (content, node.modified_ns)
            return contents[node]

        return {path: describe(node) for path, _, node in _walk(self._root, chosen)}

    def _folders(self):
        return [node for node in self._nodes.values() if isinstance(node, _Folder)]

    def _half_done(self, chosen):
        """The renames of which only the removal is there: what was moved and where it was."""
        there = {place: node for _, place, node in _walk(self._root, chosen)}
        return [(node, source) for node, (source, (to_folder, to_name)) in self._moved.items()
                if to_folder.entries.get(to_name) is node and source in chosen
                and node not in (there.get(source), there.get((to_folder, to_name)),
                                 chosen[source])]


def _walk(root, chosen):
    """Every path, its folder and name, and what is there; folders before what they hold."""
    stack = [("", root)]
    while stack:
        prefix, folder = stack.pop()
        for name in sorted(folder.entries.keys() | folder.unsure.keys()):
            node = chosen.get((folder, name), folder.entries.get(name))
            if node is None:
                continue
            yield prefix + name, (folder, name), node
            if isinstance(node, _Folder):
                stack.append((f"{prefix}{name}/", node))


def write_state(state, root):
    """Makes the state that Disk.after_power_loss gave below an empty folder."""
    first_names = {}
    for path, file in state.items():
        target = root / path
        if file is None:
            target.mkdir()
        elif id(file) in first_names:
            os.link(first_names[id(file)], target)
        else:
            first_names[id(file)] = target
            content, modified_ns = file
            target.write_bytes(content)
            if modified_ns is not None:
                os.utime(target, ns=(modified_ns, modified_ns))


def signature(state):
    """Equal for states that are the same disk."""
    names = {}
    for path, file in state.items():
        names.setdefault(id(file) if file else None, []).append(path)
    return frozenset((tuple(paths), state[paths[0]]) for paths in names.values())
