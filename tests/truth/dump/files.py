"""The files of a dump, and the account of each."""
import csv
import gzip
import io
import os

ACCOUNT = ("records", "rows", "rejected", "not_sign_ins")


class File:
    """One raw file. framing: ndjson, gz, members (gzip of several members), envelope, array."""

    def __init__(self, root, name, framing):
        self.name, self.framing, self.count, self.batch = name, framing, 0, []
        self.account = dict.fromkeys(ACCOUNT, 0)
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.raw = open(path, "wb")
        self.out = self.raw
        if framing in ("gz", "members"):
            self.out = gzip.GzipFile("", "wb", 1, self.raw, 0)
        if framing == "array":
            self.out.write(b"[\n")

    @property
    def takes_bad_lines(self):
        return self.framing in ("ndjson", "gz", "members")

    def put(self, data, fate="rows"):
        self.count += 1
        self.account["records"] += 1
        self.account[fate] += 1
        if self.framing == "envelope":
            self.batch.append(data)
            if len(self.batch) == 40:
                self.flush()
        elif self.framing == "array":
            self.out.write(data if self.count == 1 else b",\n" + data)
        else:
            self.out.write(data + b"\n")
            if self.framing == "members" and self.count % 2000 == 0:
                self.out.close()
                self.out = gzip.GzipFile("", "wb", 1, self.raw, 0)

    def flush(self):
        if self.batch:
            self.out.write(b'{"records":[' + b",".join(self.batch) + b"]}\n")
            self.batch = []

    def close(self):
        self.flush()
        if self.framing == "array":
            self.out.write(b"\n]\n")
        if self.out is not self.raw:
            self.out.close()
        self.raw.close()


class Files:
    FOLDERS = ("alpha", "beta", "gamma")
    FRAMINGS = {"ndjson": ".json", "gz": ".ndjson.gz", "envelope": ".json", "array": ".json", "members": ".json.gz"}

    def __init__(self, root):
        self.root = root
        self.shared = {folder: [File(root, f"{folder}/{framing}{ending}", framing)
                                for framing, ending in self.FRAMINGS.items()] for folder in self.FOLDERS}
        self.own, self.accounts = {}, []

    def own_file(self, name, framing="ndjson"):
        """A file that one tenant has for itself; opened at first use."""
        if name not in self.own:
            self.own[name] = File(self.root, name, framing)
        return self.own[name]

    def whole(self, name, data, account=None):
        """A file that is written at once. Without an account it is empty or refused."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)
        if account:
            self.accounts.append([name, *account])

    def table(self, name, header, rows, refused=False):
        text = io.StringIO()
        out = csv.writer(text)
        out.writerow(header)
        out.writerows(rows)
        self.whole(name, text.getvalue().encode(), None if refused else (len(rows), len(rows), 0, 0))

    def close(self):
        """Closes all; returns the accounts."""
        files = [f for folder in self.shared.values() for f in folder] + list(self.own.values())
        for file in files:
            file.close()
        return sorted(self.accounts + [[f.name, *f.account.values()] for f in files])
