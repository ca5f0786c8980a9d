"""A stranger's reader (reader.py, made from docs/format.md alone) and the program agree on what a shared repository says."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

import reader
from cairn import BIN, Place, Service

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

    def write(self, device, *lines, ops=(), knows=(), sign=None, attached=()):
        """One envelope; `knows` are tips of other devices. Returns the commit."""
        acl, ops = self.text(lines), self.text(ops)
        tree = self.tree({"acl.jsonl": acl, "ops.jsonl": ops}, attached)
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

    def tree(self, files, attached=()):
        entries = [f"100644 blob {self.git('hash-object', '-w', '--stdin', given=text.encode())}\t{name}\n" for name, text in files.items() if text]
        if attached:
            folder = self.tree({hashlib.sha256(text.encode()).hexdigest(): text for text in sorted(attached)})
            entries.append(f"040000 tree {folder}\tatt\n")
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


def cell_value(text):
    """JSON cells may differ in the order of keys and in spaces, so they are compared parsed."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return parsed if isinstance(parsed, (dict, list)) else text


def comparable(said):
    return {
        "members": {member: {"name": one["name"], "roles": sorted(one["roles"])} for member, one in said["members"].items()},
        "devices": said["devices"],
        "operations": said["operations"],
        "records": {
            f"{record['kind']}/{record['id']}": {"parent": record["parent"], **{f"{field} {key}": cell_value(value) for field, key, value in record["cells"]}}
            for record in said["records"]
        },
    }


def differences(ours, theirs, where=""):
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return [] if ours == theirs else [f"{where}: the reader says {ours!r}, the program {theirs!r}"]
    return [line for key in sorted({*ours, *theirs}) for line in differences(ours.get(key), theirs.get(key), f"{where}/{key}")]


class Case(unittest.TestCase):
    maxDiff = None

    def assert_same(self, ours, theirs):
        found = differences(comparable(ours), comparable(theirs))
        self.assertEqual(found, [], "the reader and the program rebuild the same workspace")

    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="cairn-reader-")
        self.addCleanup(folder.cleanup)
        return Path(folder.name)


def register(place):
    """What a script does with the registry, beside the sample."""
    service = Service(place)

    def call(method, path, **body):
        request = urllib.request.Request(
            f"{service.url}/api/2.0/mlflow/{path}", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    try:
        run_id = call("POST", "runs/create", experiment_id="0")["run"]["info"]["run_id"]
        model = call("POST", "logged-models", experiment_id="0", name="m", source_run_id=run_id)["model"]["info"]["model_id"]
        call("POST", f"logged-models/{model}/params", params=[{"key": "depth", "value": "3"}])
        at = {"run_id": run_id, "key": "acc", "value": "NaN", "timestamp": 5, "step": 1}
        call("POST", "runs/log-metric", **at, model_id=model, dataset_name="d", dataset_digest="1")
        call("POST", "runs/update", run_id=run_id, status="FINISHED")
        call("POST", "registered-models/create", name="screen", description="text", tags=[{"key": "a", "value": "b"}])
        for _ in range(2):
            call("POST", "model-versions/create", name="screen", source=f"models:/{model}", tags=[{"key": "a", "value": "b"}])
        call("POST", "registered-models/alias", name="screen", alias="champion", version="2")
        call("POST", "model-versions/transition-stage", name="screen", version="1", stage="Staging")
        call("PATCH", "model-versions/update", name="screen", version="1", description="better")
        call("DELETE", "model-versions/delete-tag", name="screen", version="1", key="a")
        call("POST", "registered-models/rename", name="screen", new_name="screening")
        call("DELETE", "model-versions/delete", name="screening", version="1")
        look_back(place, run_id)
    finally:
        service.kill()


def look_back(place, run):
    """Charts, remarks and evidence, each made and changed."""
    spec = {"metrics": ["acc"]}
    panel = place.call("panel.save", {"spec": spec, "section": "A", "place": 1})
    place.call("panel.save", {"panel": panel["id"], "spec": spec, "section": "B", "place": 2.5, "base": panel["base"]})
    place.call("panel.save", {"about": {"kind": "experiment", "id": place.call("run.get", {"run": run})["run"]["experiment"]}, "spec": spec, "place": 1})
    pin = place.call("pin.save", {"run": run, "metric": "acc", "step": -3, "text": "here"})
    place.call("pin.save", {"pin": pin["id"], "run": run, "metric": "acc", "step": -3, "text": "there", "base": pin["base"]})
    note = place.call("note.save", {"about": {"kind": "run", "id": run}, "title": "Found", "text": "```chart\nmetrics: [acc]\n```"})
    place.call("note.freeze", {"note": note["id"]})
    place.call("record.delete", {"subject": {"kind": "panel", "id": panel["id"]}})
    text = (Path(__file__).parents[2] / "assets/lifecycle/light-1.yaml").read_text()
    own = place.call("lifecycle.save", {"text": text.replace("name: Light", "name: Ours")})
    own = place.call("lifecycle.save", {"template": own["template"], "text": text.replace("name: Light", "name: Ours too"), "base": own["base"]})
    project = place.call("project.list")[0]["id"]
    place.call("project.set_template", {"project": project, "template": own["id"], "reason": "ours fits"})
    guide(place, project, run)


def guide(place, project, run):
    """The guided way: answers, criteria, findings, questions, a handoff from hand to hand, a cycle that ends."""
    about = {"kind": "project", "id": project}
    for value in ("whom to call", "whom to call first"):
        place.call("problem.answer", {"project": project, "question": "decision", "value": value})
    one = {"metric": "recall", "comparator": "at_least", "threshold": "0.8", "level": "95", "digest": "d2"}
    page = place.call("criteria.write", {"project": project, "criteria": [one]})
    page = place.call("criteria.write", {"project": project, "criteria": [one, {**one, "slice": "age:old"}], "replaces": [page["sets"][0]["id"]]})
    place.call("criteria.sign", {"criteria": page["sets"][0]["id"], "role": "business_owner", "digest": page["sets"][0]["digest"]})
    me = place.call("app.status")["workspace"]["me"]["id"]
    finding = {"project": project, "title": "Old people", "text": "Fewer are found.", "severity": "high", "about": {"kind": "run", "id": run}}
    found = place.call("finding.save", finding)
    place.call("finding.save", {**finding, "finding": found["id"], "text": "Far fewer.", "severity": "low", "reason": "few cases", "base": found["base"]})
    place.call("finding.assign", {"finding": found["id"], "to": {"kind": "member", "id": me}, "due": "2026-12-24"})
    place.call("finding.settle", {"finding": found["id"], "outcome": "fixed", "reason": "more data"})
    place.call("finding.settle", {"finding": found["id"], "reason": "not enough"})
    place.call("finding.settle", {"finding": found["id"], "outcome": "accepted", "reason": "we can live with it"})
    lists = place.call("checklist.list", {"project": project})
    gate = place.call("checklist.start", {"project": project, "gate": "G1"})["id"] if not lists else lists[0]["id"]
    at = {"kind": "checklist", "id": gate}
    threads = place.call("comment.write", {"about": at, "anchor": "G1.1", "text": "Who exactly?", "asks": {"kind": "role", "id": "business_owner"}})
    root = threads[-1]["id"]
    place.call("comment.write", {"about": at, "text": "All of them.", "reply_to": root})
    place.call("comment.edit", {"comment": root, "text": "Who exactly, please?", "base": threads[-1]["comments"][0]["base"]})
    for resolved in (True, False):
        place.call("comment.resolve", {"comment": root, "resolved": resolved})
    if not lists:
        hand_over(place, gate, me)
    place.call("comment.write", {"about": about, "text": "Well done."})
    plan = {"project": project, "watch": "drift", "metric": "PSI of age", "comparator": "at_most", "threshold": "0.2", "every_days": 7}
    plan = {**plan, "owner": {"kind": "role", "id": "ml_engineer"}, "route": "channel #alarms"}
    monitor = place.call("monitor.save", plan)[0]
    place.call("monitor.report", {"monitor": monitor["id"], "value": "0.1", "source": "nightly job"})
    place.call("monitor.save", {**plan, "monitor": monitor["id"], "threshold": "0.25", "base": monitor["base"]})
    place.call("monitor.report", {"monitor": monitor["id"], "value": "NaN"})
    note = f"See [the run](cairn:run/{run})"
    answers = {"g1.pipeline": {"met": "yes", "note": note}, "g1.data": {"met": "partly", "note": ""}}
    place.call("maturity.assess", {"scale": "google/1", "answers": answers})


def hand_over(place, gate, me):
    place.call("checklist.assign", {"checklist": gate, "to": {"kind": "member", "id": me}})
    place.call("checklist.assign", {"checklist": gate, "item": "G1.1", "to": {"kind": "role", "id": "compliance"}})
    place.call("checklist.assign", {"checklist": gate, "item": "G1.1"})
    place.call("checklist.set_due", {"checklist": gate, "item": "G1.2", "due": "2026-12-24"})
    place.call("checklist.pick_up", {"checklist": gate})
    for reason in ({"reason": "no data"}, {}):
        place.call("checklist.block", {"checklist": gate, **reason})
    for item in ("G1.1", "G1.2", "G1.3"):
        place.call("checklist.item_done", {"checklist": gate, "item": item, "comment": "as said"})
    place.call("checklist.complete", {"checklist": gate})
    place.call("checklist.receive", {"checklist": gate})
    place.call("checklist.accept", {"checklist": gate})


class SampleWorkspace(Case):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(cls.place.close)
        register(cls.place)
        cls.place.run("--workspace", str(cls.place.workspace), "share")
        cls.remote = Path(cls.place.call("sharing.status")["remote"])
        cls.before = read(cls.remote)

    def copy(self):
        remote = self.folder() / "copy.git"
        shutil.copytree(self.remote, remote)
        return remote, lambda *command, given=None: run("git", "--git-dir", remote, *command, given=given)

    def tip(self, git, device):
        """The branch, its tip, and the tip's raw content."""
        branch = reader.LOG + device
        commit = git("rev-parse", branch).decode().strip()
        return branch, commit, git("cat-file", "commit", commit)

    def longest(self):
        return max(self.before["devices"], key=lambda device: sum(name.startswith(device) for name in self.before["operations"]))

    def assert_ends_before(self, remote, device, commit, reason):
        after = read(remote)
        said_of = {(branch, at): said for branch, at, said in after["refused"]}
        self.assertRegex(said_of.get((device, commit), "not refused"), reason)
        waiting = {branch for branch, _, said in after["refused"] if "waits" in said}
        for name, state in self.before["operations"].items():
            if name in after["operations"]:
                self.assertEqual(after["operations"][name], state, f"{name} was accepted before and is not what was altered")
            else:
                self.assertIn(name.split(".")[0], {device, *waiting}, f"{name} does not lie on what was altered")
        self.assertLess(len(after["operations"]), len(self.before["operations"]))
        self.assertEqual(after["members"], self.before["members"])

    def test_a_stranger_reads_what_the_program_says(self):
        self.assertEqual(self.before["refused"], [])
        self.assert_same(self.before, self.place.call("log.views"))

    def test_the_first_commit_can_be_pinned(self):
        first = run("git", "--git-dir", self.remote, "rev-list", "--first-parent", "--reverse", reader.LOG + self.owner()).decode().split()[0]
        digest = hashlib.sha256(run("git", "--git-dir", self.remote, "cat-file", "commit", first)).hexdigest()
        self.assertEqual(read(self.remote, "--workspace", digest)["operations"], self.before["operations"])
        self.assertEqual(read(self.remote, "--workspace", "0" * 64)["operations"], {})

    def owner(self):
        return next(member for member, said in self.before["members"].items() if "owner" in said["roles"])

    def test_an_altered_message_ends_the_branch(self):
        remote, git = self.copy()
        device = self.longest()
        branch, _, content = self.tip(git, device)
        head, message = content.split(b"\n\n", 1)
        author = head.replace(b"author ", b"author Not ", 1)
        altered = git("hash-object", "-w", "-t", "commit", "--stdin", given=author + b"\n\n" + message).decode().strip()
        git("update-ref", branch, altered)
        self.assert_ends_before(remote, device, altered, "signature")
        wrong_number = head + b"\n\n" + message.replace(b"Cairn-First: ", b"Cairn-First: 1", 1)
        altered = git("hash-object", "-w", "-t", "commit", "--stdin", given=wrong_number).decode().strip()
        git("update-ref", branch, altered)
        self.assert_ends_before(remote, device, altered, "first is")

    def test_a_branch_that_points_to_another_devices_commit_holds_nothing(self):
        remote, git = self.copy()
        thief = Device(self.folder(), "thief").id
        _, commit, _ = self.tip(git, self.owner())
        first = git("rev-list", "--first-parent", "--reverse", commit).decode().split()[0]
        git("update-ref", reader.LOG + thief, commit)
        after = read(remote)
        self.assertEqual([[branch, at] for branch, at, _ in after["refused"]], [[thief, first]])
        self.assertEqual({**after, "refused": []}, self.before)

    def test_an_altered_operation_ends_the_branch(self):
        remote, git = self.copy()
        device = self.longest()
        branch, commit, content = self.tip(git, device)
        line = git("cat-file", "blob", f"{commit}:ops.jsonl").replace(b'"tz":0', b'"tz":1', 1)
        blob = git("hash-object", "-w", "--stdin", given=line).decode().strip()
        entries = git("ls-tree", commit).decode().splitlines()
        tree = "".join(f"100644 blob {blob}\tops.jsonl\n" if entry.endswith("\tops.jsonl") else entry + "\n" for entry in entries)
        made = git("mktree", given=tree.encode()).strip()
        altered = git("hash-object", "-w", "-t", "commit", "--stdin", given=b"tree " + made + content[content.index(b"\n") :]).decode().strip()
        git("update-ref", branch, altered)
        self.assert_ends_before(remote, device, altered, "ops.jsonl is not the file")

    def test_hostile_commits_are_refused_without_a_crash(self):
        remote, git = self.copy()
        device = self.longest()
        branch, commit, content = self.tip(git, device)
        tree = git("rev-parse", f"{commit}^{{tree}}").strip()
        for hostile in (b"", b"tree", b"\xff\n\n\xff", content[:200], content.replace(tree, b"0" * 40), content + b"x" * 20_000, content.replace(b"gpgsig", b"nosig ")):
            made = git("hash-object", "-w", "--literally", "-t", "commit", "--stdin", given=hostile).decode().strip()
            (remote / branch).parent.mkdir(parents=True, exist_ok=True)
            (remote / branch).write_text(made + "\n")
            self.assertIn(device, [refused[0] for refused in read(remote)["refused"]])


class HandmadeWorkspace(Case):
    """Everything here is written by git and ssh-keygen; the program joins and only looks."""

    def setUp(self):
        self.made = Workspace(self.folder())
        self.ana = self.made.device("ana")
        self.looks = 0

    def states(self, expected):
        """Both readers say these states; those not named are accepted."""
        self.looks += 1
        program = Program(self.made.folder / f"look-{self.looks}", f"{self.made.remote}#{self.made.digest}")
        program.run("--workspace", program.dir, "share")
        ours, theirs = read(self.made.remote), program.views()
        self.assert_same(ours, theirs)
        self.assertEqual(ours["refused"], [])
        found = {name: state for name, state in ours["operations"].items() if state != "accepted"}
        self.assertEqual(found, {f"{device.id}.{number}": state for (device, number), state in expected.items()})
        return ours

    def names(self, said):
        return {record["id"] for record in said["records"]}

    def join(self, name, *roles):
        device = self.made.device(name)
        self.made.request(device)
        self.made.admit(self.ana, device, *roles)
        return device

    def test_an_unknown_type_is_kept_and_changes_nothing(self):
        w = self.made
        w.create(self.ana, "data_scientist")
        dan = self.join("dan", "data_scientist")
        before = read(w.remote)
        w.write(dan, w.line("member.teleported", member=dan.id), ops=[w.line("zebra.seen", stripes=7)], knows=[self.ana.tip])
        said = self.states({(dan, 2): "refused", (dan, 3): "unknown"})
        self.assertEqual(said["records"], before["records"])
        self.assertEqual(said["members"], before["members"])

    def test_an_unknown_line_of_authority_counts_from_whoever_may_manage_and_is_not_cut(self):
        w = self.made
        w.create(self.ana, "data_scientist")
        dan, eve = self.join("dan", "data_scientist"), self.join("eve", "administrator")
        w.write(dan, w.line("member.teleported", member=dan.id), knows=[self.ana.tip])
        w.write(eve, w.line("member.teleported", member=dan.id), knows=[self.ana.tip])
        self.states({(dan, 2): "refused", (eve, 2): "unknown"})
        w.write(self.ana, w.line("device.revoked", device=eve.id, last=1, removal="compromised"), knows=[dan.tip])
        self.states({(dan, 2): "refused", (eve, 2): "held"})

    def test_nobody_is_let_in_by_their_own_word(self):
        w = self.made
        w.create(self.ana)
        eve = w.device("eve")
        w.request(eve)
        w.write(eve, ops=[w.tag("from-outside")], knows=[self.ana.tip])
        said = read(w.remote)
        self.assertNotIn(f"{eve.id}.2", said["operations"])
        self.assertNotIn(eve.id, said["devices"])

    def test_a_removed_role_counts_up_to_its_cut(self):
        w = self.made
        w.create(self.ana)
        dan = self.join("dan", "data_scientist")
        w.write(dan, ops=[w.tag("kept"), w.tag("beyond")], knows=[self.ana.tip])
        w.write(self.ana, w.line("role.revoked", member=dan.id, role="data_scientist", cuts={dan.id: 2}))
        w.write(dan, ops=[w.tag("late")], knows=[self.ana.tip])
        said = self.states({(dan, 3): "held", (dan, 4): "refused"})
        self.assertEqual(self.names(said), {"kept"})
        self.assertEqual(said["members"][dan.id]["roles"], [])

    def test_a_removed_computer_counts_up_to_its_cut_and_comes_back(self):
        w = self.made
        w.create(self.ana)
        dan = self.join("dan", "data_scientist")
        w.write(dan, ops=[w.tag("kept"), w.tag("beyond")], knows=[self.ana.tip])
        w.write(self.ana, w.line("device.revoked", device=dan.id, last=2, removal="compromised"), knows=[dan.tip])
        held = read(w.remote)
        self.assertEqual((held["operations"][f"{dan.id}.3"], held["devices"][dan.id]["cut"]), ("held", 2))
        self.assertEqual(self.names(held), {"kept"})
        w.write(self.ana, w.line("device.readmitted", device=dan.id, last=None))
        self.assertEqual(self.names(self.states({})), {"kept", "beyond"})

    def test_of_a_grant_and_a_removal_at_once_the_removal_wins(self):
        w = self.made
        w.create(self.ana)
        bea, dan = self.join("bea", "administrator"), self.join("dan", "validator")
        w.write(bea, w.line("role.granted", member=dan.id, role="data_scientist"), knows=[self.ana.tip])
        w.write(self.ana, w.line("role.revoked", member=dan.id, role="data_scientist", cuts={}))
        w.write(dan, w.line("role.revoked", member=dan.id, role="validator", cuts={dan.id: 2}), ops=[w.line("dataset.created", dataset="d", project="p", name="d")], knows=[bea.tip])
        said = self.states({(dan, 3): "held"})
        self.assertEqual(said["members"][dan.id]["roles"], [])
        w.write(self.ana, w.line("role.granted", member=dan.id, role="data_scientist"), knows=[bea.tip])
        self.assertEqual(read(w.remote)["members"][dan.id]["roles"], ["data_scientist"], "a grant that knew of the removal stands")

    def test_what_a_stranger_admits_is_refused_and_what_a_removed_administrator_did_is_held(self):
        w = self.made
        w.create(self.ana)
        bea, dan, eve = self.join("bea", "administrator"), self.join("dan", "data_scientist"), w.device("eve")
        w.write(self.ana, w.line("device.revoked", device=bea.id, last=1, removal="compromised"))
        w.write(bea, w.line("role.granted", member=dan.id, role="validator"), knows=[dan.tip])
        w.write(bea, w.line("role.granted", member=bea.id, role="owner"))
        w.write(dan, w.line("member.admitted", **w.admission(eve, eve.id, [])), knows=[self.ana.tip])
        self.states({(bea, 2): "refused", (bea, 3): "refused", (dan, 2): "refused"})

    def test_a_removed_administrators_grant_is_held(self):
        w = self.made
        w.create(self.ana)
        bea, dan = self.join("bea", "administrator"), self.join("dan", "data_scientist")
        let_in = self.ana.tip
        w.write(self.ana, w.line("device.revoked", device=bea.id, last=1, removal="compromised"))
        w.write(bea, w.line("role.granted", member=dan.id, role="validator"), knows=[let_in])
        said = self.states({(bea, 2): "held"})
        self.assertEqual(said["members"][dan.id]["roles"], ["data_scientist"])

    def test_a_second_computer_needs_the_word_of_the_first(self):
        w = self.made
        w.create(self.ana, "data_scientist")
        dan, laptop, stolen = self.join("dan", "data_scientist"), w.device("laptop"), w.device("stolen")
        w.admit(self.ana, laptop, member=dan.id, vouch=dan.vouch_for(laptop))
        w.admit(self.ana, stolen, member=dan.id)
        w.admit(self.ana, stolen, member=dan.id, vouch=dan.vouch_for(laptop))
        w.write(laptop, ops=[w.tag("from-laptop")], knows=[self.ana.tip])
        said = self.states({(self.ana, 4): "refused", (self.ana, 5): "refused"})
        self.assertEqual(said["devices"][laptop.id]["member"], dan.id)

    def test_owners_decide_by_more_than_half(self):
        w = self.made
        w.create(self.ana)
        bea, cleo = self.join("bea", "administrator"), self.join("cleo")
        w.write(self.ana, w.line("quorum.proposed", change={"change": "grant_owner", "member": bea.id, "device": bea.id}))
        w.write(self.ana, w.line("quorum.proposed", change={"change": "grant_owner", "member": cleo.id, "device": cleo.id}))
        self.assertEqual(read(w.remote)["members"][cleo.id]["roles"], [], "one of two owners is not more than half")
        w.write(bea, w.line("quorum.seconded", proposal=f"{self.ana.id}.{self.ana.last}"), knows=[self.ana.tip])
        self.assertEqual(self.states({})["members"][cleo.id]["roles"], ["owner"])

    def test_a_new_key_takes_over_from_the_old_one(self):
        w = self.made
        w.create(self.ana)
        dan, fresh = self.join("dan", "data_scientist"), w.device("fresh")
        w.write(dan, w.line("device.rotated", device=fresh.id, key=fresh.key, proof=fresh.sign(dan.id.encode(), "device@cairn")), knows=[self.ana.tip])
        w.request(fresh)
        w.write(fresh, ops=[w.tag("from-new-key")], knows=[dan.tip])
        w.write(dan, ops=[w.tag("from-old-key")])
        said = self.states({(dan, 3): "refused"})
        self.assertEqual(self.names(said), {"from-new-key"})
        self.assertEqual(said["devices"][dan.id]["cut"], 2)


if __name__ == "__main__":
    unittest.main()
