"""An audit bundle that was changed anywhere is not verified, whoever made its digests fit again.

The history is written by hand (git and ssh-keygen), the program exports it, and `verify.py`, which the bundle brings along,
is asked in this process, so that thousands of changed bundles can be tried. Each change is tried with the manifest made
again and signed by a member of the workspace (then only what the history says can tell), and signed by a stranger or not at all.
"""

import contextlib
import csv
import hashlib
import importlib.util
import io
import json
import random
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

from cairn import ROOT
from test_reader import Program, Workspace, run

sys.dont_write_bytecode = True
VERIFY = ROOT / "assets/audit/verify.py"
found = importlib.util.spec_from_file_location("verify", VERIFY)
verify = importlib.util.module_from_spec(found)
found.loader.exec_module(verify)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Made:
    """A workspace with everything that a trail may hold, and somebody who exports it."""

    def __init__(self, folder):
        w = self.w = Workspace(folder)
        self.ana = w.device("ana")
        w.create(self.ana, "administrator", "business_owner")
        self.dan, self.mia, self.eve = self.join("dan", "data_scientist"), self.join("mia", "validator"), w.device("eve")
        w.request(self.eve)
        self.recovery = w.device("recovery")
        w.write(self.ana, w.line("quorum.proposed", change={"change": "set_recovery", "device": self.recovery.id, "key": self.recovery.key}))
        w.write(self.recovery, w.line("role.granted", "the paper was fetched", member=self.mia.id, role="compliance"), knows=[self.ana.tip])
        self.fresh = w.device("fresh")
        proof = self.fresh.sign(self.dan.id.encode(), "device@cairn")
        w.write(self.dan, w.line("device.rotated", device=self.fresh.id, key=self.fresh.key, proof=proof), knows=[self.ana.tip])
        w.request(self.fresh)
        self.work()
        self.decide()
        self.by_newer_rules()
        self.quarrel()
        self.program = Program(folder, f"{w.remote}#{w.digest}")
        self.let_program_in()

    def join(self, name, *roles):
        device = self.w.device(name)
        self.w.request(device)
        self.w.admit(self.ana, device, *roles)
        return device

    def work(self):
        w, policy = self.w, (ROOT / "assets/policies/standard-1.json").read_bytes()
        ops = [
            w.line("project.created", project="p1", title='Who is ill, "soon"?', template="standard/4"),
            w.line("project.edited", project="p1", field="problem", value="=1+1\nsecond line, with a comma", base=[]),
        ]
        w.write(self.fresh, ops=ops, knows=[self.dan.tip])
        ops = [
            w.line("project.edited", "clearer", project="p1", field="problem", value="-0.5", base=[f"{self.fresh.id}.{self.fresh.last}"]),
            w.line("experiment.created", experiment="e1", name="Ünïcode \U0001f600", project="p1"),
            w.line("run.created", run="r1", experiment="e1", user="dan", start_ms=1, tags={"mlflow.runName": "first"}),
            w.line("run.inputs_logged", run="r1", inputs={"d": {"x": 1.50e-7, "y": 12345678901234567890.5, "z": "\u2028\u0001"}}),
            w.line("run.params_logged", run="r1", params={}),
            w.line("model.created", model="m1", project="p1", name="Model"),
            w.line("model.version_added", version="v1", model="m1", number=1, run="r1", files={}, datasets=[]),
            w.line("note.created", note="n1", about={"kind": "run", "id": "r1"}, title="@note", text="text"),
        ]
        w.write(self.fresh, ops=ops)
        self.release = sha256(f"release {self.fresh.id}.{self.fresh.last + 1}".encode())[:32]
        asked = w.line("release.requested", release=self.release, project="p1", version="v1", policy="standard/1", policy_digest=sha256(policy))
        w.write(self.fresh, ops=[asked])

    def sign_off(self, device, member, role):
        predicate = {"release": self.release, "decision": "approved", "role": role, "signer": {"principal": member}, "reason": "good", "claimedAt": "today"}
        said = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "model", "digest": {"sha256": "0" * 64}}], "predicateType": verify.APPROVAL, "predicate": predicate}
        statement = json.dumps(said)
        signature = device.sign(statement.encode(), "approval@cairn")
        signoff = sha256(signature.encode())[:32]
        return self.w.line("release.signed", release=self.release, signoff=signoff, decision="approved", role=role, statement=statement, signature=signature)

    def decide(self):
        w = self.w
        w.write(self.mia, ops=[self.sign_off(self.mia, self.mia.id, "validator")], knows=[self.fresh.tip, self.recovery.tip])
        stage = {"project": "p1", "stage": "training", "cycle": 1, "waived": ["G1", "G2"]}
        w.write(self.ana, ops=[self.sign_off(self.ana, self.ana.id, "business_owner"), w.line("project.stage_entered", "in a hurry", **stage)], knows=[self.mia.tip])

    def by_newer_rules(self):
        """A request that holds what judges it, decisions with their pages, of which one never travelled."""
        w = self.w
        w.write(self.ana, w.line("rules.adopted", rules=2), ops=[self.stated("project.class_set", "business_owner", **{"class": "low"})], knows=[self.fresh.tip])
        stated = f"{self.ana.id}.{self.ana.last}"
        w.write(self.mia, ops=[self.stated("project.class_agreed", "validator", proposal=stated), w.line("project.class_set", project="p1", role="validator", **{"class": "high"})], knows=[self.ana.tip])
        name = f"{self.fresh.id}.{self.fresh.last + 1}"
        newer = sha256((ROOT / "assets/policies/standard-2.json").read_bytes())
        frozen = {"class": "low", "policy": "standard/2", "policy_digest": newer, "lifecycle": "light/1", "lifecycle_digest": "c" * 64, "cycle": 1, "criteria": []}
        release = sha256(f"release {name}".encode())[:32]
        w.write(self.fresh, ops=[w.line("release.submitted", "better", release=release, project="p1", version="v1", frozen=frozen, answers={})], knows=[self.mia.tip])
        for device, role, decision in ((self.ana, "business_owner", "approved"), (self.mia, "validator", "sent_back")):
            page = f"<html><p>What {device.name} saw.</p>"
            predicate = {
                "release": release, "request": name, "frozen": frozen, "decision": decision, "role": role, "signer": {"principal": device.id}, "reason": "read it",
                "shown": {"sha256": sha256(page.encode()), "size": len(page)}, "earlierDecisions": [], "criteria": [], "claimedAt": "today",
            }  # fmt: skip
            said = {"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": verify.DECISION, "predicate": predicate}
            statement = json.dumps(said)
            signature = device.sign(statement.encode(), "approval@cairn")
            d = {"release": release, "signoff": sha256(signature.encode())[:32], "decision": decision, "role": role, "page": sha256(page.encode()), "page_size": len(page)}
            w.write(device, ops=[w.line("release.decided", "read it", statement=statement, signature=signature, **d)], knows=[self.fresh.tip], attached=[page] * (device is self.ana))
        answered = w.line("release.answered", "seen", release=release, challenge=f"{self.mia.id}.{self.mia.last}", role="business_owner")
        w.write(self.ana, ops=[answered, w.line("request.declined", device=self.eve.id)], knows=[self.mia.tip])

    def stated(self, kind, role, **d):
        return self.w.line(kind, "so it is", project="p1", role=role, **d)

    def quarrel(self):
        """What is refused, held and not understood."""
        w = self.w
        w.write(self.fresh, ops=[w.line("deployment.recorded", deployment="x", project="p1", version="v1", environment="production"), w.tag("kept"), w.tag("beyond")])
        w.write(self.ana, w.line("role.revoked", "she left the team", member=self.dan.id, role="data_scientist", cuts={self.fresh.id: self.fresh.last - 1}))
        w.write(self.fresh, ops=[w.line("zebra.seen", stripes=[7, {"d": 1.0}])], knows=[self.ana.tip])
        w.write(self.mia, ops=[w.line("device.witnessed")], knows=[self.fresh.tip])

    def let_program_in(self):
        status = json.loads(self.program.run("--workspace", self.program.dir, "--json", "status"))
        device = status["app"]["workspace"]["device"]
        tip = self.w.git("rev-parse", verify.LOG + device)
        asked = json.loads(self.w.git("cat-file", "blob", f"{tip}:acl.jsonl"))["d"]
        self.w.admit(self.ana, types.SimpleNamespace(id=device, key=asked["key"], name="Onlooker", tip=tip), "compliance")
        self.program.run("--workspace", self.program.dir, "share")

    def export(self, out, *filters):
        self.program.run("--workspace", self.program.dir, "audit", "export", "--out", out, *filters)
        return out


class Bundles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="cairn-bundle-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.made = Made(cls.folder)
        cls.fingerprint = cls.made.w.digest
        cls.genuine = cls.made.export(cls.folder / "genuine")
        cls.stranger = cls.made.w.device("stranger")
        cls.place = cls.folder / "changed"
        cls.tried = 0

    def setUp(self):
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.genuine, self.place)
        self.before = {path.relative_to(self.place).as_posix(): path.read_bytes() for path in self.place.rglob("*") if path.is_file()}

    def ask(self, path=None, fingerprint=None):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = verify.main([fingerprint or self.fingerprint], path or self.place)
        lines = said.getvalue().splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertEqual(lines[0].startswith("VERIFIED "), code == 0, lines)
        return code, lines[0]

    def write(self, files):
        """The bundle with these files other than in the genuine one; None removes."""
        for name, content in files.items():
            path = self.place / name
            path.unlink(missing_ok=True)
            if content is not None:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)

    def restore(self, files):
        self.write({name: self.before.get(name) for name in files})

    def manifest(self):
        names = sorted(path.relative_to(self.place).as_posix() for path in self.place.rglob("*") if path.is_file())
        names = [name for name in names if not name.startswith("manifest.sha256")]
        return "".join(f"{sha256((self.place / name).read_bytes())}  {name}\n" for name in names).encode()

    def as_member(self, files):
        """The same change, made by somebody whom the history let in: `mia` exports and signs what she likes."""
        said = files.get("bundle.json", self.before["bundle.json"])
        with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
            said = json.loads(said)
            said["exporter"] = {"device": self.made.mia.id, "member": self.made.mia.id, "name": "mia"}
            said = json.dumps(said).encode()
        return {**files, "bundle.json": said}

    def refused(self, files, pattern="", why="", sign=("member", "other")):
        """This change is noticed, signed by a member, and by a stranger or nobody."""
        for who in sign:
            changed = self.as_member(files) if who == "member" else dict(files)
            self.write(changed)
            if "manifest.sha256" not in files:
                changed["manifest.sha256"] = self.manifest()
            self.write({"manifest.sha256": changed["manifest.sha256"]} if changed["manifest.sha256"] is not None else {})
            type(self).tried += 1
            if "manifest.sha256.sig" not in files:
                if who == "member":
                    self.sign_as_member(changed)
                elif self.tried % 2:
                    changed["manifest.sha256.sig"] = self.stranger.sign(changed["manifest.sha256"] or b"", "bundle@cairn").encode()
                self.write({"manifest.sha256.sig": changed["manifest.sha256.sig"]} if "manifest.sha256.sig" in changed else {})
            code, said = self.ask()
            self.restore(changed)
            self.assertEqual(code, 1, f"{why}, signed by {who}: {said}")
            if who == "member" and pattern:
                self.assertRegex(said, pattern, why)
        return said

    def sign_as_member(self, changed):
        # A signature of hers that is believed for this content, as if she had made it: that saves two programs a change.
        signature = self.signature_of_mia()
        changed["manifest.sha256.sig"] = signature.encode()
        verify.SEEN[self.made.mia.key, signature, sha256(changed["manifest.sha256"] or b""), "bundle@cairn"] = True

    @classmethod
    def signature_of_mia(cls):
        if not hasattr(cls, "_signature"):
            cls._signature = cls.made.mia.sign(b"", "bundle@cairn")
        return cls._signature

    # Tests.

    def test_the_genuine_bundle_is_verified_as_a_program(self):
        done = subprocess.run([sys.executable, self.place / "verify.py", self.fingerprint], capture_output=True, text=True, cwd="/")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, "^VERIFIED Handmade: .* exported by Onlooker .*")
        self.assertEqual((done.stdout.count("\n"), done.stderr), (1, ""))
        self.assertEqual(self.before, {path.relative_to(self.place).as_posix(): path.read_bytes() for path in self.place.rglob("*") if path.is_file()})
        states = [json.loads(line)["state"] for line in self.before["trail.jsonl"].decode().splitlines()]
        self.assertEqual(set(states), {"accepted", "refused", "held", "unknown"}, "the history shows everything that a trail may hold")

    def test_a_member_may_export_the_same(self):
        changed = self.as_member({})
        self.write(changed)
        self.write({"manifest.sha256": self.manifest()})
        self.write({"manifest.sha256.sig": self.made.mia.sign(self.manifest(), "bundle@cairn").encode()})
        code, said = self.ask()
        self.assertEqual(code, 0, said)
        self.assertIn("exported by mia", said)

    def test_another_fingerprint_is_not_verified(self):
        for wrong in ("0" * 64, self.fingerprint[:-1], "", self.fingerprint[:-1] + "g", "-h"):
            self.assertEqual(self.ask(fingerprint=wrong or "x")[0], 1)
        said = json.loads(self.before["bundle.json"])
        self.write({"bundle.json": json.dumps({**said, "fingerprint": "0" * 64}).encode()})
        self.write({"manifest.sha256": self.manifest()})
        self.assertEqual(self.ask(fingerprint="0" * 64)[0], 1)

    def test_stock_tools_verify_it_by_its_page(self):
        page = self.before["VERIFY.md"].decode()
        script = "".join(block.split("```")[0] for block in page.split("```sh\n")[1:])
        done = subprocess.run(["bash", "-e", "-c", script], cwd=self.place, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual([line[:5] for line in done.stdout.splitlines()], ["GOOD:"] * 5)
        self.assertNotIn("exit", script)
        first = self.before["trail.jsonl"][:-3] + b"}}\n"
        self.write({"trail.jsonl": first})
        done = subprocess.run(["bash", "-c", script + "\necho still here"], cwd=self.place, capture_output=True, text=True)
        self.assertIn("BAD: the files", done.stdout)
        self.assertIn("still here", done.stdout, "pasted lines leave the shell open")

    def test_every_field_of_every_entry(self):
        lines = self.before["trail.jsonl"].decode().split("\n")[:-1]
        for at, line in enumerate(lines):
            entry = json.loads(line)
            for name, value in entry.items():
                other = {**entry, name: value + 1 if isinstance(value, int) else (value or "") + "x" if name != "why" or value is None else value[:-1]}
                text = json.dumps(other, ensure_ascii=False, separators=(",", ":"))
                self.refused({"trail.jsonl": "\n".join([*lines[:at], text, *lines[at + 1 :], ""]).encode()}, name, f"{name} of entry {at}")

    def test_every_field_of_every_row(self):
        rows = list(csv.reader(io.StringIO(self.before["trail.csv"].decode(), newline="")))
        self.assertEqual(len(rows), 1 + self.before["trail.jsonl"].count(b"\n"))

        def table(rows):
            return "".join(",".join('"' + f.replace('"', '""') + '"' if any(c in f for c in ',"\r\n') else f for f in row) + "\n" for row in rows).encode()

        self.assertEqual(table(rows), self.before["trail.csv"])
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                other = [*row[:column], value + "x", *row[column + 1 :]]
                self.refused({"trail.csv": table([*rows[:at], other, *rows[at + 1 :]])}, "trail.csv", f"column {column} of row {at}")

    def test_entries_removed_added_and_swapped(self):
        for name in ("trail.jsonl", "trail.csv"):
            lines = self.before[name].decode().split("\n")[:-1]
            for at in range(0, len(lines), 3):
                self.refused({name: "\n".join([*lines[:at], *lines[at + 1 :], ""]).encode()}, name, "one removed")
                self.refused({name: "\n".join([*lines[:at], lines[at], *lines[at:], ""]).encode()}, name, "one twice")
            for at in range(0, len(lines) - 1, 5):
                self.refused({name: "\n".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :], ""]).encode()}, name, "two swapped")

    def test_every_file_altered_removed_and_swapped(self):
        for name, content in self.before.items():
            self.refused({name: None}, "", f"{name} removed")
            for other in (b"", content + b"\n", content[:-1], content[: len(content) // 2]):
                if name not in ("VERIFY.md", "bundle.json"):
                    self.refused({name: other}, "", f"{name} altered")
            # What a member says there is their word, see `test_what_the_exporter_says`; a stranger's change is noticed.
            self.refused({name: content + b" "}, "", f"{name} altered", sign=("other",))
        names = [name for name in self.before if name != "VERIFY.md"]
        for first, second in zip(names, names[1:]):
            self.refused({first: self.before[second], second: self.before[first]}, "", f"{first} and {second} swapped")

    def test_files_that_do_not_belong(self):
        for name in ("more.txt", "statements/ab.json", "statements/ab.json.sig", "policy/" + "0" * 64, ".hidden", "policy/" + sha256(b"x")):
            self.refused({name: b"x"}, "", f"{name} added")
        for make in (
            lambda path: path.symlink_to("/etc/passwd"), lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir(),
            lambda path: subprocess.run(["mkfifo", path], check=True), lambda path: run("truncate", "-s", "100G", path),
        ):  # fmt: skip
            for name in ("trail.csv", "repo.bundle", "bundle.json", "extra"):
                path = self.place / name
                path.unlink(missing_ok=True)
                make(path)
                self.assertEqual(self.ask()[0], 1, name)
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
                self.restore([name])
        lines = self.before["manifest.sha256"].decode()
        for extra in (f"{'0' * 64}  ../../etc/passwd\n", f"{'0' * 64}  /etc/passwd\n", lines, "\0\n", "\ud800\n"):
            self.refused({"manifest.sha256": (lines + extra).encode("utf-8", "surrogatepass")}, "", "a manifest with tricks")
        self.refused({"bundle.json": b"[" * 100_000}, "", "nested deeply")

    def test_nothing_of_a_bundle_is_run(self):
        mark = self.folder / "mark"
        for name in ("json.py", "base64.py", "hashlib.py", "datetime.py", "os.py", "sitecustomize.py", "git", "ssh-keygen"):
            self.write({name: f"#!/bin/sh\nopen = 1 #\nimport pathlib; pathlib.Path({str(mark)!r}).touch()\n".encode()})
            (self.place / name).chmod(0o755)
        for place in (self.place, "/"):
            done = subprocess.run([sys.executable, self.place / "verify.py", self.fingerprint], capture_output=True, text=True, cwd=place)
            self.assertEqual((done.returncode, done.stdout[:14], done.stderr), (1, "NOT VERIFIED: ", ""))
        self.assertFalse(mark.exists())

    def test_the_whole_is_a_link(self):
        (self.place / "statements").rename(self.folder / "elsewhere")
        (self.place / "statements").symlink_to(self.folder / "elsewhere")
        self.assertEqual(self.ask()[0], 1)
        shutil.rmtree(self.folder / "elsewhere")

    # The history.

    def other_history(self, change):
        """A bundle of a changed copy of the shared repository, with tips and numbers made to fit."""
        copy = self.folder / "copy.git"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.made.program.dir / "git", copy)

        def git(*command, given=None):
            return run("git", "--git-dir", copy, *command, given=given).decode().strip()

        change(git)
        out = self.folder / "copy.bundle"
        git("bundle", "create", "--quiet", "--version=2", out, "--glob=refs/heads/cairn/log/*")
        said = json.loads(self.before["bundle.json"])
        for device in list(said["tips"]):
            tip = git("rev-parse", "--verify", "--quiet", verify.LOG + device) if git("for-each-ref", verify.LOG + device) else None
            if tip is None:
                del said["tips"][device]
                continue
            message = git("log", "-1", "--format=%B", tip)
            number = lambda name: int(message.split(name)[1].split()[0])
            said["tips"][device] = {"commit": tip, "seq": number(" seq="), "last": number("Cairn-First: ") + number(" ops=") - 1}
        said["commits"] = int(git("rev-list", "--count", "--all"))
        return {"repo.bundle": out.read_bytes(), "bundle.json": json.dumps(said).encode()}

    def devices(self):
        return sorted(json.loads(self.before["bundle.json"])["tips"])

    def test_a_copied_history_is_verified(self):
        files = self.as_member(self.other_history(lambda git: None))
        self.write(files)
        self.write({"manifest.sha256": self.manifest()})
        self.sign_as_member({"manifest.sha256": self.manifest()})
        self.write({"manifest.sha256.sig": self.signature_of_mia().encode()})
        self.assertEqual(self.ask()[0], 0, "else the changed histories would fail for another reason")

    def test_commits_cut_from_branches(self):
        for device in self.devices():
            for count in (1, 2, 3):
                def cut(git):
                    tip = verify.LOG + device
                    chain = git("rev-list", "--first-parent", tip).split()
                    git("update-ref", tip, chain[count]) if count < len(chain) else git("update-ref", "-d", tip)
                self.refused(self.other_history(cut), "", f"{count} commits cut from {device}")

        def cut_all(git):
            for device in self.devices():
                chain = git("rev-list", "--first-parent", verify.LOG + device).split()
                git("update-ref", verify.LOG + device, chain[1]) if len(chain) > 1 else git("update-ref", "-d", verify.LOG + device)

        self.refused(self.other_history(cut_all), "", "one commit cut from each")

    def test_a_branch_with_a_forged_commit(self):
        for device in self.devices():
            def forge(git):
                tip = git("rev-parse", verify.LOG + device)
                content = run("git", "--git-dir", self.folder / "copy.git", "cat-file", "commit", tip)
                made = git("hash-object", "-w", "-t", "commit", "--stdin", given=content.replace(b"author ", b"author Not ", 1))
                git("update-ref", verify.LOG + device, made)
            self.refused(self.other_history(forge), "signature|waits", f"a forged tip of {device}")

    def test_a_branch_of_nobody(self):
        def add(git):
            git("update-ref", verify.LOG + self.stranger.id, git("rev-parse", verify.LOG + self.made.ana.id))
        self.refused(self.other_history(add), "", "a branch that is nobody's")

    # Keys and statements.

    def test_a_key_under_anothers_name(self):
        signers = self.before["allowed_signers"].decode()
        mine = signers.replace(self.made.ana.key, self.stranger.key)
        name = next(n for n in self.before if n.startswith("statements/") and n.endswith(".json") and self.made.ana.id.encode() in self.before[n] and b"good" in self.before[n])
        statement = self.before[name].replace(b"good", b"bad ")
        self.assertNotEqual(statement, self.before[name], "the change is one")
        signature = self.stranger.sign(statement, "approval@cairn").encode()
        self.refused({"allowed_signers": mine.encode()}, "allowed_signers", "a foreign key")
        self.refused({"allowed_signers": mine.encode(), name: statement, name + ".sig": signature}, "allowed_signers", "signed anew")
        self.refused({name: statement, name + ".sig": self.made.ana.sign(statement, "approval@cairn").encode()}, "is not what was signed", "not in the history")
        self.refused({name: None, name + ".sig": None}, "is missing", "a statement left out")
        self.refused({"statements/ab.json": statement, "statements/ab.json.sig": signature}, "in no operation", "a statement added")
        for device in (self.made.recovery, self.made.dan, self.made.fresh):
            self.assertIn(device.key, signers, "recovery keys and earlier keys are there")

    def test_the_pages_are_what_the_statements_name(self):
        said = json.loads(self.before["bundle.json"])
        seen, lost = (sha256(f"<html><p>What {name} saw.</p>".encode()) for name in ("ana", "mia"))
        self.assertEqual(self.before[f"pages/{seen}.html"], b"<html><p>What ana saw.</p>")
        self.assertEqual(said["pages_missing"], [lost], "it never travelled, and that is said")
        self.assertTrue(any("1 pages that signers were shown" in line for line in said["missing"]))
        for digest in ("9191b82214b307602807705542eb8f7691c4e4e1a8476c29af7de7ea30d96fd0", "48550dd40828ba4f1678fad08bc40549864bb6e67b9f6e3c41c39db4bbf74320"):
            self.assertIn(f"policy/{digest}", self.before, "the policies of both rules")
        self.assertIn("light/1", " ".join(said["texts"].values()))
        self.assertEqual(said["texts_missing"], ["c" * 64])
        other = b"<html><p>What ana did not see.</p>"
        self.refused({f"pages/{seen}.html": other}, "another page than its name", "another page")
        self.refused({f"pages/{sha256(other)}.html": other}, "named by no sign-off", "a page more")
        self.refused({f"pages/{seen}.html": None}, "pages/ lacks a page", "a page left out")
        self.refused({f"pages/{seen}.html": None, f"pages/{seen}.htm": self.before[f"pages/{seen}.html"]}, "", "under another name")
        for missing in ([], [lost, seen], [lost, lost], ["0" * 64, lost]):
            self.refused({"bundle.json": json.dumps({**said, "pages_missing": missing}).encode()}, "pages/ lacks a page", f"{missing} said to be missing")
        # Who says that a page is missing that they have: it is their word, as what is missing always is.
        files = self.as_member({f"pages/{seen}.html": None, "bundle.json": json.dumps({**said, "pages_missing": sorted([lost, seen])}).encode()})
        self.write(files)
        self.write({"manifest.sha256": self.manifest()})
        self.write({"manifest.sha256.sig": self.made.mia.sign(self.manifest(), "bundle@cairn").encode()})
        code, line = self.ask()
        self.assertEqual(code, 0, line)
        self.assertRegex(line, "not in it, of the pages that signers were shown: 2")

    def test_what_the_exporter_says(self):
        said = json.loads(self.before["bundle.json"])
        for name in ("workspace", "fingerprint", "format", "filter", "entries", "entries_in_all", "commits", "tips", "texts", "texts_missing", "pages_missing"):
            value = said[name]
            other = "x" if isinstance(value, str) else value + 1 if isinstance(value, int) else {"person": "x"} if name == "filter" else ["0" * 64] if isinstance(value, list) else {}
            self.refused({"bundle.json": json.dumps({**said, name: other}).encode()}, "", name)
        for device in (self.made.eve, self.made.recovery, self.made.dan, self.stranger):
            names = {"device": device.id, "member": device.id, "name": device.name}
            self.write({"bundle.json": json.dumps({**said, "exporter": names}).encode()})
            manifest = self.manifest()
            self.write({"manifest.sha256": manifest, "manifest.sha256.sig": device.sign(manifest, "bundle@cairn").encode()})
            self.assertRegex(self.ask()[1], "NOT VERIFIED: the bundle was (not )?made by", device.name)

    def test_five_hundred_bytes_anywhere(self):
        chance = random.Random(7)
        names = sorted(self.before)
        for _ in range(500):
            name = chance.choice(names)
            content = bytearray(self.before[name])
            at = chance.randrange(len(content))
            content[at] ^= 1 << chance.randrange(8)
            files = {name: bytes(content)}
            self.refused(files, "", f"byte {at} of {name}", sign=("other",))
            if name not in ("VERIFY.md", "bundle.json") and not name.startswith("manifest"):
                self.refused(files, "", f"byte {at} of {name}", sign=("member",))

    # Extracts.

    def test_an_extract_is_verified_and_says_what_it_is(self):
        dan = self.made.dan.id
        for number, (filters, some) in enumerate(
            [(("--person", "dan"), True), (("--role", "validator"), True), (("--project", "p1"), True), (("--meaning", "decisions"), True), (("--not-counted",), True),
             (("--record", "run/r1"), True), (("--since", "2023-11-14", "--until", "2023-11-14"), True), (("--since", "2100-01-01"), False), (("--person", dan, "--meaning", "data"), False)]
        ):  # fmt: skip
            out = self.made.export(self.folder / f"extract-{number}", *filters)
            said = json.loads((out / "bundle.json").read_text())
            self.assertEqual(bool(said["entries"]), some, filters)
            self.assertLess(said["entries"], said["entries_in_all"])
            code, line = self.ask(out)
            self.assertEqual(code, 0, line)
            self.assertIn("an extract of", line)
            self.assertIn("This is an extract", (out / "VERIFY.md").read_text())
            listed = json.loads(self.made.program.run("--workspace", self.made.program.dir, "--json", "audit", "list", "--limit", "1000", *filters))
            names = {json.loads(entry)["id"] for entry in (out / "trail.jsonl").read_text().splitlines()}
            self.assertEqual({entry["id"] for entry in listed["entries"]}, names, f"the list and the extract find the same by {filters}")

    def test_a_name_finds_all_that_its_person_did(self):
        def ids(*filters, **query):
            said = json.loads(self.made.program.run("--workspace", self.made.program.dir, "call", "audit.list", json.dumps({"tracking": True, "limit": 1000, **query})))
            return {entry["id"] for entry in said["entries"]}

        entries = [json.loads(line) for line in self.before["trail.jsonl"].decode().splitlines()]
        dans = {entry["id"] for entry in entries if entry["who"] == "dan"}
        self.assertEqual({name.split(".")[0] for name in dans}, {self.made.dan.id, self.made.fresh.id}, "on both computers")
        self.assertEqual(ids(only={"person": "Dan"}), dans)
        self.assertLessEqual(dans, ids(text="dan"))

    def test_roles_are_those_of_then(self):
        entries = {entry["id"]: entry for entry in map(json.loads, self.before["trail.jsonl"].decode().splitlines())}
        said = {entry["what"].split(" ")[0]: entry for entry in entries.values() if entry["device"] == self.made.fresh.id}
        self.assertEqual(said["started"]["roles"], "data_scientist", "he has none now, and had it then")
        mia = [entry["roles"] for entry in entries.values() if entry["device"] == self.made.mia.id]
        self.assertEqual((mia[0], mia[1]), ("", "validator compliance"))
        by_recovery = entries[f"{self.made.recovery.id}.1"]
        self.assertEqual((by_recovery["who"], by_recovery["why"], by_recovery["what"]), ("The recovery key", "the paper was fetched", "gave mia the role compliance"))

    # Tables.

    def test_the_program_and_the_check_know_the_same_types(self):
        self.assertEqual(set(verify.TYPES), set(verify.AUTHORITY_TYPES) | set(verify.DATA_TYPES))
        self.assertIn((ROOT / "assets/audit/words.json").read_text(), VERIFY.read_text())

    def test_the_documentation_names_the_digest(self):
        self.assertIn(sha256(VERIFY.read_bytes()), (ROOT / "docs/audit.md").read_text(), "docs/audit.md says the sha256 of assets/audit/verify.py")
        self.assertEqual(self.before["verify.py"], VERIFY.read_bytes())


if __name__ == "__main__":
    unittest.main()
