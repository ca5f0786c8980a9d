"""A stranger's reader (reader.py, made from docs/format.md alone) and the program agree on what a shared repository says."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import reader
from cairn import BIN, Place

BIRTH_MS = 1_700_000_000_000


def run(*command, given=None):
    done = subprocess.run([str(part) for part in command], input=given, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stderr.decode()}")
    return done.stdout


def read(remote, *options):
    """What reader.py prints, run as a stranger would run it."""
    return json.loads(run("python3", reader.__file__, remote, "--json", *options))


class Device:
    """A key made by ssh-keygen, and the log that it signs."""

    def __init__(self, folder, name):
        self.name, self.file = name, folder / f"{name}.key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self.file)
        self.key = " ".join(self.file.with_suffix(".key.pub").read_text().split()[:2])
        self.id = reader.Key(self.key).device
        self.tip, self.tip_digest, self.seq, self.last = None, None, 0, 0

    def sign(self, content, namespace):
        return run("ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", self.file, given=content).decode()

    def vouch_for(self, device):
        return {"device": self.id, "signature": self.sign(device.id.encode(), "device@cairn")}


class Workspace:
    """A shared repository written with git and ssh-keygen only."""

    def __init__(self, folder):
        self.folder = folder
        self.remote = folder / "shared.git"
        run("git", "init", "-q", "--bare", self.remote)
        self.digest, self.ticks = None, 0

    def git(self, *command, given=None):
        return run("git", "--git-dir", self.remote, *command, given=given).decode().strip()

    def device(self, name):
        return Device(self.folder, name)

    def line(self, kind, why=None, **d):
        self.ticks += 1
        said = {"hlc": f"{BIRTH_MS + self.ticks:012x}.00000000", "tz": 0, "t": kind, "d": d}
        return json.dumps({**said, "why": why} if why else said)

    def write(self, device, *lines, ops=(), knows=(), sign=None):
        """One envelope; `knows` are tips of other devices. Returns the commit."""
        acl, ops = self.text(lines), self.text(ops)
        tree = self.tree({"acl.jsonl": acl, "ops.jsonl": ops})
        message = self.message(device, len(lines) + ops.count("\n"), acl, ops)
        commit = self.commit(device, tree, [device.tip] * (device.tip is not None) + list(knows), message, sign or device)
        self.git("update-ref", reader.LOG + device.id, commit)
        device.tip, device.seq, device.last = commit, device.seq + 1, device.last + len(lines) + ops.count("\n")
        device.tip_digest = hashlib.sha256(run("git", "--git-dir", self.remote, "cat-file", "commit", commit)).hexdigest()
        self.digest = self.digest or device.tip_digest
        return commit

    @staticmethod
    def text(lines):
        return "".join(line + "\n" for line in lines)

    def tree(self, files):
        entries = [f"100644 blob {self.git('hash-object', '-w', '--stdin', given=text.encode())}\t{name}\n" for name, text in files.items() if text]
        return self.git("mktree", given="".join(entries).encode())

    def message(self, device, count, acl, ops):
        def named(text):
            return "sha256:" + hashlib.sha256(text.encode()).hexdigest() if text else "none"

        return (
            f"cairn/1 dev={device.id} seq={device.seq + 1} ops={count} [skip ci]\n\n"
            f"Cairn-Workspace: {'sha256:' + self.digest if self.digest else 'none'}\nCairn-First: {device.last + 1}\n"
            f"Cairn-Ops: {named(ops)}\nCairn-Acl: {named(acl)}\nCairn-Prev: {'sha256:' + device.tip_digest if device.tip_digest else 'none'}\n"
        )

    def commit(self, device, tree, parents, message, signer):
        who = f"Somebody <{device.id}@cairn.invalid> 1700000000 +0000"
        head = f"tree {tree}\n" + "".join(f"parent {parent}\n" for parent in parents) + f"author {who}\ncommitter {who}\n"
        signature = signer.sign(f"{head}\n{message}".encode(), "git").rstrip("\n").replace("\n", "\n ")
        return self.git("hash-object", "-w", "-t", "commit", "--stdin", given=f"{head}gpgsig {signature}\n\n{message}".encode())

    # Operations that several stories need.

    def admission(self, device, member, roles, vouch=None):
        said = {"member": member, "name": device.name, "email": "", "device": device.id, "device_name": device.name, "key": device.key, "roles": roles}
        return {**said, "vouch": vouch} if vouch else said

    def create(self, owner, *roles):
        return self.write(owner, self.line("workspace.created", name="Handmade", first=self.admission(owner, owner.id, ["owner", *roles])))

    def request(self, device):
        return self.write(device, self.line("device.requested", name=device.name, email="", device_name=device.name, key=device.key))

    def admit(self, author, device, *roles, member=None, vouch=None):
        return self.write(author, self.line("member.admitted", **self.admission(device, member or device.id, list(roles), vouch)), knows=[device.tip] * (device.tip is not None))

    def tag(self, text):
        return self.line("experiment.created", experiment=text, name=text)


class Program:
    """The program under test, as somebody who asks to join and only looks."""

    def __init__(self, folder, address):
        self.dir = folder / "ws"
        self.env = {**os.environ, "CAIRN_HOME": str(folder / "home"), "CAIRN_PASSPHRASE": "the reader tests", "CAIRN_SHARE_BY_HAND": "1"}
        self.run("join", self.dir, address, "--person", "Onlooker")

    def run(self, *command):
        done = subprocess.run([BIN, *command], env=self.env, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.stderr}")
        return done.stdout

    def views(self):
        return json.loads(self.run("--workspace", self.dir, "call", "log.views", "{}"))
