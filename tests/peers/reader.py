"""Reads a shared Cairn repository with nothing but docs/format.md, git and ssh-keygen.

It exists to show that a stranger can check and rebuild a workspace. It never writes to the repository and never
shares code with the program, so that the two can contradict each other.
"""

import argparse
import base64
import binascii
import datetime
import hashlib
import json
import math
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

LOG = "refs/heads/cairn/log/"
KIB, MIB = 1 << 10, 1 << 20
MAX_BRANCHES = 5000
MAX_COMMIT = 16 * KIB
MAX_OPERATIONS_FILE = MIB
MAX_LINE = 256 * KIB
MAX_ATTACHMENTS, MAX_ATTACHMENT, MAX_ATTACHED = 60, 8 * 1024 * KIB, 16 * 1024 * KIB
MAX_TREE = 64 * KIB
MAX_PARENTS = 33
MAX_OPERATIONS = 1000
MAX_DEPTH = 16
MAX_BODY = 48 * KIB
MAX_MS = 7258118400000
SEPARATOR = "\x1f"


class Malformed(Exception):
    """The form is broken: the branch ends before this commit."""


class Waits(Exception):
    """A parent is not accepted yet: the commit may still be."""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


# --- git -------------------------------------------------------------------------------------------------------


class Repository:
    """A bare repository, read through one `git cat-file --batch`."""

    def __init__(self, path):
        self.command = ["git", "--no-replace-objects", "--git-dir", str(path)]
        self.process = None

    def branches(self):
        listed = subprocess.run(
            [*self.command, "for-each-ref", "--format=%(objectname) %(refname)", LOG], capture_output=True, text=True, errors="replace", check=True
        )
        pairs = [line.split(" ", 1) for line in listed.stdout.splitlines()]
        named = {name.removeprefix(LOG): commit for commit, name in pairs}
        devices = sorted(name for name in named if re.fullmatch(r"[a-z2-7]{26}", name))
        return {device: named[device] for device in devices[:MAX_BRANCHES]}

    def read(self, object_id, kind, limit):
        """The raw content; an object that is missing, of another kind or longer than `limit` is malformed."""
        process = self._process()
        process.stdin.write(object_id.encode() + b"\n")
        process.stdin.flush()
        header = process.stdout.readline().split()
        if len(header) == 2:
            raise Malformed(f"object {object_id} is missing")
        if len(header) != 3:
            self._give_up()
            raise Malformed(f"object {object_id} cannot be read")
        size = int(header[2])
        if header[1].decode() != kind or size > limit:
            self._skip(size + 1)
            raise Malformed(f"object {object_id} is no {kind} of at most {limit} bytes")
        content = process.stdout.read(size + 1)[:-1]
        self._check_name(object_id, kind, content)
        return content

    def close(self):
        self._give_up()

    def _process(self):
        if self.process is None or self.process.poll() is not None:
            self._give_up()
            self.process = subprocess.Popen([*self.command, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return self.process

    def _skip(self, size):
        while size > 0:
            chunk = self.process.stdout.read(min(size, MIB))
            if not chunk:
                return self._give_up()
            size -= len(chunk)

    def _give_up(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    @staticmethod
    def _check_name(object_id, kind, content):
        # `git cat-file` trusts the name of a loose object's file; whoever controls the remote controls that name.
        digest = hashlib.sha1 if len(object_id) == 40 else hashlib.sha256
        if digest(f"{kind} {len(content)}\0".encode() + content).hexdigest() != object_id:
            raise Malformed(f"object {object_id} has another content than its name says")


class Commit:
    """A commit object, taken apart."""

    def __init__(self, content):
        try:
            head, message = content.split(b"\n\n", 1)
            self.message = message.decode()
            lines = head.decode().split("\n")
        except ValueError:
            raise Malformed("the commit is no UTF-8 text with headers and a message") from None
        self.digest = sha256(content)
        self.headers = []
        for line in lines:
            if line.startswith(" ") and self.headers:
                self.headers[-1] = (self.headers[-1][0], self.headers[-1][1] + "\n" + line[1:])
            else:
                name, _, value = line.partition(" ")
                self.headers.append((name, value))
        names = [name for name, _ in self.headers]
        self.parents = [value for name, value in self.headers if name == "parent"]
        if names != ["tree", *["parent"] * len(self.parents), "author", "committer", "gpgsig"]:
            raise Malformed("the commit's headers are not those of an envelope")
        if len(self.parents) > MAX_PARENTS:
            raise Malformed("the commit has too many parents")
        self.tree = self.headers[0][1]
        self.signature = self.headers[-1][1] + "\n"
        signed = head[: head.index(b"\ngpgsig ")]
        self.signed = signed + b"\n\n" + message

    def check_people(self, device):
        for name, value in self.headers[-3:-1]:
            if not re.fullmatch(rf"[^<>\n]* <{device}@cairn\.invalid> [0-9]+ [+-][0-9]{{4}}", value):
                raise Malformed(f"the {name} is not {device}@cairn.invalid")


def tree_entries(content, id_size):
    entries, at = [], 0
    while at < len(content):
        end = content.find(b"\0", at)
        mode, space, name = content[at:end].partition(b" ")
        if end < 0 or not space or end + 1 + id_size > len(content):
            raise Malformed("the tree cannot be read")
        entries.append((mode.decode("latin-1"), name.decode("latin-1"), content[end + 1 : end + 1 + id_size].hex()))
        at = end + 1 + id_size
    if len({name for _, name, _ in entries}) != len(entries):
        raise Malformed("a name stands twice in the tree")
    return entries


def read_files(repository, tree):
    """The two files of operations of an envelope, None where one is absent; attachments are only checked."""
    files = {"ops.jsonl": None, "acl.jsonl": None}
    for mode, name, object_id in tree_entries(repository.read(tree, "tree", MAX_TREE), len(tree) // 2):
        if name in files and mode == "100644":
            files[name] = repository.read(object_id, "blob", MAX_OPERATIONS_FILE)
        elif name == "att" and mode == "40000":
            check_attachments(repository, object_id)
        else:
            raise Malformed(f"{name!r} may not be in the tree")
    return files


def check_attachments(repository, tree):
    entries = tree_entries(repository.read(tree, "tree", MAX_TREE), len(tree) // 2)
    if len(entries) > MAX_ATTACHMENTS:
        raise Malformed("there are too many attachments")
    room = MAX_ATTACHED
    for mode, name, object_id in entries:
        content = repository.read(object_id, "blob", min(MAX_ATTACHMENT, room)) if mode == "100644" else None
        if content is None or sha256(content) != name:
            raise Malformed("an attachment is not named by the sha256 of its content")
        room -= len(content)


# --- keys and signatures ---------------------------------------------------------------------------------------


class Key:
    """An Ed25519 public key and the device that it makes."""

    def __init__(self, text):
        found = re.fullmatch(r"ssh-ed25519 ([A-Za-z0-9+/]+={0,2})", text)
        try:
            wire = base64.b64decode(found[1], validate=True)
        except (TypeError, binascii.Error):
            raise Malformed("a key is no ssh-ed25519 key") from None
        if len(wire) != 51 or wire[:19] != b"\0\0\0\x0bssh-ed25519\0\0\0\x20" or base64.b64encode(wire).decode() != found[1]:
            raise Malformed("a key is no ssh-ed25519 key")
        self.text, self.wire = text, wire
        self.device = base64.b32encode(hashlib.sha256(wire).digest()).decode().lower()[:26]

    def verifies(self, signature, content, namespace):
        if not self._made(signature, namespace):
            return False
        with tempfile.TemporaryDirectory(prefix="cairn-reader-") as folder:
            allowed, armor = Path(folder, "allowed"), Path(folder, "signature")
            allowed.write_text(f"signer {self.text}\n")
            armor.write_text(signature)
            done = subprocess.run(
                ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "signer", "-n", namespace, "-s", armor], input=content, capture_output=True
            )
        return done.returncode == 0

    def _made(self, signature, namespace):
        """ssh-keygen would also take sha256, which the format does not."""
        found = re.fullmatch(r"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?", signature)
        try:
            blob = base64.b64decode(found[1].replace("\n", ""), validate=True)
            fields, at = [], 10
            while at < len(blob):
                (size,) = struct.unpack_from(">I", blob, at)
                fields.append(blob[at + 4 : at + 4 + size])
                at += 4 + size
        except (TypeError, binascii.Error, struct.error):
            return False
        return blob[:10] == b"SSHSIG\0\0\0\x01" and fields[:4] == [self.wire, namespace.encode(), b"", b"sha512"] and len(fields) == 5


# --- operations: one line --------------------------------------------------------------------------------------


def strict_json(text):
    """JSON without duplicate keys, lone surrogates, NaN, or more than 16 levels."""

    def pairs(found):
        if len({key for key, _ in found}) != len(found):
            raise Malformed("a key stands twice")
        return dict(found)

    def constant(_):
        raise Malformed("that is no JSON number")

    def fraction(digits):
        if math.isinf(float(digits)):
            raise Malformed("a number is beyond 64 bits")
        return float(digits)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=fraction)
        check_depth(value, 1)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Malformed("a line is no JSON") from None
    return value


def check_depth(value, level):
    if isinstance(value, (dict, list)):
        if level > MAX_DEPTH:
            raise Malformed("a line is nested too deeply")
        for inner in value.values() if isinstance(value, dict) else value:
            check_depth(inner, level + 1)


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def is_text(value):
    return isinstance(value, str)


def is_title(value):
    return is_text(value) and 1 <= len(value) <= 500 and value == value.strip() and not re.search(r"[\x00-\x1f\x7f-\x9f]", value)


def is_body(value):
    return is_text(value) and len(value.encode()) <= MAX_BODY and not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", value)


def is_id(value):
    return is_text(value) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) is not None


def is_digest(value):
    return is_text(value) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def is_device(value):
    return is_text(value) and re.fullmatch(r"[a-z2-7]{26}", value) is not None


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64


def is_small_count(value):
    return is_count(value) and value < 1 << 32


def is_operation(value):
    return is_text(value) and re.fullmatch(r"[a-z2-7]{26}\.[1-9][0-9]*", value) is not None


def is_measured(value):
    return is_text(value) and re.fullmatch(r"NaN|-?Infinity|-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", value) is not None


def is_point(value):
    return isinstance(value, list) and len(value) == 3 and is_whole(value[0]) and is_whole(value[1]) and is_measured(value[2])


def is_key(value):
    try:
        return is_text(value) and Key(value) is not None
    except Malformed:
        return False


def is_anything(_):
    return True


def one_of(*words):
    return lambda value: value in words if is_text(value) else False


def list_of(check):
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


def map_of(check, key=is_text):
    return lambda value: isinstance(value, dict) and all(key(name) and check(item) for name, item in value.items())


def fields_of(**checks):
    """A name that ends in `_or_none` may be absent or null."""

    def fits(value):
        return isinstance(value, dict) and all(
            value.get(name.removesuffix("_or_none")) is None if name.endswith("_or_none") and value.get(name.removesuffix("_or_none")) is None else check(value.get(name.removesuffix("_or_none")))
            for name, check in checks.items()
        )

    return fits


ROLES = ("owner", "administrator", "business_owner", "data_scientist", "data_engineer", "ml_engineer", "validator", "compliance")
is_role = one_of(*ROLES)
is_removal = one_of("retired", "compromised")
is_email = is_body
is_vouch = fields_of(device=is_device, signature=is_text)
KINDS = (
    "project", "experiment", "run", "logged_model", "dataset", "dataset_version", "model", "model_version", "note", "checklist", "release", "signoff",
    "deployment", "segment", "view", "setting", "panel", "pin", "template", "criteria", "finding", "comment", "assessment", "monitor",
)  # fmt: skip
is_link = fields_of(kind=one_of(*KINDS), id=is_id)
is_field = one_of("title", "problem", "hypothesis", "value_metric", "risk_class", "cost_false_positive", "cost_false_negative")
is_stage = one_of("business_problem", "data", "training", "validation", "approval", "operation")
is_status = one_of("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
is_decision = one_of("approved", "rejected", "sent_back")
is_ruling = one_of("approved", "rejected", "sent_back", "taken_back")
is_class = one_of("low", "medium", "high")
is_environment = one_of("development", "test", "production")
is_severity = one_of("low", "medium", "high")
def is_party(value):
    return isinstance(value, dict) and len(value) == 1 and (is_id(value.get("member")) or is_role(value.get("role")))


def is_day(value):
    if not is_text(value) or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is None or not 1970 <= int(value[:4]) < 2200:
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_criterion(value):
    names = {"metric", "slice", "comparator", "threshold", "level", "data", "digest"}
    return isinstance(value, dict) and set(value) == names and fits_criterion(value)


is_column = fields_of(name=is_text, dtype=is_text, missing=lambda value: is_count(value), distinct=lambda value: is_count(value))
is_bases = list_of(is_operation)
is_bound = fields_of(name=is_text, sha256=is_digest)
is_frozen = fields_of(
    **{"class": is_class}, policy=is_text, policy_digest=is_digest, lifecycle=is_text, lifecycle_digest=is_digest, cycle=lambda value: is_small_count(value), criteria=list_of(is_bound)
)
is_cuts = map_of(is_count, key=is_device)
is_admission = fields_of(
    member=is_id, name=is_title, email=is_email, device=is_device, device_name=is_text, key=is_key, roles=list_of(is_role), vouch_or_none=is_vouch
)

CHANGES = {
    "grant_owner": fields_of(member=is_id, device=is_device),
    "revoke_owner": fields_of(member=is_id, cuts=is_cuts),
    "revoke_device": fields_of(device=is_device, last=is_count, removal=is_removal),
    "readmit_device": fields_of(device=is_device, last_or_none=is_count),
    "set_recovery": fields_of(device=is_device, key=is_key),
}


def is_change(value):
    named = CHANGES.get(value.get("change")) if isinstance(value, dict) and is_text(value.get("change")) else None
    return named is not None and named(value)


AUTHORITY_TYPES = {
    "workspace.created": fields_of(name=is_title, first=is_admission),
    "device.requested": fields_of(name=is_title, email=is_email, device_name=is_text, key=is_key, vouch_or_none=is_vouch),
    "member.admitted": is_admission,
    "role.granted": fields_of(member=is_id, role=is_role),
    "role.revoked": fields_of(member=is_id, role=is_role, cuts=is_cuts),
    "device.revoked": fields_of(device=is_device, last=is_count, removal=is_removal),
    "device.readmitted": fields_of(device=is_device, last_or_none=is_count),
    "device.sealed": fields_of(),
    "device.rotated": fields_of(device=is_device, key=is_key, proof=is_text),
    "quorum.proposed": fields_of(change=is_change),
    "quorum.seconded": fields_of(proposal=is_operation),
    "rules.adopted": fields_of(rules=is_small_count),
}

fits_criterion = fields_of(
    metric=is_text, slice=is_text, comparator=one_of("at_least", "at_most"), threshold=is_measured, level=is_measured, data=is_text, digest=is_text
)
tags_of = lambda name: fields_of(**{name: is_id, "set": map_of(is_text), "removed": list_of(is_text)})
membership = fields_of(project=is_id, member=is_id, role=is_role)
on_checklist = fields_of(checklist=is_id)
on_subject = fields_of(subject=is_link)

DATA_TYPES = {
    "project.created": fields_of(project=is_id, title=is_title, template=is_text),
    "project.edited": fields_of(project=is_id, field=is_field, value=is_body, base=is_bases),
    "project.member_added": membership,
    "project.member_removed": membership,
    "project.template_set": fields_of(project=is_id, template=is_text),
    "project.answered": fields_of(project=is_id, question=is_text, value=is_body, base=is_bases),
    "project.triggered": fields_of(project=is_id, cycle=is_count, trigger=one_of("monitor", "date", "change", "incident"), evidence=list_of(is_link)),
    "project.ended": fields_of(project=is_id, ending=one_of("completed", "cancelled")),
    "project.resumed": fields_of(project=is_id),
    "project.class_set": fields_of(**{"class": is_class}, project=is_id, role=is_role),
    "project.class_agreed": fields_of(project=is_id, proposal=is_operation, role=is_role),
    "project.stage_entered": fields_of(project=is_id, stage=is_stage, cycle=is_count, waived=list_of(is_text)),
    "experiment.created": fields_of(experiment=is_id, name=is_title, project_or_none=is_id),
    "experiment.renamed": fields_of(experiment=is_id, name=is_title),
    "experiment.linked": fields_of(experiment=is_id, project_or_none=is_id),
    "experiment.tagged": tags_of("experiment"),
    "run.tagged": tags_of("run"),
    "logged_model.tagged": tags_of("model"),
    "run.created": fields_of(run=is_id, experiment=is_id, user=is_text, start_ms=is_whole, tags=map_of(is_text)),
    "run.updated": fields_of(run=is_id, status=is_status, end_ms_or_none=is_whole),
    "run.params_logged": fields_of(run=is_id, params=map_of(is_text)),
    "run.metric_summarised": fields_of(run=is_id, key=is_text, count=is_count, last=is_point, min=is_measured, max=is_measured, outline=list_of(is_point)),
    "run.metrics_summarised": fields_of(
        run=is_id, metrics=list_of(fields_of(key=is_text, count=is_count, last=is_point, min=is_measured, max=is_measured, outline=list_of(is_point)))
    ),
    "run.inputs_logged": fields_of(run=is_id, inputs=map_of(is_anything)),
    "run.outputs_logged": fields_of(run=is_id, models=map_of(is_whole)),
    "segment.stored": fields_of(segment=is_digest, volume=is_count, bytes=is_count, runs=map_of(is_count, key=is_id)),
    "logged_model.created": fields_of(
        model=is_id, experiment=is_id, run_or_none=is_id, name=is_text, model_type=is_text, created_ms=is_whole, params=map_of(is_text), tags=map_of(is_text)
    ),
    "logged_model.updated": fields_of(model=is_id, status=is_text, updated_ms=is_whole),
    "logged_model.params_logged": fields_of(model=is_id, params=map_of(is_text)),
    "logged_model.metrics_summarised": fields_of(
        model=is_id, run=is_id, metrics=list_of(fields_of(key=is_text, dataset=is_text, digest=is_text, last=is_point))
    ),
    "artifact.removed": fields_of(owner=is_link, path=is_text),
    "artifact.logged": fields_of(owner=is_link, path=is_text, digest=is_digest, size=is_count),
    "artifact.referenced": fields_of(
        owner=is_link, path=is_text, address=is_text, digest_or_none=is_digest, size_or_none=is_count, version_or_none=is_text
    ),
    "run.source_recorded": fields_of(run=is_id, source=lambda value: isinstance(value, dict)),
    "view.created": fields_of(view=is_id, project_or_none=is_id, name=is_title, state=is_body),
    "view.edited": fields_of(view=is_id, name=is_title, state=is_body, base=is_bases),
    "note.frozen": fields_of(note=is_id, digest=is_digest, size=is_count),
    "panel.created": fields_of(panel=is_id, about_or_none=is_link, state=is_body),
    "panel.edited": fields_of(panel=is_id, state=is_body, base=is_bases),
    "pin.created": fields_of(pin=is_id, run=is_id, metric=is_text, step=is_whole, text=is_body),
    "pin.edited": fields_of(pin=is_id, text=is_body, base=is_bases),
    "template.saved": fields_of(template=is_id, text=is_body, base=is_bases),
    "record.attached": fields_of(subject=is_link, name=is_text, digest=is_digest, size=is_count),
    "comment.written": fields_of(comment=is_id, about=is_link, anchor=is_text, text=is_body, reply_to_or_none=is_id, asks_or_none=is_party),
    "monitor.planned": fields_of(
        monitor=is_id,
        project=is_id,
        plan=fields_of(
            watch=one_of("dependencies", "inputs", "skew", "staleness", "numeric_stability", "performance", "quality", "drift"),
            metric=is_title, comparator=one_of("at_least", "at_most"), threshold=is_measured, owner=is_party, route=is_body, every_days=is_count,
        ),
        base=is_bases,
    ),
    "monitor.reported": fields_of(monitor=is_id, value=is_measured, at_ms=is_whole, source=is_text),
    "maturity.assessed": fields_of(
        assessment=is_id, model=is_text, answers=map_of(fields_of(met=one_of("yes", "partly", "no"), note=is_body, evidence=list_of(is_link)))
    ),
    "comment.edited": fields_of(comment=is_id, text=is_body, base=is_bases),
    "comment.resolved": fields_of(comment=is_id),
    "comment.reopened": fields_of(comment=is_id),
    "criteria.written": fields_of(criteria=is_id, project=is_id, cycle=is_count, list=list_of(is_criterion), replaces=list_of(is_id)),
    "criteria.signed": fields_of(criteria=is_id, signoff=is_text, role=is_role, statement=is_text, signature=is_text),
    "finding.raised": fields_of(finding=is_id, project=is_id, title=is_title, text=is_body, severity=is_severity, about_or_none=is_link),
    "finding.edited": fields_of(finding=is_id, title=is_title, text=is_body, base=is_bases),
    "finding.graded": fields_of(finding=is_id, severity=is_severity),
    "finding.assigned": fields_of(finding=is_id, to_or_none=is_party, due_or_none=is_day),
    "finding.settled": fields_of(finding=is_id, outcome=one_of("fixed", "accepted", "no_problem")),
    "finding.reopened": fields_of(finding=is_id),
    "setting.changed": fields_of(setting=one_of("shared_file_max", "object_store", "stored_file_max"), value=is_body),
    "dataset.created": fields_of(dataset=is_id, project=is_id, name=is_title),
    "dataset.version_added": fields_of(
        version=is_id, dataset=is_id, number=is_count, file=is_text, digest=is_digest, size=is_count, rows=is_count, columns=list_of(is_column)
    ),
    "model.created": fields_of(model=is_id, project=is_id, name=is_title),
    "model.version_added": fields_of(version=is_id, model=is_id, number=is_count, run=is_id, files=map_of(is_digest), datasets=list_of(is_id)),
    "model.alias_set": fields_of(model=is_id, alias=is_text, version_or_none=is_id),
    "model.registered": fields_of(model=is_id, name=is_title),
    "model.renamed": fields_of(model=is_id, name=is_title),
    "model.linked": fields_of(model=is_id, project_or_none=is_id),
    "model.described": fields_of(model=is_id, description=is_text),
    "model.tagged": tags_of("model"),
    "model_version.registered": fields_of(
        version=is_id, model=is_id, number=is_count, source=is_text, run_or_none=is_id, logged_model_or_none=is_id, run_link=is_text, files=map_of(is_digest)
    ),
    "model_version.described": fields_of(version=is_id, description=is_text),
    "model_version.tagged": tags_of("version"),
    "model_version.staged": fields_of(version=is_id, stage=is_text),
    "card.edited": fields_of(version=is_id, section=is_text, text=is_body, base=is_bases),
    "note.created": fields_of(note=is_id, about=is_link, title=is_title, text=is_body, update_or_none=is_text),
    "note.edited": fields_of(note=is_id, title=is_title, text=is_body, base=is_bases, update_or_none=is_text),
    "checklist.started": fields_of(checklist=is_id, project=is_id, gate=is_text, template=is_text, cycle=is_count),
    "checklist.picked_up": fields_of(checklist=is_id, member=is_id),
    "checklist.item_done": fields_of(checklist=is_id, item=is_text, comment=is_body, evidence=list_of(is_link)),
    "checklist.item_reopened": fields_of(checklist=is_id, item=is_text),
    "checklist.handed_back": on_checklist,
    "checklist.completed": on_checklist,
    "checklist.blocked": on_checklist,
    "checklist.unblocked": on_checklist,
    "checklist.accepted": on_checklist,
    "checklist.assigned": fields_of(checklist=is_id, item=is_text, to_or_none=is_party),
    "checklist.due_set": fields_of(checklist=is_id, item=is_text, due_or_none=is_day),
    "checklist.received": fields_of(checklist=is_id, member=is_id),
    "release.requested": fields_of(release=is_id, project=is_id, version=is_id, policy=is_text, policy_digest=is_digest),
    "release.signed": fields_of(release=is_id, signoff=is_text, decision=is_decision, role=is_role, statement=is_text, signature=is_text),
    "release.withdrawn": fields_of(release=is_id),
    "release.submitted": fields_of(release=is_id, project=is_id, version=is_id, frozen=is_frozen, answers=map_of(is_text)),
    "release.decided": fields_of(
        release=is_id, signoff=is_text, decision=is_ruling, role=is_role, statement=is_text, signature=is_text, page=is_digest, page_size=is_count
    ),
    "release.answered": fields_of(release=is_id, challenge=is_operation, role=is_role),
    "request.declined": fields_of(device=is_device),
    "deployment.recorded": fields_of(deployment=is_id, project=is_id, version=is_id, release_or_none=is_id, environment=is_environment),
    "device.witnessed": fields_of(),
    "record.deleted": on_subject,
    "record.restored": on_subject,
}

is_line = fields_of(
    hlc=lambda value: is_text(value) and re.fullmatch(r"[0-9a-f]{12}\.[0-9a-f]{8}", value) is not None and int(value[:12], 16) <= MAX_MS,
    at_or_none=is_whole,
    tz=lambda value: is_whole(value) and -(1 << 15) <= value < 1 << 15,
    why_or_none=is_body,
    t=is_text,
    d=lambda value: isinstance(value, dict),
)


class Operation:
    """One line of an accepted envelope, with what its author knew."""

    def __init__(self, device, number, past, line, authority):
        if len(line) > MAX_LINE:
            raise Malformed("a line is too long")
        try:
            said = strict_json(line.decode())
        except UnicodeDecodeError:
            raise Malformed("a line is no UTF-8") from None
        if not is_line(said):
            raise Malformed("a line is no operation")
        here, elsewhere = (AUTHORITY_TYPES, DATA_TYPES) if authority else (DATA_TYPES, AUTHORITY_TYPES)
        self.type, self.d = said["t"], said["d"]
        if self.type in elsewhere:
            raise Malformed(f"{self.type} is in the wrong file")
        self.known = self.type in here
        if self.known and not here[self.type](self.d):
            raise Malformed(f"{self.type} does not fit its type")
        self.device, self.number, self.authority = device, number, authority
        self.hlc, self.at, self.why = said["hlc"], said.get("at"), said.get("why")
        self.past = {**past, device: number - 1}
        self.weight = sum(self.past.values())
        self.name = f"{device}.{number}"
        self.order = (self.weight, device, number)
        self.standing = None
        self.by_recovery = False
        self.recovery_age = ()
        self.valid = False
        self.state = None

    def knows(self, other):
        return self.past.get(other.device, 0) >= other.number


# --- authority -------------------------------------------------------------------------------------------------

STANDINGS = ("genesis", "lineage", "recovery", "quorum", "owner", "administrator", "member")
RANK_OF_STANDING = {"member": 0, "lineage": 0, "administrator": 1, "owner": 2, "quorum": 3, "recovery": 4, "genesis": 4}
RANK_OF_ROLE = {"owner": 2, "administrator": 1}
RECOVERY_RANK = 4

EVERY_ROLE = frozenset(ROLES)
RIGHTS = {
    "manage": {"owner", "administrator"},
    "shape": EVERY_ROLE - {"compliance"},
    "waive": {"business_owner", "compliance"},
    "track": {"data_scientist", "data_engineer", "ml_engineer", "validator"},
    "data": {"data_engineer", "data_scientist"},
    "model": {"data_scientist", "ml_engineer"},
    "collaborate": EVERY_ROLE,
    "release": {"data_scientist", "ml_engineer"},
    "sign": {"business_owner", "validator", "compliance"},
    "settle": {"business_owner", "validator", "compliance"},
    "classify": {"business_owner", "validator", "compliance"},
    "deploy": {"ml_engineer"},
}
RIGHT_OF_GROUP = {
    "experiment": "track", "run": "track", "logged_model": "track", "segment": "track", "artifact": "track",
    "dataset": "data", "model": "model", "model_version": "model", "card": "model", "note": "collaborate", "checklist": "collaborate", "view": "collaborate", "panel": "collaborate",
    "pin": "collaborate", "template": "collaborate", "comment": "collaborate", "maturity": "collaborate", "monitor": "collaborate", "criteria": "collaborate", "finding": "collaborate", "setting": "manage",
    "project": "shape", "release": "release", "deployment": "deploy", "request": "manage",
}  # fmt: skip
RIGHT_OF_TYPE = {"device.witnessed": "collaborate", "project.class_set": "classify", "project.class_agreed": "classify", "release.decided": "sign", "release.answered": "sign", "release.signed": "sign", "criteria.signed": "sign", "finding.settled": "settle", "finding.graded": "settle", "record.attached": "collaborate", "experiment.linked": "shape", "project.template_set": "waive"}
RIGHT_TO_DELETE = {
    "experiment": "track", "run": "track", "logged_model": "track", "dataset": "data", "dataset_version": "data",
    "model": "model", "model_version": "model", "note": "collaborate", "checklist": "collaborate", "view": "collaborate", "panel": "collaborate", "pin": "collaborate", "template": "collaborate", "comment": "collaborate", "assessment": "collaborate", "monitor": "collaborate", "project": "shape",
}  # fmt: skip


def rank_of(roles):
    return max((RANK_OF_ROLE.get(role, 0) for role in roles), default=0)


class Introduction:
    """A device, said to be a member's. `sayers` are the votes or the one operation behind it."""

    def __init__(self, device, member, how, operation, key=None, name=None, sayers=None):
        self.device, self.member, self.how, self.operation = device, member, how, operation
        self.key, self.name = key, name
        self.sayers = sayers or [operation]
        self.void = False


class Cut:
    def __init__(self, after, operation, rank):
        self.after, self.operation, self.rank = after, operation, rank


class Authority:
    """The state that follows from a set of valid authority operations (§5.1)."""

    def __init__(self, operations):
        self.introductions = {}
        self.grants = {}
        self.revocations = {}
        self.cuts = {}
        self.readmissions = {}
        self.proposals = {}
        self.decided = set()
        self.adopted = []
        self.recovery = None
        self.created = False
        self.applied = set()
        self.standing_known = {}
        self.operations = operations
        for operation in sorted(operations, key=lambda operation: operation.order):
            self._introduce(operation)
        for operation in sorted(operations, key=self._turn):
            self._take(operation)

    # What the state says.

    def introductions_of(self, device, knower=None):
        return [said for said in self.introductions.get(device, []) if not said.void and (knower is None or knower.knows(said.operation))]

    def stands(self, device, knower=None):
        return any(self.introduction_stands(said) for said in self.introductions_of(device, knower))

    def members_of(self, device, knower=None):
        return [said.member for said in self.introductions_of(device, knower) if self.introduction_stands(said)]

    def member_of(self, device):
        return next(iter(self.members_of(device)), None)

    def cut_of(self, device, except_rotations=False):
        """The number of the last operation that counts, None for all."""
        holding = [cut.after for cut in self._holding_cuts(device) if not (except_rotations and cut.operation.type == "device.rotated")]
        return min(holding, default=None)

    def cut_before(self, operation):
        last = self.cut_of(operation.device)
        return last is not None and last < operation.number

    def roles(self, member, operation=None):
        """The roles now, or those that the author of `operation` could use in it."""
        return {role for role in ROLES if any(self._grant_holds(grant, member, role, operation) for grant in self.grants.get((member, role), []))}

    def owners(self):
        holders = {member for (member, role) in self.grants if role == "owner" and "owner" in self.roles(member)}
        return {member for member in holders if any(self._grounds_now(device, member) for device in self.introductions)}

    def is_elder(self, operation, device):
        sought, seen, ahead = self._first_of_chain(operation.device), set(), [device]
        while ahead:
            current = ahead.pop()
            for said in self.chain_introductions(current, operation):
                if said.how != "own":
                    continue
                older = self._first_of_chain(said.operation.device)
                if older == sought:
                    return True
                if older not in seen:
                    seen.add(older)
                    ahead.append(said.operation.device)
        return False

    def author(self, operation):
        return Author(self, operation)

    def standing_of(self, operation):
        return self.author(operation).standing()

    def permits(self, operation):
        """The rules (§5.2), for operations on authority and on data alike."""
        if operation.type == "workspace.created" and operation.authority:
            return not self.created
        if operation.type == "device.requested" and operation.authority:
            return True
        author = self.author(operation)
        if author.member is None and not author.is_recovery or self.cut_before(operation):
            return False
        return PERMITTED[operation.type](self, author, operation) if operation.authority else may_write(author, operation)

    def introductions_by(self, operation):
        return [said for every in self.introductions.values() for said in every if said.operation is operation and said.key is not None]

    # Introductions.

    def _introduce(self, operation):
        d = operation.d
        if operation.type == "workspace.created":
            self._add(d["first"], "grounded", operation)
        elif operation.type == "member.admitted":
            own = self._first_member(operation.device) == d["member"]
            self._add(d, "grounded" if operation.standing == "recovery" else "own" if own else "admitted", operation)
        elif operation.type == "device.rotated":
            member = self._first_member(operation.device)
            self._say(Introduction(d["device"], member, "rotated", operation, d["key"]))
        elif operation.type == "quorum.proposed" and d["change"]["change"] == "set_recovery":
            self._say(Introduction(d["change"]["device"], d["change"]["device"], "recovery", operation, d["change"]["key"]))

    def _add(self, admission, how, operation):
        self._say(Introduction(admission["device"], admission["member"], how, operation, admission["key"], admission["name"]))

    def _say(self, introduction):
        self.introductions.setdefault(introduction.device, []).append(introduction)

    def _first_member(self, device):
        said = self.introductions.get(device)
        return said[0].member if said else None

    def introduction_stands(self, said):
        if said.void:
            return False
        if said.how == "grounded":
            return True
        if said not in self.standing_known:
            self.standing_known[said] = all(
                not self.cut_before(sayer) and self.stands(sayer.device, knower=said.operation) for sayer in said.sayers
            )
        return self.standing_known[said]

    def chain_introductions(self, device, knower):
        """Of a device and of those that it was rotated from: the first introduction that stands and that the author knew of,
        because whatever rests on it is a right."""
        found, seen = [], set()
        while device is not None and device not in seen:
            seen.add(device)
            standing = [said for said in self.introductions_of(device, knower) if self.introduction_stands(said)]
            found += standing[:1]
            device = next((said.operation.device for said in standing[:1] if said.how == "rotated"), None)
        return found

    def _first_of_chain(self, device):
        seen = set()
        while device not in seen:
            seen.add(device)
            older = next((said.operation.device for said in self.introductions_of(device) if said.how == "rotated"), None)
            device = older or device
        return device

    def _grounds_now(self, device, member):
        return self.cut_of(device) is None and self._is_grounded(device, member)

    def _is_grounded(self, device, member, knower=None):
        for said in self.introductions_of(device, knower):
            if said.member != member:
                continue
            if said.how == "grounded":
                return True
            if said.how in ("own", "rotated") and not self.cut_before(said.operation) and self._is_grounded(said.operation.device, member, said.operation):
                return True
        return False

    # Roles and cuts.

    def _grant_holds(self, grant, member, role, operation):
        if operation is not None and not operation.knows(grant):
            return False
        return not any(
            not grant.knows(revocation) and (operation is None or operation.knows(revocation) or operation.number > cuts.get(operation.device, 0))
            for revocation, cuts in self.revocations.get((member, role), [])
        )

    def roles_not_knowing(self, member, operation):
        held = self.roles(member)
        return {
            role
            for role in held
            if any(not grant.knows(operation) and self._grant_holds(grant, member, role, None) for grant in self.grants.get((member, role), []))
        }

    def rank_of_device(self, device, cutting):
        # Void introductions count here: what is void may depend on the cut.
        introductions = self.introductions.get(device, [])
        members = {said.member for said in introductions}
        ranks = [RECOVERY_RANK] if any(said.how == "recovery" for said in introductions) else []
        return max(ranks + [rank_of(self.roles_not_knowing(member, cutting)) for member in members], default=0)

    def _holding_cuts(self, device):
        taken_back_by = self.readmissions.get(device, [])
        return [cut for cut in self.cuts.get(device, []) if not any(readmission.knows(cut.operation) for readmission in taken_back_by)]

    def known_cuts(self, device, operation):
        return [cut for cut in self._holding_cuts(device) if operation.knows(cut.operation)]

    def leaves_an_owner(self, change):
        """Tries a change of cuts or revocations and takes it back."""
        table, name, entry = change
        entries = table.setdefault(name, [])
        entries.append(entry)
        self.standing_known.clear()
        left = bool(self.owners())
        entries.pop()
        self.standing_known.clear()
        return left

    # The fold.

    @staticmethod
    def _turn(operation):
        return (STANDINGS.index(operation.standing), operation.recovery_age if operation.standing == "recovery" else (), operation.order)

    def _take(self, operation):
        if self.permits(operation):
            self.applied.add(operation)
            self._apply(operation)
        else:
            for said in (said for every in self.introductions.values() for said in every if said.operation is operation):
                said.void = True
        self.standing_known.clear()

    def _apply(self, operation):
        d, rank = operation.d, RANK_OF_STANDING[operation.standing]
        if operation.type == "workspace.created":
            self.created = True
            self._grant(d["first"]["member"], d["first"]["roles"], operation)
        elif operation.type == "member.admitted":
            self._grant(d["member"], d["roles"], operation)
        elif operation.type == "role.granted":
            self._grant(d["member"], [d["role"]], operation)
        elif operation.type == "role.revoked":
            self.revocations.setdefault((d["member"], d["role"]), []).append((operation, d["cuts"]))
        elif operation.type == "device.revoked":
            self._cut(d["device"], d["last"], operation, rank)
        elif operation.type == "device.readmitted":
            self._readmit(d, operation, rank)
        elif operation.type in ("device.sealed", "device.rotated"):
            self._cut(operation.device, operation.number, operation, rank)
        elif operation.type == "quorum.proposed":
            self.proposals[operation.name] = (operation, [])
            self._vote(operation.name, operation)
        elif operation.type == "quorum.seconded":
            self._vote(d["proposal"], operation)
        elif operation.type == "rules.adopted":
            self.adopted.append(operation)

    def _grant(self, member, roles, operation):
        for role in roles:
            self.grants.setdefault((member, role), []).append(operation)

    def _cut(self, device, after, operation, rank):
        self.cuts.setdefault(device, []).append(Cut(after, operation, rank))

    def _readmit(self, d, operation, rank):
        self.readmissions.setdefault(d["device"], []).append(operation)
        if d.get("last") is not None:
            self._cut(d["device"], d["last"], operation, rank)

    def _vote(self, name, vote):
        proposal, votes = self.proposals[name]
        votes.append(vote)
        if name in self.decided:
            return
        owners = self.owners()
        counting = [cast for cast in votes if not self.cut_before(cast)]
        by_recovery = any(cast.by_recovery for cast in counting)
        voters = {member for cast in counting for member in [self.member_of(cast.device)] if member in owners}
        if by_recovery or 2 * len(voters) > len(owners):
            # Also where it is skipped because no owner would be left: later votes do not bring it back.
            self.decided.add(name)
            self._decide(proposal, counting)

    def _decide(self, proposal, votes):
        change, rank = proposal.d["change"], RANK_OF_STANDING["quorum"]
        if change["change"] == "grant_owner":
            self._grant(change["member"], ["owner"], proposal)
            self._say(Introduction(change["device"], change["member"], "grounded", proposal, sayers=votes))
        elif change["change"] == "revoke_owner":
            revocation = (proposal, change["cuts"])
            if self.leaves_an_owner((self.revocations, (change["member"], "owner"), revocation)):
                self.revocations.setdefault((change["member"], "owner"), []).append(revocation)
        elif change["change"] == "revoke_device":
            if self.leaves_an_owner((self.cuts, change["device"], Cut(change["last"], proposal, rank))):
                self._cut(change["device"], change["last"], proposal, rank)
        elif change["change"] == "readmit_device":
            self._readmit(change, proposal, rank)
        elif change["change"] == "set_recovery":
            self.recovery = change["device"]
            for said in self.introductions_of(change["device"]):
                if said.operation is proposal:
                    said.sayers = votes


class Author:
    """Who wrote an operation, in a state."""

    def __init__(self, state, operation):
        self.state, self.operation = state, operation
        stands = state.stands(operation.device)
        self.member = state.member_of(operation.device)
        is_the_key = operation.device == state.recovery
        # The fold takes recovery operations before the decision that set the key; that it was set is part of their standing.
        self.is_recovery = stands and (is_the_key or operation.by_recovery)
        self.roles = state.roles(self.member, operation) if self.member is not None else set()
        self.rank = RECOVERY_RANK if self.is_recovery else rank_of(self.roles)

    def has(self, right):
        return bool(self.roles & RIGHTS[right])

    def may_give(self, role):
        if role == "owner":
            return self.is_recovery and self.operation.type == "member.admitted"
        return RANK_OF_ROLE.get(role, 0) < self.rank

    def standing(self):
        operation = self.operation
        if operation.type == "workspace.created":
            return "genesis"
        if self.is_recovery:
            return "recovery"
        if operation.type.startswith("quorum."):
            return "quorum"
        if operation.type in ("device.sealed", "device.rotated"):
            return "lineage"
        if operation.type in ("device.revoked", "device.readmitted") and self.state.is_elder(operation, operation.d["device"]):
            return "lineage"
        return ("member", "administrator", "owner")[self.rank]


def may_be_newer(state, operation):
    """Whether an authority operation of an unknown type could bind anybody (§5.2)."""
    author = state.author(operation)
    if author.member is None and not author.is_recovery or state.cut_before(operation):
        return False
    return author.has("manage") or author.is_recovery


def may_admit(state, author, operation):
    d = operation.d
    if any(member != d["member"] for member in state.members_of(d["device"], operation)):
        return False
    if d["member"] == author.member and not d["roles"]:
        return True
    if not (author.has("manage") or author.is_recovery) or not all(author.may_give(role) for role in d["roles"]):
        return False
    if d["member"] == d["device"] or author.is_recovery:
        return True
    older = d["vouch"]["device"] if d.get("vouch") else None
    return older is not None and d["member"] in state.members_of(older) and state.cut_of(older, except_rotations=True) is None


def may_grant(state, author, operation):
    return (author.has("manage") or author.is_recovery) and author.may_give(operation.d["role"])


def may_take_role(state, author, operation):
    member, role = operation.d["member"], operation.d["role"]
    if role == "owner":
        return False
    return author.is_recovery or member == author.member or author.has("manage") and RANK_OF_ROLE.get(role, 0) < author.rank


def may_cut(state, author, operation):
    device = operation.d["device"]
    if author.is_recovery or state.is_elder(operation, device):
        return True
    return author.has("manage") and state.rank_of_device(device, operation) < author.rank


def may_revoke_device(state, author, operation):
    d = operation.d
    # This does not make the operation refused: it is valid, and void in every fold.
    if operation.standing and d["removal"] == "retired" and operation.past.get(d["device"], 0) > d["last"]:
        return False
    return may_cut(state, author, operation) and state.leaves_an_owner((state.cuts, d["device"], Cut(d["last"], operation, 0)))


def may_readmit(state, author, operation):
    d = operation.d
    rank = RANK_OF_STANDING[operation.standing or author.standing()]
    if not may_cut(state, author, operation) or any(cut.rank > rank for cut in state.known_cuts(d["device"], operation)):
        return False
    return d.get("last") is None or state.leaves_an_owner((state.cuts, d["device"], Cut(d["last"], operation, 0)))


def may_seal(state, author, operation):
    of_an_owner = author.member in state.owners()
    own = any(said.how == "own" for said in state.chain_introductions(operation.device, operation))
    return (own or not of_an_owner) and state.leaves_an_owner((state.cuts, operation.device, Cut(operation.number, operation, 0)))


def may_rotate(state, author, operation):
    return all(said.operation is operation for said in state.introductions_of(operation.d["device"]))


def may_vote(state, author, operation):
    if not author.is_recovery and author.member not in state.owners():
        return False
    if operation.type == "quorum.seconded":
        return operation.d["proposal"] in state.proposals
    change = operation.d["change"]
    if change["change"] == "grant_owner":
        return change["member"] == state.member_of(change["device"])
    if change["change"] == "set_recovery":
        return all(said.operation is operation for said in state.introductions_of(change["device"]))
    return True


def may_adopt(state, author, operation):
    return author.is_recovery or "owner" in author.roles


PERMITTED = {
    "member.admitted": may_admit,
    "role.granted": may_grant,
    "role.revoked": may_take_role,
    "device.revoked": may_revoke_device,
    "device.readmitted": may_readmit,
    "device.sealed": may_seal,
    "device.rotated": may_rotate,
    "quorum.proposed": may_vote,
    "quorum.seconded": may_vote,
    "rules.adopted": may_adopt,
}


NEEDS_A_REASON = {"project.class_set", "project.class_agreed", "release.submitted", "release.answered"}


def may_write(author, operation):
    d = operation.d
    if operation.type in ("record.deleted", "record.restored"):
        return author.has(RIGHT_TO_DELETE.get(d["subject"]["kind"], "manage"))
    if operation.type == "finding.settled" and d["outcome"] == "accepted":
        return author.has("waive")
    right = RIGHT_OF_TYPE.get(operation.type) or RIGHT_OF_GROUP[operation.type.split(".")[0]]
    if not author.has(right):
        return False
    if right in ("sign", "classify"):
        if d["role"] not in author.roles & RIGHTS[right]:
            return False
    if operation.type in NEEDS_A_REASON:
        return bool((operation.why or "").strip())
    if operation.type == "project.stage_entered" and d["waived"]:
        return author.has("waive") and bool((operation.why or "").strip())
    return True


# --- what an operation carries ---------------------------------------------------------------------------------


def carries_the_truth(operation, keys):
    """Ids belong to keys, signatures verify. `keys` are those of the devices that its author knew of."""
    d = operation.d
    if operation.type == "workspace.created":
        return Key(d["first"]["key"]).device == d["first"]["device"] == operation.device
    if operation.type == "device.requested":
        return Key(d["key"]).device == operation.device
    if operation.type == "member.admitted":
        return Key(d["key"]).device == d["device"] and vouch_is_true(d, d["device"], keys)
    if operation.type == "device.rotated":
        new = Key(d["key"])
        return new.device == d["device"] and new.verifies(d["proof"], operation.device.encode(), "device@cairn")
    if operation.type == "quorum.proposed" and d["change"]["change"] == "set_recovery":
        return Key(d["change"]["key"]).device == d["change"]["device"]
    if operation.type in ("release.requested", "release.submitted"):
        return d["release"] == sha256(f"release {operation.name}".encode())[:32]
    return True


def vouch_is_true(d, device, keys):
    vouch = d.get("vouch")
    if vouch is None:
        return True
    older = keys.get(vouch["device"])
    return older is not None and older.verifies(vouch["signature"], device.encode(), "device@cairn")


APPROVAL, CRITERIA = "https://cairn.dev/attestation/approval/v1", "https://cairn.dev/attestation/criteria/v1"
DECISION = "https://cairn.dev/attestation/approval/v2"
SIGNED = {"release.signed": APPROVAL, "criteria.signed": CRITERIA, "release.decided": DECISION}


def read_statement(text, kind):
    """What a statement says, or None where its form is not that of its type."""
    try:
        said = strict_json(text)
        predicate, subjects = said["predicate"], said["subject"]
        if (said["_type"], said["predicateType"]) != ("https://in-toto.io/Statement/v1", kind) or not isinstance(subjects, list):
            return None
        if kind == CRITERIA:
            whole = is_text(subjects[0]["digest"]["sha256"])
        else:
            whole = is_text(predicate["reason"]) and all(is_text(one["name"]) and is_digest(one["digest"]["sha256"]) for one in subjects)
        if kind == DECISION:
            whole = whole and is_predicate(predicate)
        return said if whole and is_text(predicate["claimedAt"]) else None
    except (Malformed, KeyError, TypeError, IndexError):
        return None


is_result = fields_of(
    criteria=is_id, place=is_small_count, verdict_or_none=one_of("passed", "failed", "inconclusive"), value_or_none=is_measured, low_or_none=is_measured,
    high_or_none=is_measured, run_or_none=is_id,
)  # fmt: skip
is_predicate = fields_of(
    release=is_id, request=is_operation, frozen=is_frozen, decision=is_ruling, role=is_role, signer=fields_of(principal=is_id), reason=is_text,
    shown=fields_of(sha256=is_digest, size=is_count), earlierDecisions=list_of(is_text), criteria=list_of(is_result), claimedAt=is_text,
)  # fmt: skip


def sign_off_is_true(operation, key, member):
    d = operation.d
    if d["signoff"] != sha256(d["signature"].encode())[:32]:
        return False
    said = read_statement(d["statement"], SIGNED[operation.type])
    try:
        predicate = said["predicate"]
        signer = (predicate["role"], predicate["signer"]["principal"])
        if operation.type == "criteria.signed":
            same = predicate["criteria"] == d["criteria"]
        else:
            same = (predicate["release"], predicate["decision"]) == (d["release"], d["decision"])
        if operation.type == "release.decided":
            same = same and (predicate["shown"]["sha256"], predicate["shown"]["size"]) == (d["page"], d["page_size"])
    except (KeyError, TypeError):
        return False
    return same and signer == (d["role"], member) and key.verifies(d["signature"], d["statement"].encode(), "approval@cairn")


# --- envelopes -------------------------------------------------------------------------------------------------

MESSAGE = re.compile(
    r"cairn/1 dev=(?P<device>[a-z2-7]{26}) seq=(?P<seq>[1-9][0-9]{0,17}) ops=(?P<count>[1-9][0-9]{0,17}) \[skip ci\]\n\n"
    r"Cairn-Workspace: (?P<workspace>none|sha256:[0-9a-f]{64})\n"
    r"Cairn-First: (?P<first>[1-9][0-9]{0,17})\n"
    r"Cairn-Ops: (?P<ops>none|sha256:[0-9a-f]{64})\n"
    r"Cairn-Acl: (?P<acl>none|sha256:[0-9a-f]{64})\n"
    r"Cairn-Prev: (?P<prev>none|sha256:[0-9a-f]{64})\n"
)


def lines_of(content):
    """The lines of a file of operations; each ends in a line feed."""
    if content is None:
        return []
    if not content.endswith(b"\n"):
        raise Malformed("the last line does not end")
    return content[:-1].split(b"\n")


class Envelope:
    """One accepted commit."""

    def __init__(self, device, commit, number, past, operations):
        self.device, self.commit, self.last, self.operations = device, commit, number, operations
        self.past = past


class Branch:
    """One device's log, as far as it was accepted."""

    def __init__(self, device, commits):
        self.device, self.ahead = device, commits
        self.envelopes = []
        self.key = None
        self.refusal = None

    @property
    def last(self):
        return self.envelopes[-1].last if self.envelopes else 0

    @property
    def past(self):
        return self.envelopes[-1].past if self.envelopes else {}


class Reader:
    """A whole workspace, read from its remote."""

    def __init__(self, remote, workspace=None):
        self.repository = Repository(remote)
        self.workspace = workspace
        self.refused = []
        self.envelopes = {}
        self.operations = {}
        self.by_device = {}
        self.states = {}
        self.let_in = {}
        self.branches = []
        try:
            self._read()
        finally:
            self.repository.close()

    # Accepting branches (§2).

    def _read(self):
        tips = self.repository.branches()
        self.branches = [Branch(device, self._chain(tip)) for device, tip in tips.items()]
        if self.workspace is None:
            self.workspace = self._only_beginning()
        progress = True
        while progress:
            progress = any([self._advance(branch) for branch in self.branches])
        for branch in self.branches:
            if branch.ahead:
                self.refused.append([branch.device, branch.ahead[0], branch.refusal or "waits for a parent, or for being let in"])
        self._judge_data()

    def _chain(self, tip):
        """Commit ids from the first to the tip, along first parents as far as they can be read."""
        chain, seen = [], set()
        while tip not in seen:
            seen.add(tip)
            chain.append(tip)
            try:
                commit = self.repository.read(tip, "commit", MAX_COMMIT)
                found = re.match(rb"tree [0-9a-f]+\nparent ([0-9a-f]+)\n", commit)
                if found is None or b"\nCairn-Prev: none\n" in commit:
                    break
                tip = found[1].decode()
            except Malformed:
                break
        return chain[::-1]

    def _only_beginning(self):
        found = []
        for branch in self.branches:
            try:
                commit = Commit(self.repository.read(branch.ahead[0], "commit", MAX_COMMIT))
                message = MESSAGE.fullmatch(commit.message)
                lines = lines_of(read_files(self.repository, commit.tree)["acl.jsonl"])
                first = Operation(branch.device, 1, {}, lines[0], True) if lines else None
                if message and message["workspace"] == "none" and message["device"] == branch.device and first and first.type == "workspace.created":
                    found.append(commit.digest)
            except Malformed:
                continue
        return found[0] if len(found) == 1 else None

    def _advance(self, branch):
        progressed = False
        while branch.ahead and branch.refusal is None:
            try:
                self._accept(branch, branch.ahead[0])
            except Waits:
                break
            except Malformed as problem:
                branch.refusal = str(problem)
                break
            branch.ahead.pop(0)
            progressed = True
        return progressed

    def _accept(self, branch, commit_id):
        commit = Commit(self.repository.read(commit_id, "commit", MAX_COMMIT))
        message = self._check_message(branch, commit)
        commit.check_people(branch.device)
        others = self._check_parents(branch, commit)
        files = read_files(self.repository, commit.tree)
        past = self._past(branch, others)
        operations = self._parse(branch, message, files, past)
        key = branch.key or self._first_key(branch, operations)
        if not key.verifies(commit.signature, commit.signed, "git"):
            raise Malformed("the signature is not the device's")
        self._check_let_in(branch, commit, operations)
        envelope = Envelope(branch.device, commit, branch.last + len(operations), past, operations)
        branch.key = key
        branch.envelopes.append(envelope)
        self.envelopes[commit_id] = envelope
        for operation in operations:
            self._register(operation)

    def _check_message(self, branch, commit):
        message = MESSAGE.fullmatch(commit.message)
        if message is None:
            raise Malformed("the message has not the form of an envelope")
        previous = branch.envelopes[-1].commit.digest if branch.envelopes else None
        beginning = commit.digest == self.workspace
        expected = {
            "device": branch.device,
            "seq": str(len(branch.envelopes) + 1),
            "first": str(branch.last + 1),
            "prev": f"sha256:{previous}" if previous else "none",
            "workspace": "none" if beginning else f"sha256:{self.workspace}",
        }
        for name, value in expected.items():
            if message[name] != value:
                raise Malformed(f"{name} is {message[name]}, not {value}")
        return message

    def _check_parents(self, branch, commit):
        """The parents of other devices."""
        parents = commit.parents
        if branch.envelopes:
            if not parents or self.envelopes.get(parents[0]) is not branch.envelopes[-1]:
                raise Malformed("the first parent is not the device's previous envelope")
            parents = parents[1:]
        if any(parent not in self.envelopes for parent in parents):
            raise Waits
        return [self.envelopes[parent] for parent in parents]

    @staticmethod
    def _past(branch, others):
        past = dict(branch.past)
        for other in others:
            for device, number in [*other.past.items(), (other.device, other.last)]:
                past[device] = max(past.get(device, 0), number)
        past.pop(branch.device, None)
        return past

    @staticmethod
    def _parse(branch, message, files, past):
        for name, content in (("ops", files["ops.jsonl"]), ("acl", files["acl.jsonl"])):
            if message[name] != ("none" if content is None else f"sha256:{sha256(content)}"):
                raise Malformed(f"{name}.jsonl is not the file that the message names")
        acl, ops = lines_of(files["acl.jsonl"]), lines_of(files["ops.jsonl"])
        if not 1 <= len(acl) + len(ops) <= MAX_OPERATIONS or str(len(acl) + len(ops)) != message["count"]:
            raise Malformed("the number of operations is not what the message says")
        lines = [(line, True) for line in acl] + [(line, False) for line in ops]
        return [Operation(branch.device, branch.last + 1 + index, past, line, authority) for index, (line, authority) in enumerate(lines)]

    def _first_key(self, branch, operations):
        """The key that the first envelope brings along, or that of whoever let the device in."""
        first = operations[0]
        if first.type == "workspace.created" and first.authority:
            key = Key(first.d["first"]["key"])
        elif first.type == "device.requested" and first.authority:
            key = Key(first.d["key"])
        elif branch.device in self.let_in:
            key = self.let_in[branch.device]
        else:
            raise Waits
        if key.device != branch.device:
            raise Malformed("the key is another device's")
        return key

    def _check_let_in(self, branch, commit, operations):
        if commit.digest == self.workspace:
            if operations[0].type != "workspace.created":
                raise Malformed("the workspace does not begin with workspace.created")
            return
        if not branch.envelopes and operations[0].type == "workspace.created":
            raise Malformed("another workspace begins here")
        only_asks = not branch.envelopes and [operation.type for operation in operations] == ["device.requested"]
        if not only_asks and branch.device not in self.let_in:
            raise Waits

    # Judging operations (§5, §6).

    def _register(self, operation):
        self.operations[operation.name] = operation
        self.by_device.setdefault(operation.device, []).append(operation)
        if operation.authority:
            self._validate(operation)

    def _validate(self, operation):
        state = self._state(operation.past)
        author = state.author(operation) if operation.device in state.introductions else None
        if operation.authority and not operation.known:
            operation.could_mean_something = may_be_newer(state, operation)
        operation.valid = operation.known and state.permits(operation) and carries_the_truth(operation, self._keys(operation))
        if operation.type in SIGNED and operation.valid:
            operation.valid = sign_off_is_true(operation, self._keys(operation)[operation.device], author.member)
        if operation.valid and operation.authority:
            self._fix_standing(operation, state)
            for introduction in Authority([*state.operations, operation]).introductions_by(operation):
                self.let_in.setdefault(introduction.device, Key(introduction.key))

    @staticmethod
    def _fix_standing(operation, state):
        author = state.author(operation)
        if author.is_recovery:
            said = state.introductions_of(operation.device)
            operation.recovery_age = min(introduction.operation.order for introduction in said)
            operation.by_recovery = True
        operation.standing = author.standing()

    def _keys(self, operation):
        """The keys in effect for the devices that the operation's author knew of."""
        state = self._state(operation.past)
        return {device: Key(said[0].key) for device, said in state.introductions.items() if said[0].key is not None}

    def _state(self, past):
        """The state after the valid authority operations in `past`; states with the same ones are the same."""
        operations = [
            operation for device, last in past.items() for operation in self.by_device.get(device, [])[:last] if operation.valid and operation.standing
        ]
        name = frozenset(operations)
        if name not in self.states:
            self.states[name] = Authority(operations)
        return self.states[name]

    def _judge_data(self):
        for operation in self.operations.values():
            if not operation.authority:
                self._validate(operation)
        self.now = self._state({device: len(operations) for device, operations in self.by_device.items()})
        for operation in self.operations.values():
            operation.state = self._verdict(operation)

    def _verdict(self, operation):
        if not operation.known and operation.authority:
            if not operation.could_mean_something:
                return "refused"
            return "unknown" if may_be_newer(self.now, operation) else "held"
        if not operation.known:
            return "unknown"
        if not operation.valid:
            return "refused"
        counts = operation in self.now.applied if operation.authority else self.now.permits(operation)
        return "accepted" if counts else "held"

    # What it says.

    def people(self):
        members, devices = {}, {}
        every = sorted((said for all_said in self.now.introductions.values() for said in all_said), key=lambda said: said.operation.order)
        for said in every:
            if self._of_recovery(said) or not self.now.introduction_stands(said):
                continue
            devices.setdefault(said.device, {"member": self._shown_member(said.device), "cut": self.now.cut_of(said.device)})
            if said.name is not None and said.member == self.now.member_of(said.device):
                members.setdefault(said.member, {"name": said.name, "roles": sorted(self.now.roles(said.member))})
        return members, devices

    def _shown_member(self, device):
        """The first to be named, also where that is void and another introduction makes the device stand."""
        return next(said.member for said in self.now.introductions[device] if not self._of_recovery(said))

    def _of_recovery(self, said):
        """A recovery key is nobody's computer, and neither is what it was rotated to."""
        return any(other.how == "recovery" for other in self.now.introductions.get(said.member, [])) and said.how in ("recovery", "rotated")

    def report(self):
        members, devices = self.people()
        return {
            "members": members,
            "devices": devices,
            "operations": {name: operation.state for name, operation in sorted(self.operations.items())},
            "records": fold(operation for operation in self.operations.values() if operation.state == "accepted" and not operation.authority),
            "refused": self.refused,
        }


# --- folding ---------------------------------------------------------------------------------------------------


def as_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def part(d, *names):
    return as_json({name: d.get(name) for name in names})


def each(field, values):
    return [(field, key, value) for key, value in values.items()]


def tags(d):
    return each("tag", d["set"]) + [("tag", key, None) for key in d["removed"]]


def plain(*names, **renamed):
    """Cells that take over fields as they are."""
    both = {**{name: name for name in names}, **renamed}
    return lambda d: [(field, "", d.get(name)) for field, name in both.items()]


def constant(**cells):
    return lambda d: [(field, "", value) for field, value in cells.items()]


def or_json(*names, **renamed):
    """Cells that hold a field as JSON, or nothing."""
    both = {**{name: name for name in names}, **renamed}
    return lambda d: [(field, "", as_json(d[name]) if d.get(name) is not None else None) for field, name in both.items()]


def joined(*parts):
    return lambda d: [cell for part in parts for cell in part(d)]


def whole(field, *names):
    return lambda d: [(field, "", part(d, *names))]


FROZEN = ("class", "policy", "policy_digest", "lifecycle", "lifecycle_digest", "cycle", "criteria")

# For each type: the kind of its record, the field that holds the record's id, how its parent is found where it creates one
# (None where it does not), and its cells.
CELLS = {
    "project.created": ("project", "project", lambda d: None, plain("title", "template")),
    "project.edited": ("project", "project", None, lambda d: [(d["field"], "", d["value"])]),
    "project.member_added": ("project", "project", None, lambda d: [("member", f"{d['member']}/{d['role']}", "1")]),
    "project.member_removed": ("project", "project", None, lambda d: [("member", f"{d['member']}/{d['role']}", None)]),
    "project.template_set": ("project", "project", None, plain("template")),
    "project.answered": ("project", "project", None, lambda d: [("answer", d["question"], d["value"])]),
    "project.triggered": ("project", "project", None, lambda d: [("trigger", str(d["cycle"]), part(d, "trigger", "evidence"))]),
    "project.ended": ("project", "project", None, plain(ended="ending")),
    "project.resumed": ("project", "project", None, constant(ended=None)),
    "project.class_set": ("project", "project", None, lambda d: [("class", "", d["class"])]),
    "project.class_agreed": ("project", "project", None, lambda d: [("class_agreed", d["proposal"], "1")]),
    "project.stage_entered": ("project", "project", None, whole("stage", "stage", "cycle", "waived")),
    "experiment.created": ("experiment", "experiment", lambda d: None, plain("name", "project")),
    "experiment.renamed": ("experiment", "experiment", None, plain("name")),
    "experiment.linked": ("experiment", "experiment", None, plain("project")),
    "experiment.tagged": ("experiment", "experiment", None, tags),
    "run.tagged": ("run", "run", None, tags),
    "logged_model.tagged": ("logged_model", "model", None, tags),
    "run.created": (
        "run", "run", lambda d: d["experiment"], joined(plain("user", "start_ms"), constant(status="RUNNING"), lambda d: each("tag", d["tags"])),
    ),
    "run.updated": ("run", "run", None, lambda d: [("status", "", d["status"])] + ([("end_ms", "", d["end_ms"])] if d.get("end_ms") is not None else [])),
    "run.params_logged": ("run", "run", None, lambda d: each("param", d["params"])),
    "run.inputs_logged": ("run", "run", None, lambda d: [("input", key, as_json(value)) for key, value in d["inputs"].items()]),
    "run.outputs_logged": ("run", "run", None, lambda d: each("output", d["models"])),
    "logged_model.created": (
        "logged_model", "model", lambda d: d["experiment"],
        joined(
            plain("name", "created_ms", "run", type="model_type", updated_ms="created_ms"), constant(status="LOGGED_MODEL_PENDING"),
            lambda d: each("param", d["params"]) + each("tag", d["tags"]),
        ),
    ),
    "logged_model.updated": ("logged_model", "model", None, plain("status", "updated_ms")),
    "logged_model.params_logged": ("logged_model", "model", None, lambda d: each("param", d["params"])),
    "logged_model.metrics_summarised": (
        "logged_model", "model", None,
        lambda d: [("metric", "\x1f".join([d["run"], m["key"], m["dataset"], m["digest"]]), as_json(m["last"])) for m in d["metrics"]],
    ),
    "run.source_recorded": ("run", "run", None, lambda d: [("source", "", as_json(d["source"]))]),
    "view.created": ("view", "view", lambda d: d.get("project"), whole("state", "name", "state")),
    "view.edited": ("view", "view", None, whole("state", "name", "state")),
    "note.frozen": ("note", "note", None, lambda d: [("frozen", d["digest"], part(d, "size"))]),
    "panel.created": ("panel", "panel", lambda d: f"{d['about']['kind']}/{d['about']['id']}" if d.get("about") else None, plain("state")),
    "panel.edited": ("panel", "panel", None, plain("state")),
    "pin.created": ("pin", "pin", lambda d: d["run"], plain("metric", "step", "text")),
    "pin.edited": ("pin", "pin", None, plain("text")),
    "template.saved": ("template", "template", lambda d: None, plain("text")),
    "comment.written": (
        "comment", "comment", lambda d: f"{d['about']['kind']}/{d['about']['id']}", joined(plain("anchor", "reply_to", "text"), or_json("asks")),
    ),
    "monitor.planned": (
        "monitor", "monitor", lambda d: d["project"],
        lambda d: [("plan", "", part(d["plan"], "watch", "metric", "comparator", "threshold", "owner", "route", "every_days"))],
    ),
    "monitor.reported": ("monitor", "monitor", None, whole("reading", "value", "at_ms", "source")),
    "maturity.assessed": ("assessment", "assessment", lambda d: None, lambda d: [("model", "", d["model"]), ("answers", "", as_json({k: {n: d["answers"][k][n] for n in ("met", "note", "evidence")} for k in sorted(d["answers"])}))]),
    "comment.edited": ("comment", "comment", None, plain("text")),
    "comment.resolved": ("comment", "comment", None, constant(resolved="1")),
    "comment.reopened": ("comment", "comment", None, constant(resolved=None)),
    "criteria.written": (
        "criteria", "criteria", lambda d: d["project"],
        joined(plain("cycle"), lambda d: [("list", "", as_json(d["list"])), ("replaces", "", as_json(d["replaces"]))]),
    ),
    "criteria.signed": ("signoff", "signoff", lambda d: d["criteria"], joined(plain("role", "statement", "signature"), constant(decision="approved"))),
    "finding.raised": (
        "finding", "finding", lambda d: d["project"],
        joined(whole("content", "title", "text"), plain("severity"), lambda d: [("about", "", f"{d['about']['kind']}/{d['about']['id']}" if d.get("about") else None)]),
    ),
    "finding.edited": ("finding", "finding", None, whole("content", "title", "text")),
    "finding.graded": ("finding", "finding", None, plain("severity")),
    "finding.assigned": ("finding", "finding", None, joined(or_json(assigned="to"), plain("due"))),
    "finding.settled": ("finding", "finding", None, plain("outcome")),
    "finding.reopened": ("finding", "finding", None, constant(outcome=None)),
    "setting.changed": ("setting", "setting", lambda d: None, plain("value")),
    "dataset.created": ("dataset", "dataset", lambda d: d["project"], plain("name")),
    "dataset.version_added": (
        "dataset_version", "version", lambda d: d["dataset"],
        joined(plain("number", "file", "digest", "size", "rows"), lambda d: [("columns", "", as_json(d["columns"]))]),
    ),
    "model.created": ("model", "model", lambda d: d["project"], plain("name")),
    "model.version_added": (
        "model_version", "version", lambda d: d["model"],
        joined(plain("number", "run"), lambda d: [("files", "", as_json(d["files"])), ("datasets", "", as_json(d["datasets"]))]),
    ),
    "model.registered": ("model", "model", lambda d: None, plain("name")),
    "model.renamed": ("model", "model", None, plain("name")),
    "model.linked": ("model", "model", None, plain("project")),
    "model.described": ("model", "model", None, plain("description")),
    "model.tagged": ("model", "model", None, tags),
    "model_version.registered": (
        "model_version", "version", lambda d: d["model"],
        joined(plain("number", "source", "run", "logged_model", "run_link"), lambda d: [("files", "", as_json(d["files"]))]),
    ),
    "model_version.described": ("model_version", "version", None, plain("description")),
    "model_version.tagged": ("model_version", "version", None, tags),
    "model_version.staged": ("model_version", "version", None, plain("stage")),
    "model.alias_set": ("model", "model", None, lambda d: [("alias", d["alias"], d.get("version"))]),
    "card.edited": ("model_version", "version", None, lambda d: [("card", d["section"], d["text"])]),
    "note.created": ("note", "note", lambda d: f"{d['about']['kind']}/{d['about']['id']}", whole("content", "title", "text", "update")),
    "note.edited": ("note", "note", None, whole("content", "title", "text", "update")),
    "checklist.started": ("checklist", "checklist", lambda d: d["project"], joined(plain("gate", "template", "cycle"), constant(state="open"))),
    "checklist.picked_up": ("checklist", "checklist", None, joined(plain(holder="member"), constant(state="picked_up"))),
    "checklist.item_done": ("checklist", "checklist", None, lambda d: [("item", d["item"], part(d, "comment", "evidence"))]),
    "checklist.item_reopened": ("checklist", "checklist", None, lambda d: [("item", d["item"], None)]),
    "checklist.handed_back": ("checklist", "checklist", None, constant(holder=None, state="handed_back")),
    "checklist.completed": ("checklist", "checklist", None, constant(state="completed")),
    "checklist.assigned": ("checklist", "checklist", None, lambda d: [("assigned", d["item"], as_json(d["to"]) if d.get("to") else None)]),
    "checklist.due_set": ("checklist", "checklist", None, lambda d: [("due", d["item"], d.get("due"))]),
    "checklist.blocked": ("checklist", "checklist", None, constant(blocked="1")),
    "checklist.unblocked": ("checklist", "checklist", None, constant(blocked=None)),
    "checklist.received": ("checklist", "checklist", None, joined(plain(receiver="member"), constant(state="received"))),
    "checklist.accepted": ("checklist", "checklist", None, constant(state="accepted")),
    "release.requested": ("release", "release", lambda d: d["project"], plain("version", "policy", "policy_digest")),
    "release.signed": ("signoff", "signoff", lambda d: d["release"], plain("decision", "role", "statement", "signature")),
    "release.withdrawn": ("release", "release", None, constant(withdrawn="1")),
    "release.submitted": (
        "release", "release", lambda d: d["project"],
        joined(
            plain("version"), or_json("answers"), lambda d: [(name, "", d["frozen"][name]) for name in ("policy", "policy_digest")],
            lambda d: [("frozen", "", as_json({name: [{n: b[n] for n in ("name", "sha256")} for b in d["frozen"][name]] if name == "criteria" else d["frozen"][name] for name in FROZEN}))],
        ),
    ),
    "release.decided": (
        "signoff", "signoff", lambda d: d["release"],
        joined(plain("decision", "role", "statement", "signature"), lambda d: [("page", "", as_json({"digest": d["page"], "size": d["page_size"]}))]),
    ),
    "release.answered": ("release", "release", None, lambda d: [("answered", d["challenge"], d["role"])]),
    "deployment.recorded": ("deployment", "deployment", lambda d: d["project"], plain("version", "environment", "release")),
}  # fmt: skip
NEVER_DELETED = {"release", "signoff", "deployment", "segment", "setting", "criteria", "finding"}


def writes(operation):
    """(kind, id, creates, parent, cells) of one operation."""
    d, device = operation.d, operation.device
    if operation.type in ("record.deleted", "record.restored"):
        kind = d["subject"]["kind"]
        value = "1" if operation.type == "record.deleted" else None
        return kind, d["subject"]["id"], False, None, [] if kind in NEVER_DELETED else [("deleted", "", value)]
    if operation.type == "artifact.logged":
        return d["owner"]["kind"], d["owner"]["id"], False, None, [("artifact", d["path"], part(d, "digest", "size"))]
    if operation.type == "artifact.referenced":
        return d["owner"]["kind"], d["owner"]["id"], False, None, [("artifact", d["path"], part(d, "address", "digest", "size", "version"))]
    if operation.type == "artifact.removed":
        return d["owner"]["kind"], d["owner"]["id"], False, None, [("artifact", d["path"], None)]
    if operation.type == "run.metric_summarised":
        return "run", d["run"], False, None, [("metric", d["key"] + SEPARATOR + device, part(d, "count", "last", "min", "max", "outline"))]
    if operation.type == "run.metrics_summarised":
        cells = [("metric", m["key"] + SEPARATOR + device, part(m, "count", "last", "min", "max", "outline")) for m in d["metrics"]]
        return "run", d["run"], False, None, cells
    if operation.type == "request.declined":
        return "setting", "join_requests", True, None, [("declined", d["device"], "1")]
    if operation.type == "segment.stored":
        runs = d["runs"].items()
        cells = [("run", run + SEPARATOR + device, as_json({"volume": d["volume"], "bytes": d["bytes"], "points": points})) for run, points in runs]
        return "segment", d["segment"], True, None, cells
    if operation.type == "record.attached":
        return d["subject"]["kind"], d["subject"]["id"], False, None, [("attachment", d["digest"], part(d, "name", "size"))]
    kind, named_by, parent, cells = CELLS[operation.type]
    return kind, d[named_by], parent is not None, parent(d) if parent else None, cells(d)


def fold(operations):
    """The records that accepted data operations add up to."""
    records = {}
    for operation in sorted(operations, key=lambda operation: (operation.hlc, operation.device, operation.number)):
        if operation.type == "device.witnessed":
            continue
        kind, name, creates, parent, cells = writes(operation)
        record = records.setdefault((kind, name), {"created": False, "parent": None, "cells": {}})
        if creates and not record["created"]:
            record.update(created=True, parent=parent)
        for field, key, value in cells:
            record["cells"][field, key] = None if value is None else str(value) if is_whole(value) or is_text(value) else as_json(value)
    return [
        {"kind": kind, "id": name, "parent": record["parent"], "cells": [[*cell, value] for cell, value in sorted(record["cells"].items()) if value is not None]}
        for (kind, name), record in sorted(records.items())
        if record["created"]
    ]


# --- the program -----------------------------------------------------------------------------------------------


def describe(report):
    for member, said in report["members"].items():
        yield f"{said['name']} ({member}): {', '.join(said['roles']) or 'no role'}"
    states = list(report["operations"].values())
    yield f"{len(states)} operations: " + ", ".join(f"{states.count(state)} {state}" for state in ("accepted", "refused", "held", "unknown"))
    yield from (f"  {name} {state}" for name, state in report["operations"].items() if state != "accepted")
    yield f"{len(report['records'])} records"
    yield from (f"stopped {branch} before {commit}: {reason}" for branch, commit, reason in report["refused"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("remote", help="a bare repository")
    parser.add_argument("--workspace", metavar="SHA256", help="the workspace's first commit object; else the only one that begins one")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sys.setrecursionlimit(50_000)
    report = Reader(options.remote, options.workspace).report()
    print(json.dumps(report, ensure_ascii=False) if options.json else "\n".join(describe(report)))


if __name__ == "__main__":
    main()
