"""Judges the releases of a shared repository by docs/format.md, section 12, alone; beside reader.py, which reads it."""

import argparse
import json
import sys

from reader import APPROVAL, CRITERIA, DECISION, FROZEN, RIGHTS, Reader, fold, read_statement, sha256

RULES = 2
CLASSES = ("low", "medium", "high")
STAGES = ("business_problem", "data", "training", "validation", "approval", "operation")
SEVERITIES = ("low", "medium", "high")
SIGNING = RIGHTS["sign"]
SIGNERS = set(SIGNING)
BOILERPLATE = {
    "MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "registered_model_meta", "README.md", "input_example.json",
    "serving_input_example.json", "metadata.json",
}  # fmt: skip
# What the policies of these digests ask for: approvals, who may block beside them, whether builders are forgiven in a small team.
POLICIES = {
    "48550dd40828ba4f1678fad08bc40549864bb6e67b9f6e3c41c39db4bbf74320": {
        "low": (["business_owner"], ["validator", "compliance"], True),
        "medium": (["business_owner"], ["validator", "compliance"], False),
        "high": (["validator", "business_owner"], ["compliance"], False),
    }
}
OLDER = {
    "9191b82214b307602807705542eb8f7691c4e4e1a8476c29af7de7ea30d96fd0": {
        "low": ["business_owner"], "medium": ["business_owner"], "high": ["validator", "business_owner"],
    }
}  # fmt: skip
SMALL_TEAM = 3
ROLES = ("owner", "administrator", "business_owner", "data_scientist", "data_engineer", "ml_engineer", "validator", "compliance")


class Version:
    """Everything that the operations which add a version ever said of it."""

    def __init__(self, name, added):
        self.name, self.added = name, added
        self.models = {o.d["model"] for o in added}
        self.runs = {o.d["run"] for o in added if o.d.get("run") is not None}
        self.logged = {o.d["logged_model"] for o in added if o.type == "model_version.registered" and o.d.get("logged_model") is not None}


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def unfilled(roles, signed):
    """The roles that no approval fills, as few as can be; each person fills one. `signed`: (member, role)."""
    if not roles:
        return []
    first, rest = roles[0], roles[1:]
    ways = [unfilled(rest, [s for s in signed if s[0] != member]) for member, role in signed if role == first]
    return min([*ways, [first, *unfilled(rest, signed)]], key=len)


class History:
    """What every judgement rests on: the accepted operations, their authors, and the records as they are now."""

    def __init__(self, reader):
        self.now = reader.now
        self.newer = any(operation.authority and operation.state == "unknown" for operation in reader.operations.values())
        accepted = [operation for operation in reader.operations.values() if operation.state == "accepted" and not operation.authority]
        self.said = sorted(accepted, key=lambda operation: (operation.device, operation.number))
        self.by_type = {}
        for operation in self.said:
            self.by_type.setdefault(operation.type, []).append(operation)
        self.records = {(record["kind"], record["id"]): record for record in fold(accepted)}
        self.adopted = self.now.adopted
        self.members = {}

    def all(self, *types):
        """Of these types, in the order of their names."""
        return sorted((operation for kind in types for operation in self.by_type.get(kind, [])), key=lambda o: (o.device, o.number))

    def by(self, operation):
        if operation.device not in self.members:
            self.members[operation.device] = self.now.member_of(operation.device)
        return self.members[operation.device]

    def roles(self, operation):
        return self.now.author(operation).roles

    def before_adoption(self, operation):
        newer = [a for a in self.adopted if a.d["rules"] >= RULES]
        first = [a for a in newer if not any(b is not a and a.knows(b) for b in newer)]
        return not newer or any(adopted.knows(operation) for adopted in first)

    def cell(self, kind, name, field, key=""):
        record = self.records.get((kind, name), {"cells": []})
        return next((value for f, k, value in record["cells"] if (f, k) == (field, key)), None)

    # The same model.

    def version(self, name):
        added = [o for o in self.all("model.version_added", "model_version.registered") if o.d["version"] == name]
        return Version(name, added) if added else None

    @staticmethod
    def keys(added):
        d, keys = added.d, set()
        if d.get("run") is not None:
            keys.add(("run", d["run"]))
        if added.type == "model_version.registered" and d.get("logged_model") is not None:
            keys.add(("model", d["logged_model"]))
        if d["files"]:
            keys.add(("files", whole_digest(d["files"])))
        keys.update(("file", digest) for path, digest in d["files"].items() if path.split("/")[-1] not in BOILERPLATE)
        return keys

    def same(self, one, other):
        return bool(set().union(*map(self.keys, one.added)) & set().union(*map(self.keys, other.added)))

    def projects_of(self, model):
        """(operation, project) of each that says to which project a model belongs."""
        found = self.all("model.created", "model.linked")
        return [(operation, operation.d["project"]) for operation in found if operation.d["model"] == model and operation.d.get("project") is not None]

    # The class.

    def is_data(self, project, operation):
        d = operation.d
        if operation.type in ("dataset.created", "model.created", "release.submitted", "model.linked", "experiment.linked", "experiment.created"):
            return d.get("project") == project
        if operation.type == "criteria.signed":
            return any(w.d["criteria"] == d["criteria"] and w.d["project"] == project for w in self.all("criteria.written"))
        return False

    def class_of(self, project, seen=lambda operation: True, counts=lambda stated, data: True):
        """(class, the operations that it rests on, [(proposal, class)])."""
        about = [o for o in self.all("project.edited", "project.class_set", "project.class_agreed") if o.d["project"] == project and seen(o)]
        about.sort(key=lambda o: (o.weight, o.device, o.number))
        data = [o for o in self.said if self.is_data(project, o) and seen(o)]
        holds, proposals = [], []
        for s in about:
            if s.type == "project.edited" and s.d["field"] == "risk_class" and s.d["value"] in CLASSES:
                (holds.append((s, s.d["value"], s)) if self.before_adoption(s) else proposals.append((s, s.d["value"])))
            if s.type == "project.class_set":
                before, _ = heads([h for h in holds if s.knows(h[0])])
                lower = before is not None and rank(s.d["class"]) < rank(before)
                if not lower or not any(counts(s, d) and not d.knows(s) for d in data):
                    holds.append((s, s.d["class"], s))
                    continue
                agreed = [
                    a for a in about
                    if a.type == "project.class_agreed" and a.d["proposal"] == s.name and a.d["role"] != s.d["role"] and self.by(a) != self.by(s) and a.knows(s)
                ]  # fmt: skip
                # An agreement speaks from what the proposal knew: what was raised since is not undone by it.
                holds.append((agreed[0], s.d["class"], s)) if agreed else proposals.append((s, s.d["class"]))
        settled = []
        for h, _, basis in holds:
            known = [other for other, _, _ in holds if basis.knows(other)]
            if sum(not any(later.knows(k) for later in known) for k in known) > 1:
                settled.append(h)
        late = [h for h in holds if h[0] not in settled and any(o[0] in settled and apart(o, h) for o in holds)]
        value, by = heads([h for h in holds if h not in late])
        return value, by, proposals + [h[:2] for h in late]

    # People.

    def named(self, project, role, knower):
        def known(kind):
            return [o for o in self.all(kind) if o.d["project"] == project and o.d["role"] == role]

        # A name that was given without knowing of the act counts for it too.
        earlier = lambda o: knower.knows(o) or o is not knower and not o.knows(knower)

        def signer(operation):
            return bool(self.roles(operation) & SIGNING)

        adds = [a for a in known("project.member_added") if earlier(a) and self.by(a) != a.d["member"] and signer(a)]
        removes = [r for r in known("project.member_removed") if knower.knows(r) and (self.by(r) == r.d["member"] or signer(r))]
        return {a.d["member"] for a in adds if not any(r.d["member"] == a.d["member"] and r.knows(a) for r in removes)}

    def decides(self, project, role, operation):
        names = self.named(project, role, operation)
        return not names or self.by(operation) in names

    def ever_held(self, request):
        held = {}
        for (member, role), grants in self.now.grants.items():
            if any(not grant.knows(request) for grant in grants):
                held.setdefault(member, set()).add(role)
        return held

    def gave_themself(self, member, role, operation):
        known = [grant for grant in self.now.grants.get((member, role), []) if operation.knows(grant)]
        revoked = [said for said, _ in self.now.revocations.get((member, role), []) if operation.knows(said)]
        known = [grant for grant in known if not any(not grant.knows(said) for said in revoked)]
        first = lambda grant: self.now.introductions[grant.device][0].member
        return bool(known) and all(grant.type != "workspace.created" and first(grant) == member for grant in known)

    # What a signature binds to.

    def current(self, request):
        d = request.d
        version = self.records["model_version", d["version"]]
        cell = lambda field: self.cell("model_version", d["version"], field)
        sections = {key: text for field, key, text in version["cells"] if field == "card" and text.strip()}
        card = {"format": "cairn-model-card/1", "model": self.cell("model", version["parent"], "name"), "version": int(cell("number")), "sections": sections}
        bound = [("model", whole_digest(json.loads(cell("files")))), ("card", sha256(canonical(card).encode()))]
        for name in json.loads(cell("datasets") or "[]"):
            dataset = self.cell("dataset", self.records["dataset_version", name]["parent"], "name")
            bound.append((f"dataset/{dataset}@{self.cell('dataset_version', name, 'number')}", self.cell("dataset_version", name, "digest")))
        return bound + (self.signed_criteria(d["project"], d["frozen"]["cycle"]) if request.type == "release.submitted" else [])

    def signed_criteria(self, project, cycle):
        signed = {}
        for (kind, name), record in self.records.items():
            if kind != "criteria" or record["parent"] != project or self.cell(kind, name, "cycle") != str(cycle):
                continue
            digest = sha256(canonical({"project": project, "cycle": cycle, "list": json.loads(self.cell(kind, name, "list"))}).encode())
            for (other, signoff), said in self.records.items():
                statement = read_statement(self.cell(other, signoff, "statement") or "", CRITERIA) if other == "signoff" and said["parent"] == name else None
                if statement and statement["subject"][0]["digest"]["sha256"] == digest and statement["predicate"]["criteria"] == name:
                    signed[name] = digest
        replaced = {old for name in signed for old in json.loads(self.cell("criteria", name, "replaces"))}
        return sorted((f"criteria/{name}", digest) for name, digest in signed.items() if name not in replaced)

    def releases(self):
        return {request.d["release"]: Judgement(self, request).state() for request in self.all("release.requested", "release.submitted")}


def rank(value):
    return CLASSES.index(value)


def heads(holds):
    """The strictest of the statements that no other knew of, and all of those."""
    open_ones = [h for h in holds if not any(other[2].knows(h[0]) for other in holds)]
    return max((h[1] for h in open_ones), key=rank, default=None), [h[0] for h in open_ones]


def apart(one, other):
    return one[0] is not other[0] and not one[2].knows(other[0]) and not other[2].knows(one[0])


def whole_digest(files):
    return sha256(b"".join(bytes.fromhex(files[path]) for path in sorted(files)))


def bound_by(statement):
    return [(subject["name"], subject["digest"]["sha256"]) for subject in statement["subject"]]


class Judgement:
    """One release."""

    def __init__(self, history, request):
        self.h, self.request, self.d = history, request, request.d
        self.release, self.project = request.d["release"], request.d["project"]
        self.version = history.version(request.d["version"])
        self.current = history.current(request) if self.version else []

    def state(self):
        if self.version is None:
            return "undetermined"
        newer = self.h.newer or any(adopted.d["rules"] > RULES for adopted in self.h.adopted)
        if self.request.type == "release.requested":
            return self._older(newer)
        frozen = self.d["frozen"]
        policy = POLICIES.get(frozen["policy_digest"])
        if policy is None or newer:
            return "undetermined"
        self.signoffs, self.may_also_block, self.small_is_forgiven = policy[frozen["class"]]
        team = self.h.ever_held(self.request)
        self.small = sum(bool(roles & SIGNING) for roles in team.values()) <= SMALL_TEAM
        self.alone = len(team) <= 1
        self.builders = self._builders()
        self.earlier = self._earlier()
        against = {d.d["role"] for d in self.earlier if self._says_no(d)} - set(self.signoffs)
        self.needed = [*self.signoffs, *sorted(against, key=ROLES.index)]
        self.counted = [(d, said) for d, said in self._decisions(DECISION) if self._counts(d, said)]
        # A no in the first form is a no all the same.
        self.counted += [(d, None) for d, _ in self._decisions(APPROVAL) if d.d["decision"] != "approved" and self._may_block(d.d["role"], d)]
        return self._state()

    def _of(self, ruling):
        return [(d, said) for d, said in self.counted if d.d["decision"] == ruling]

    def _decisions(self, kind):
        for d in self.h.all("release.signed" if kind == APPROVAL else "release.decided"):
            if d.d["release"] == self.release:
                yield d, read_statement(d.d["statement"], kind)

    def _knows(self, operation):
        return self.request.knows(operation)

    def _may_block(self, role, operation, knower=None):
        names = self.h.named(self.project, role, knower or operation)
        return role in (*self.signoffs, *self.may_also_block) and (not names or self.h.by(operation) in names)

    def _blocks_by(self, operation):
        return any(self._may_block(role, operation) for role in self.h.roles(operation))

    def _says_no(self, decision):
        """A rejection of the same model whose signer decides here too."""
        return decision.d["decision"] == "rejected" and self._may_block(decision.d["role"], decision, self.request)

    def _builders(self):
        h, version = self.h, self.version
        made = [o for o in h.all("run.created") if o.d["run"] in version.runs]
        owners = {("run", run) for run in version.runs} | {("logged_model", model) for model in version.logged}
        for o in h.all("artifact.logged", "artifact.referenced"):
            owner = (o.d["owner"]["kind"], o.d["owner"]["id"])
            made += [o] * (owner in owners)
        made += [o for o in h.all("logged_model.created") if o.d["model"] in version.logged]
        made += [o for o in h.all("model.version_added", "model_version.registered", "card.edited") if o.d["version"] == version.name]
        criteria = {bound["name"] for bound in self.d.get("frozen", {"criteria": []})["criteria"]}
        made += [o for o in h.all("criteria.written") if f"criteria/{o.d['criteria']}" in criteria]
        return {h.by(o) for o in made}

    def _earlier(self):
        found = []
        for d in self.h.all("release.signed", "release.decided"):
            other = next((r for r in self.h.all("release.requested", "release.submitted") if r.d["release"] == d.d["release"]), None)
            if other is None or d.d["release"] == self.release:
                continue
            theirs = self.h.version(other.d["version"])
            if other.d["version"] == self.d["version"] or theirs is not None and self.h.same(theirs, self.version):
                found.append(d)
        return sorted(found, key=lambda d: (int(d.hlc[:12], 16) if d.at is None else d.at, d.d["signoff"]))

    def _counts(self, d, said):
        predicate, role, yes = said["predicate"], d.d["role"], d.d["decision"] == "approved"
        frozen = {name: predicate["frozen"][name] for name in FROZEN}
        frozen["criteria"] = [{name: bound[name] for name in ("name", "sha256")} for bound in frozen["criteria"]]
        ours = {name: self.d["frozen"][name] for name in FROZEN}
        ours["criteria"] = [{name: bound[name] for name in ("name", "sha256")} for bound in ours["criteria"]]
        if frozen != ours or predicate["request"] != self.request.name or not d.knows(self.request):
            return False
        if role not in (*self.signoffs, *self.may_also_block, *self.needed) or not self.h.decides(self.project, role, d):
            return False
        if not yes:
            return True
        by = self.h.by(d)
        hand = by in self.builders or by == self.h.by(self.request)
        if hand and self.h.gave_themself(by, role, d) and not self.alone:
            return False
        if hand and not (self.small_is_forgiven and self.small):
            return False
        said_no = [e for e in self.earlier if e.d["decision"] == "rejected" and d.knows(e)]
        if any(e.d["signoff"] not in predicate["earlierDecisions"] for e in said_no):
            return False
        back = [t for t, _ in self._decisions(DECISION) if t.d["decision"] == "taken_back"]
        return not any(self.h.by(t) == by and t.knows(d) for t in back)

    def _class(self, seen=lambda operation: True, project=None):
        counts = lambda stated, data: self._knows(data) or not self._knows(stated)
        return self.h.class_of(project or self.project, seen, counts)

    def _state(self):
        if self._void():
            return "void"
        approved = self._of("approved")
        if self._withdrawn([(self.h.by(d), d.d["role"], d) for d, _ in approved]):
            return "withdrawn"
        if self._of("rejected"):
            return "rejected"
        overcome = lambda no: any(yes.d["role"] == no.d["role"] and yes.knows(no) for yes, _ in approved)
        if any(not overcome(d) for d, _ in self._of("taken_back")):
            return "taken_back"
        if any((said is None or bound_by(said) == self.current) and not overcome(d) for d, said in self._of("sent_back")):
            return "sent_back"
        moved = self._class_moved()
        fresh = [(self.h.by(d), d.d["role"]) for d, said in approved if bound_by(said) == self.current]
        if not unfilled(self.needed, fresh) and not moved:
            return "approved"
        return "stale" if moved or len(fresh) < len(approved) else "waiting"

    def _class_moved(self):
        now, by, _ = self._class()
        if now == self.d["frozen"]["class"] or now == self._class(self._knows)[0]:
            return False
        return any(not self._knows(s) and self._blocks_by(s) for s in by)

    def _void(self):
        if not any(adopted.d["rules"] >= RULES and self._knows(adopted) for adopted in self.h.adopted):
            return True
        here = lambda model: any(project == self.project and self._knows(o) for o, project in self.h.projects_of(model))
        if not all(here(model) for model in self.version.models) or self._wrongly_frozen():
            return True
        known = lambda o: self._knows(o) or any(d.knows(o) for d, _ in self._of("approved"))
        ours = rank(self.d["frozen"]["class"])
        if ours < rank(self._class(self._knows)[0] or "high"):
            return True
        for project in self._other_projects():
            held = self._class(known, project)[0]
            if held is not None and ours < rank(held):
                return True
        if any(known(o) for o in self._deletions()):
            return True
        return any(self._says_no(e) and self._knows(e) and not self.d["answers"].get(e.d["signoff"], "").strip() for e in self.earlier)

    def _other_projects(self):
        found = set()
        for version in self.h.all("model.version_added", "model_version.registered"):
            first = self.h.version(version.d["version"])
            if self.h.same(first, self.version):
                found.update(project for model in first.models for _, project in self.h.projects_of(model))
                requests = self.h.all("release.requested", "release.submitted")
                found.update(r.d["project"] for r in requests if r.d["version"] == version.d["version"])
        return found - {self.project}

    def _deletions(self):
        v = self.version
        measured = {m["run"] for d, said in self._of("approved") for m in said["predicate"]["criteria"] if m.get("run") is not None}
        runs = v.runs | measured
        experiments = {o.d["experiment"] for o in self.h.all("run.created") if o.d["run"] in runs}
        rests = {("project", self.project), ("model_version", v.name)}
        for kind, names in (("model", v.models), ("run", runs), ("experiment", experiments), ("logged_model", v.logged)):
            rests |= {(kind, name) for name in names}
        for gone in self.h.all("record.deleted"):
            subject = gone.d["subject"]
            back = any(r.d["subject"] == subject and r.knows(gone) for r in self.h.all("record.restored"))
            if (subject["kind"], subject["id"]) in rests and not back:
                yield gone

    def _withdrawn(self, approved):
        for w in self.h.all("release.withdrawn"):
            if w.d["release"] == self.release and self.h.by(w) == self.h.by(self.request):
                known = [(member, role) for member, role, d in approved if w.knows(d)]
                if unfilled(self.needed, known):
                    return True
        return False

    # What holds an approved release up.

    def blocks(self):
        """What holds it up, as words; only where `state` judged it by its frozen rule."""
        found = ["cancelled" for o in self._cancellations() if self._blocks_by(o)]
        found += ["deleted" for o in self._deletions() if self._blocks_by(o)]
        found += ["finding" for o in self._findings() if self._blocks_by(o)]
        for e in self.earlier:
            if self._says_no(e) and not any(d.d["role"] == e.d["role"] and d.knows(e) for d, _ in self._of("approved")):
                found.append("earlier_rejection")
        found += ["stage"] * (self._stage() < STAGES.index("approval"))
        return found + ["criteria"] * self._unmet()

    def _unmet(self):
        """Whether some approval that no other took the place of does not say of each frozen criterion that it was passed."""
        fresh = [(d, said) for d, said in self._of("approved") if bound_by(said) == self.current]
        for d, said in fresh:
            if any(new is not d and new.d["role"] == d.d["role"] and new.knows(d) for new, _ in fresh):
                continue
            for bound in self.d["frozen"]["criteria"]:
                name = bound["name"].removeprefix("criteria/")
                sets = [w.d for w in self.h.all("criteria.written") if w.d["criteria"] == name]
                digest = lambda d: sha256(canonical({"project": d["project"], "cycle": d["cycle"], "list": d["list"]}).encode())
                written = next((d["list"] for d in sets if digest(d) == bound["sha256"]), [])
                for place in range(max(len(written), 1)):
                    results = [m for m in said["predicate"]["criteria"] if (m["criteria"], m["place"]) == (name, place)]
                    if not results or any(m.get("verdict") != "passed" for m in results):
                        return True
        return False

    def _cancellations(self):
        ended, resumed = self.h.all("project.ended"), self.h.all("project.resumed")
        over = [o for o in resumed if o.d["project"] == self.project]
        over += [o for o in ended if o.d["project"] == self.project and o.d["ending"] == "completed"]
        return [o for o in ended if o.d["project"] == self.project and o.d["ending"] == "cancelled" and not any(x.knows(o) for x in over)]

    def _findings(self):
        found, reopened = [], self.h.all("finding.reopened")
        for raised in self.h.all("finding.raised"):
            name = raised.d["finding"]
            if raised.d["project"] != self.project:
                continue
            grades = [g for g in self.h.all("finding.graded") if g.d["finding"] == name and self.h.by(g) not in self.builders]
            last = [g for g in grades if not any(other.knows(g) for other in grades)] or [raised]
            worst = max(last, key=lambda g: SEVERITIES.index(g.d["severity"]))
            settled = [x for x in self.h.all("finding.settled") if x.d["finding"] == name and self._independent(self.h.by(x))]
            settled = [x for x in settled if not any(r.d["finding"] == name and r.knows(x) for r in reopened)]
            if worst.d["severity"] == "high" and not settled:
                found.append(worst)
        return found

    def _independent(self, member):
        return self.small_is_forgiven and self.small or member not in self.builders and member != self.h.by(self.request)

    def _stage(self):
        cycle, place = self.d["frozen"]["cycle"], lambda m: STAGES.index(m.d["stage"])
        moves = [m for m in self.h.all("project.stage_entered") if m.d["project"] == self.project and m.d["cycle"] == cycle]
        back = [m for m in moves if any(place(o) > place(m) and m.knows(o) for o in moves) and self._blocks_by(m)]
        held = [m for m in back if not any(place(o) >= STAGES.index("approval") and o.knows(m) for o in moves)]
        return min(map(place, held)) if held else max(map(place, moves), default=0)

    def _wrongly_frozen(self):
        frozen = self.d["frozen"]
        moves = [m for m in self.h.all("project.stage_entered") if m.d["project"] == self.project and self._knows(m)]
        if frozen["cycle"] != max((m.d["cycle"] for m in moves), default=1):
            return True
        kept = [o for o in self.h.all("project.created", "project.template_set") if o.d["project"] == self.project and self._knows(o)]
        last = {o.d["template"] for o in kept if not any(later.knows(o) for later in kept)}
        if last and frozen["lifecycle"] not in last:
            return True
        signed = {}
        for w in self.h.all("criteria.written"):
            if w.d["project"] != self.project or w.d["cycle"] != frozen["cycle"] or not self._knows(w):
                continue
            digest = sha256(canonical({"project": self.project, "cycle": w.d["cycle"], "list": w.d["list"]}).encode())
            for x in self.h.all("criteria.signed"):
                statement = read_statement(x.d["statement"], CRITERIA)
                fits = statement and statement["subject"][0]["digest"]["sha256"] == digest
                if x.d["criteria"] == w.d["criteria"] and self._knows(x) and fits and x.d["role"] in SIGNERS:
                    signed[w.d["criteria"]] = (digest, w.d["replaces"])
        gone = {name for _, replaces in signed.values() for name in replaces}
        left = sorted((f"criteria/{name}", digest) for name, (digest, _) in signed.items() if name not in gone)
        return left != [(bound["name"], bound["sha256"]) for bound in frozen["criteria"]]

    # A request of the first rules.

    def _older(self, newer):
        policy = OLDER.get(self.d["policy_digest"])
        if policy is None or newer:
            return "undetermined"
        needed = policy[self.h.class_of(self.project)[0] or "high"]
        if any(w.d["release"] == self.release for w in self.h.all("release.withdrawn")):
            return "withdrawn"
        said = [(d, bound_by(s)) for d, s in self._decisions(APPROVAL)]
        if any(d.d["decision"] == "rejected" for d, _ in said):
            return "rejected"
        if any(d.d["decision"] == "sent_back" and subjects == self.current for d, subjects in said):
            return "sent_back"
        yes = [(d, subjects) for d, subjects in said if d.d["decision"] == "approved" and self.h.before_adoption(d)]
        yes = [(d, subjects) for d, subjects in yes if self.h.by(d) != self.h.by(self.request)]
        fresh = [(self.h.by(d), d.d["role"]) for d, subjects in yes if subjects == self.current]
        if not unfilled(needed, fresh):
            return "approved"
        return "stale" if len(fresh) < len(yes) else "waiting"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("remote", help="a bare repository")
    parser.add_argument("--workspace", metavar="SHA256", help="the workspace's first commit object; else the only one that begins one")
    options = parser.parse_args()
    sys.setrecursionlimit(50_000)
    for release, state in sorted(History(Reader(options.remote, options.workspace)).releases().items()):
        print(release, state)


if __name__ == "__main__":
    main()
