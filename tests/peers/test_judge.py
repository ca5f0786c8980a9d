"""A stranger's judgement over releases (judge.py, made from docs/format.md alone) and the program's are the same.

Each release is asked for and decided by git and ssh-keygen only, so that it can also be done as no honest program would.
"""

import json
import unittest

import judge
import reader
from cairn import ROOT
from test_reader import Case, Program, Workspace, read, run

POLICY = next(iter(judge.POLICIES))
OLDER = next(iter(judge.OLDER))
SHOWN = reader.sha256(b"<html>")


class Team(Case):
    """Ana owns, Bob and Ana answer for the business, Val validates, Cy complies, Dan builds, Eve builds and answers."""

    def setUp(self):
        w = self.w = Workspace(self.folder())
        self.ana = w.device("ana")
        w.create(self.ana, "business_owner", "administrator")
        self.devices = [self.ana]
        self.bob = self.join("bob", "business_owner")
        self.val, self.cy = self.join("val", "validator"), self.join("cy", "compliance")
        self.dan, self.eve = self.join("dan", "data_scientist"), self.join("eve", "data_scientist", "business_owner")
        self.expected, self.blocked, self.looks = {}, {}, 0

    def join(self, name, *roles):
        device = self.w.device(name)
        self.w.request(device)
        self.w.admit(self.ana, device, *roles)
        self.devices.append(device)
        return device

    def say(self, device, *ops, acl=(), knows=None):
        """Lines in knowledge of everything, or of these tips only; returns the name of the last operation."""
        others = [other.tip for other in self.devices if other is not device and other.tip] if knows is None else knows
        self.w.write(device, *acl, ops=ops, knows=others)
        return f"{device.id}.{device.last}"

    def adopt(self, rules=2):
        return self.say(self.ana, acl=[self.w.line("rules.adopted", rules=rules)])

    def candidate(self, name, value="medium", stage="approval", files=None, by=None):
        """A project with a model version, and a class that was stated before there was anything to judge."""
        w, by = self.w, by or self.dan
        self.say(self.bob, w.line("project.created", project=name, title=name, template="light/1"))
        if value:
            self.say(self.bob, self.state(name, value))
        self.say(self.bob, w.line("project.stage_entered", project=name, stage=stage, cycle=1, waived=[]))
        files = files or {"model/MLmodel": "1" * 64, "model/model.pkl": reader.sha256(name.encode())}
        self.say(
            by, w.line("experiment.created", experiment=f"e-{name}", name=name),
            w.line("run.created", run=f"r-{name}", experiment=f"e-{name}", user="x", start_ms=1, tags={}),
            w.line("model.created", model=f"m-{name}", project=name, name=f"model of {name}"),
            w.line("model.version_added", version=f"v-{name}", model=f"m-{name}", number=1, run=f"r-{name}", files=files, datasets=[]),
            w.line("card.edited", version=f"v-{name}", section="purpose", text=f"About {name} \U0001f600", base=[]),
        )  # fmt: skip

    def state(self, project, value, device=None, role="business_owner", why="so it is"):
        return self.w.line("project.class_set", why, **{"class": value}, project=project, role=role)

    def submit(self, name, expected, value="medium", by=None, answers=None, knows=None, why="better", **other):
        by = by or self.dan
        number = by.last + 1
        release = reader.sha256(f"release {by.id}.{number}".encode())[:32]
        frozen = {"class": value, "policy": "standard/2", "policy_digest": POLICY, "lifecycle": "light/1", "lifecycle_digest": "2" * 64, "cycle": 1, "criteria": []}
        frozen.update(other)
        op = self.w.line("release.submitted", why, release=release, project=name, version=f"v-{name}", frozen=frozen, answers=answers or {})
        self.say(by, op, knows=knows)
        self.expected[release] = expected
        return {"release": release, "request": f"{by.id}.{number}", "frozen": frozen, "version": f"v-{name}"}

    def subjects(self, request):
        history = judge.History(reader.Reader(self.w.remote))
        added = next(o for o in history.said if o.name == request["request"])
        return [{"name": name, "digest": {"sha256": digest}} for name, digest in history.current(added)]

    def decision(self, device, request, decision="approved", role="business_owner", earlier=(), subjects=None, changed=None):
        predicate = {
            "release": request["release"], "request": request["request"], "frozen": request["frozen"], "decision": decision, "role": role, "reason": "read it",
            "signer": {"principal": device.id}, "shown": {"sha256": SHOWN, "size": 6}, "earlierDecisions": list(earlier), "criteria": [], "claimedAt": "today",
        }  # fmt: skip
        predicate.update(changed or {})
        said = {"_type": "https://in-toto.io/Statement/v1", "subject": self.subjects(request) if subjects is None else subjects}
        statement = json.dumps({**said, "predicateType": reader.DECISION, "predicate": predicate})
        signature = device.sign(statement.encode(), "approval@cairn")
        signoff = reader.sha256(signature.encode())[:32]
        d = {"release": request["release"], "signoff": signoff, "decision": decision, "role": role, "page": SHOWN, "page_size": 6}
        return signoff, self.w.line("release.decided", "read it", statement=statement, signature=signature, **d)

    def decide(self, device, request, *args, knows=None, **other):
        signoff, op = self.decision(device, request, *args, **other)
        self.say(device, op, knows=knows)
        return signoff

    def older(self, device, request, decision="approved", role="business_owner"):
        """A sign-off of the first rules."""
        predicate = {"release": request["release"], "decision": decision, "role": role, "signer": {"principal": device.id}, "reason": "good", "claimedAt": "today"}
        said = {"_type": "https://in-toto.io/Statement/v1", "subject": self.subjects(request), "predicateType": reader.APPROVAL, "predicate": predicate}
        statement = json.dumps(said)
        signature = device.sign(statement.encode(), "approval@cairn")
        d = {"release": request["release"], "signoff": reader.sha256(signature.encode())[:32], "decision": decision, "role": role}
        self.say(device, self.w.line("release.signed", statement=statement, signature=signature, **d))

    def ask_older(self, name, expected):
        number = self.dan.last + 1
        release = reader.sha256(f"release {self.dan.id}.{number}".encode())[:32]
        self.say(self.dan, self.w.line("release.requested", release=release, project=name, version=f"v-{name}", policy="standard/1", policy_digest=OLDER))
        self.expected[release] = expected
        return {"release": release, "request": f"{self.dan.id}.{number}"}

    def compare(self, states=None):
        """Both say what is expected of every release, and what of every operation."""
        self.looks += 1
        program = Program(self.w.folder / f"look-{self.looks}", f"{self.w.remote}#{self.w.digest}")
        program.run("--workspace", program.dir, "share")
        ours = read(self.w.remote)
        self.assert_same(ours, program.views())
        self.assertEqual(ours["refused"], [])
        found = {name: state for name, state in ours["operations"].items() if state != "accepted"}
        self.assertEqual(found, states or {})
        history = judge.History(reader.Reader(self.w.remote))
        theirs = {}
        for release in self.expected:
            said = json.loads(program.run("--workspace", program.dir, "call", "release.get", json.dumps({"release": release})))
            older = any(o.d["release"] == release for o in history.all("release.requested"))
            self.assertEqual(said["older"], older, "what was asked for in the first form says so")
            theirs[release] = (said["state"], sorted({block["code"] for block in said["blocks"]}))
        names = {release: next(o.d["project"] for o in history.all("release.requested", "release.submitted") if o.d["release"] == release) for release in theirs}
        told = {names[release]: state for release, (state, _) in theirs.items()}
        self.assertEqual({names[release]: state for release, state in history.releases().items()}, told, "the stranger and the program")
        self.assertEqual({names[release]: state for release, state in self.expected.items()}, told, "what is expected")
        codes = {"cancelled": "project_cancelled", "earlier_rejection": "rejected_before"}
        for request in history.all("release.submitted"):
            judgement = judge.Judgement(history, request)
            if judgement.state() == "approved":
                blocks = sorted({codes.get(block, block) for block in judgement.blocks()})
                self.assertEqual(blocks, theirs[request.d["release"]][1], names[request.d["release"]])
                self.assertEqual(blocks, self.blocked.get(request.d["release"], []), names[request.d["release"]])


class Releases(Team):
    def test_decisions(self):
        self.adopt()
        for name, value, expected, said in [
            ("yes", "medium", "approved", [(self.ana, "approved", "business_owner")]),
            ("half", "high", "waiting", [(self.val, "approved", "validator")]),
            ("both", "high", "approved", [(self.val, "approved", "validator"), (self.bob, "approved", "business_owner")]),
            ("no", "medium", "rejected", [(self.ana, "approved", "business_owner"), (self.val, "rejected", "validator")]),
            ("back", "medium", "sent_back", [(self.cy, "sent_back", "compliance")]),
            ("taken", "medium", "taken_back", [(self.ana, "approved", "business_owner"), (self.ana, "taken_back", "business_owner")]),
            ("again", "medium", "approved", [(self.ana, d, "business_owner") for d in ("approved", "taken_back", "approved")]),
            ("other", "medium", "approved", [(self.ana, "taken_back", "business_owner"), (self.bob, "approved", "business_owner")]),
            ("builder", "medium", "waiting", [(self.eve, "approved", "business_owner")]),
        ]:
            self.candidate(name, value, by=self.eve if name == "builder" else None)
            request = self.submit(name, expected, value)
            for device, decision, role in said:
                self.decide(device, request, decision, role)
        self.candidate("asked")
        request = self.submit("asked", "waiting", by=self.eve)
        self.decide(self.eve, request)
        self.candidate("changed")
        request = self.submit("changed", "stale")
        self.decide(self.ana, request)
        self.say(self.dan, self.w.line("card.edited", version="v-changed", section="purpose", text="Now for all", base=[]))
        self.candidate("elsewhere")
        request = self.submit("elsewhere", "waiting")
        self.decide(self.ana, {**request, "request": f"{self.dan.id}.1"}, subjects=[])
        self.candidate("lower")
        request = self.submit("lower", "waiting")
        self.decide(self.ana, {**request, "frozen": {**request["frozen"], "class": "low"}})
        for by, expected in ((self.dan, "withdrawn"), (self.eve, "approved")):
            self.candidate(f"withdrawn-{expected}")
            request = self.submit(f"withdrawn-{expected}", expected)
            self.say(by, self.w.line("release.withdrawn", release=request["release"]))
            self.decide(self.ana, request)
        self.compare()

    def test_classes(self):
        self.adopt()
        w = self.w

        def lowered(name, expected, value, *more):
            self.candidate(name, "high")
            stated = self.say(self.bob, self.state(name, "low"))
            for device, role in more:
                self.say(device, w.line("project.class_agreed", "yes", project=name, proposal=stated, role=role))
            self.decide(self.ana, self.submit(name, expected, value))

        lowered("alone", "void", "low")
        lowered("agreed", "approved", "low", (self.val, "validator"))
        lowered("same-role", "void", "low", (self.ana, "business_owner"))
        lowered("still-high", "waiting", "high")
        self.candidate("unset", None)
        self.decide(self.ana, self.submit("unset", "void", "medium"))
        self.candidate("edited", "high")
        self.say(self.dan, w.line("project.edited", project="edited", field="risk_class", value="low", base=[]))
        self.decide(self.ana, self.submit("edited", "void", "low"))
        self.candidate("raised")
        self.decide(self.ana, self.submit("raised", "stale"))
        self.say(self.cy, self.state("raised", "high", role="compliance"))
        # Two who did not know of each other, and somebody who knew of both.
        for name, settle, expected in (("apart", False, "void"), ("settled", True, "approved")):
            self.candidate(name, None)
            before = [device.tip for device in self.devices]
            known = lambda device: [tip for tip, other in zip(before, self.devices) if other is not device]
            self.say(self.val, self.state(name, "high", role="validator"), knows=known(self.val))
            self.say(self.cy, self.state(name, "low", role="compliance"), knows=known(self.cy))
            if settle:
                stated = self.say(self.ana, self.state(name, "low"))
                self.say(self.val, w.line("project.class_agreed", "yes", project=name, proposal=stated, role="validator"))
            self.decide(self.ana, self.submit(name, expected, "low"))
        self.compare()

    def test_people_and_earlier_decisions(self):
        self.adopt()
        w = self.w
        for name, author, expected in (("named", self.ana, "waiting"), ("own-word", self.bob, "approved"), ("no-signer", self.dan, "approved")):
            self.candidate(name)
            self.say(author, w.line("project.member_added", project=name, member=self.bob.id, role="business_owner"))
            self.decide(self.ana, self.submit(name, expected))
        self.candidate("first")
        no = self.decide(self.val, self.submit("first", "rejected"), "rejected", "validator")
        files = {"model/model.pkl": reader.sha256(b"first"), "extra.txt": "3" * 64}
        for name, answers, listed, more, expected in [
            ("unanswered", {}, [no], True, "void"), ("answered", {no: "it is fixed"}, [no], True, "approved"),
            ("silent", {no: "it is fixed"}, [], True, "waiting"), ("not-by-val", {no: "it is fixed"}, [no], False, "waiting"),
        ]:  # fmt: skip
            self.candidate(name, files=files)
            request = self.submit(name, expected, answers=answers)
            self.decide(self.ana, request, earlier=listed)
            if more:
                self.decide(self.val, request, role="validator", earlier=[no])
        # The boilerplate alone makes no two models the same.
        self.candidate("like", files={"a/MLmodel": "1" * 64, "a/model.pkl": "4" * 64})
        self.decide(self.ana, self.submit("like", "approved"))
        self.compare()

    def test_what_holds_it_up(self):
        self.adopt()
        w = self.w

        def approved(name, *codes, stage="approval", value="medium"):
            self.candidate(name, value, stage=stage)
            request = self.submit(name, "approved", value)
            self.decide(self.ana, request)
            self.blocked[request["release"]] = sorted(codes)

        approved("early", "stage", stage="training")
        for name, device, codes in (("found", self.val, ["finding"]), ("found-by-dan", self.dan, [])):
            approved(name, *codes)
            self.say(device, w.line("finding.raised", finding=f"f-{name}", project=name, title="x", text="", severity="high"))
        approved("fixed")
        self.say(self.val, w.line("finding.raised", finding="f-fixed", project="fixed", title="x", text="", severity="high"))
        self.say(self.cy, w.line("finding.settled", finding="f-fixed", outcome="fixed"))
        for name, device, codes in (("cancelled", self.bob, ["project_cancelled"]), ("cancelled-by-dan", self.dan, [])):
            approved(name, *codes)
            self.say(device, w.line("project.ended", "no use", project=name, ending="cancelled"))
        approved("deleted")
        self.say(self.dan, w.line("record.deleted", subject={"kind": "model_version", "id": "v-deleted"}))
        self.candidate("gone")
        self.say(self.dan, w.line("record.deleted", subject={"kind": "run", "id": "r-gone"}))
        self.decide(self.ana, self.submit("gone", "void"))
        self.candidate("restored")
        self.say(self.dan, w.line("record.deleted", subject={"kind": "run", "id": "r-restored"}))
        self.say(self.eve, w.line("record.restored", subject={"kind": "run", "id": "r-restored"}))
        self.decide(self.ana, self.submit("restored", "approved"))
        self.candidate("unknown")
        self.decide(self.ana, self.submit("unknown", "undetermined", policy_digest="5" * 64))
        self.compare()

    def test_what_the_criteria_came_to(self):
        self.adopt()
        w = self.w
        asks = {"metric": "recall", "slice": "", "comparator": "at_least", "threshold": "0.7", "level": "0.95", "data": "test", "digest": "d2"}

        def approved(name, *codes, said, again=None, expected="approved"):
            """A request over two signed criteria; each approval says what they came to."""
            self.candidate(name)
            list_ = [asks, {**asks, "metric": "precision"}]
            digest = reader.sha256(judge.canonical({"project": name, "cycle": 1, "list": list_}).encode())
            self.say(self.val, w.line("criteria.written", criteria=f"c-{name}", project=name, cycle=1, list=list_, replaces=[]))
            predicate = {"criteria": f"c-{name}", "role": "business_owner", "signer": {"principal": self.bob.id}, "claimedAt": "today"}
            whole = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "criteria", "digest": {"sha256": digest}}]}
            statement = json.dumps({**whole, "predicateType": reader.CRITERIA, "predicate": predicate})
            signature = self.bob.sign(statement.encode(), "approval@cairn")
            signoff = reader.sha256(signature.encode())[:32]
            self.say(self.bob, w.line("criteria.signed", criteria=f"c-{name}", signoff=signoff, role="business_owner", statement=statement, signature=signature))
            request = self.submit(name, expected, criteria=[{"name": f"criteria/c-{name}", "sha256": digest}])
            self.blocked[request["release"]] = sorted(codes)
            for device, results in ((self.ana, said), *([again] if again else [])):
                entries = [{"criteria": f"c-{name}", "place": place, **entry} for place, entry in results]
                self.decide(device, request, changed={"criteria": entries})

        passed, failed = {"verdict": "passed", "value": "0.9", "low": "0.8", "high": "1", "run": None}, {"verdict": "failed"}
        both = [(0, passed), (1, passed)]
        approved("passed", said=both)
        approved("one-failed", "criteria", said=[(0, passed), (1, failed)])
        approved("silent", "criteria", said=[(0, passed)])
        approved("not-evaluated", "criteria", said=[(0, passed), (1, {"verdict": None})])
        approved("twice", "criteria", said=[*both, (1, failed)])
        approved("again", said=[(1, failed)], again=(self.bob, both))
        approved("worse-again", "criteria", said=both, again=(self.bob, [(0, failed)]))
        measured = [(0, {**passed, "run": "r-other"}), (1, passed)]
        approved("other", "deleted", said=both)
        approved("run-gone", "deleted", said=measured)
        # "other" rests on that run as what made it, "run-gone" as what was measured.
        self.say(self.val, w.line("record.deleted", subject={"kind": "run", "id": "r-other"}))
        approved("run-was-gone", "deleted", said=measured, expected="void")
        self.compare()

    def test_the_first_rules_before_and_after(self):
        asked = {}
        for name, expected in (("in-time", "approved"), ("late", "waiting"), ("no", "rejected"), ("changed", "approved")):
            self.candidate(name)
            asked[name] = self.ask_older(name, expected)
            if name in ("in-time", "changed"):
                self.older(self.ana, asked[name])
            if name == "no":
                self.older(self.bob, asked[name], "rejected")
        for name in ("new", "not-heard"):
            self.candidate(name)
        self.compare()
        before = [device.tip for device in self.devices if device is not self.dan]
        self.adopt()
        self.decide(self.ana, self.submit("not-heard", "void", knows=before))
        self.decide(self.ana, self.submit("new", "approved"))
        self.older(self.ana, asked["late"])
        self.say(self.dan, self.w.line("card.edited", version="v-changed", section="purpose", text="Other", base=[]))
        self.expected[asked["changed"]["release"]] = "stale"
        self.compare()

    def test_newer_rules_leave_nobody_to_say(self):
        self.adopt()
        self.candidate("yes")
        self.decide(self.ana, self.submit("yes", "undetermined"))
        self.adopt(3)
        self.compare()


class Refused(Team):
    def test_what_may_not_be_said(self):
        w, refused = self.w, {}

        def no(device, *ops, acl=()):
            refused[self.say(device, *ops, acl=acl)] = "refused"

        no(self.bob, acl=[w.line("rules.adopted", rules=2)])
        no(self.dan, acl=[w.line("rules.adopted", rules=2)])
        self.adopt()
        self.candidate("p")
        for why in (None, "  "):
            no(self.bob, self.state("p", "low", why=why))
            no(self.val, w.line("project.class_agreed", why, project="p", proposal=f"{self.bob.id}.2", role="validator"))
        no(self.bob, self.state("p", "low", role="validator"))
        no(self.dan, self.state("p", "low", role="data_scientist"))
        request = self.submit("p", "approved")
        no(self.dan, w.line("release.submitted", "why", release="0" * 32, project="p", version="v-p", frozen=request["frozen"], answers={}))
        release = reader.sha256(f"release {self.dan.id}.{self.dan.last + 1}".encode())[:32]
        no(self.dan, w.line("release.submitted", release=release, project="p", version="v-p", frozen=request["frozen"], answers={}))
        no(self.val, w.line("release.answered", release=request["release"], challenge=request["request"], role="validator"))
        no(self.dan, w.line("release.answered", "fine", release=request["release"], challenge=request["request"], role="validator"))
        no(self.dan, w.line("request.declined", device=self.eve.id))
        for changed in (
            {"decision": "rejected"}, {"role": "validator"}, {"page": "6" * 64}, {"page_size": 7}, {"release": "7" * 32}, {"signoff": "8" * 32}, {"signoff": "x y"},
            {"statement": lambda text: text.replace("approval/v2", "approval/v1")}, {"signature": lambda text: text.replace("A", "B", 1)},
        ):  # fmt: skip
            line = json.loads(self.decision(self.ana, request)[1])
            for name, value in changed.items():
                line["d"][name] = value(line["d"][name]) if callable(value) else value
            no(self.ana, json.dumps(line))
        for inside in ({"signer": {"principal": self.bob.id}}, {"shown": {"sha256": SHOWN}}, {"earlierDecisions": None}, {"frozen": {}}, {"request": "x"}, {"reason": 1}):
            no(self.ana, self.decision(self.ana, request, changed=inside)[1])
        no(self.dan, self.decision(self.dan, request, role="data_scientist")[1])
        no(self.cy, self.decision(self.cy, request)[1])
        self.decide(self.ana, request)
        self.say(self.val, w.line("release.answered", "looked at", release=request["release"], challenge=request["request"], role="validator"))
        self.say(self.ana, w.line("request.declined", "nobody knows them", device=self.w.device("stranger").id))
        self.compare(refused)


class Golden(Case):
    """Histories that were left by released programs, and what must be read from them for ever."""

    def test_every_release_of_them(self):
        for place in sorted((ROOT / "tests/golden").iterdir()):
            remote = self.folder() / "shared.git"
            run("git", "clone", "-q", "--mirror", place / "remote.bundle", remote)
            found = reader.Reader(remote)
            self.assert_same(found.report(), json.loads((place / "views.json").read_text()))
            expected = {release: said["state"] for release, said in json.loads((place / "releases.json").read_text()).items()}
            self.assertEqual(judge.History(found).releases(), expected, place.name)


if __name__ == "__main__":
    unittest.main()
