"""Verifies an audit bundle of a Cairn workspace against the workspace's fingerprint.

    python3 verify.py FINGERPRINT

The last line says VERIFIED or NOT VERIFIED, and the exit code 0 or 1 says the same. It needs Python 3.9 or later with
nothing but its standard library, `git` and `ssh-keygen`. Nothing of the bundle is run, and nothing is written beside
a temporary folder. Everything is worked out again from the signed commits: who may do what, what counts, and every
field of the readable trail. The fingerprint must come to you by another way than the bundle.

This file is the same in every bundle of a release; the project's documentation says its sha256.
"""

import sys

if __name__ == "__main__":
    # Python looks for modules beside the program first, and there lies what is not to be trusted.
    del sys.path[0]
    sys.dont_write_bytecode = True

import base64
import binascii
import datetime
import hashlib
import json
import math
import os
import re
import stat
import struct
import subprocess
import tempfile
from pathlib import Path

FORMAT = "cairn-audit/1"
LOG = "refs/heads/cairn/log/"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
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
MAX_FILES = 200_000
MAX_MANIFEST, MAX_BUNDLE, MAX_TRAIL, MAX_SMALL = 64 * MIB, 16 * GIB, 8 * GIB, 4 * MIB
PATIENCE = 3600
SEEN = {}
"""Signatures that were looked at before: their verdict depends on nothing else."""


class Malformed(Exception):
    """The form is broken: the branch ends before this commit."""


class Waits(Exception):
    """A parent is not accepted yet: the commit may still be."""


class Doubt(Exception):
    """The bundle is not what it says."""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def environment(home):
    """What git and ssh-keygen see: no settings, hooks or agents of whoever verifies."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP") if name in os.environ}
    quiet = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    return {**kept, **quiet, "GIT_ALLOW_PROTOCOL": "file", "GIT_NO_REPLACE_OBJECTS": "1", "HOME": str(home), "LC_ALL": "C"}


# --- the bundle's objects --------------------------------------------------------------------------------------


class Objects:
    """A temporary bare repository that holds the bundle's pack and no refs, read through one `git cat-file --batch`."""

    def __init__(self, folder, pack):
        self.folder, self.process, self.sha1 = folder, None, True
        # An empty template: no hooks, no settings.
        empty = Path(folder, "empty")
        empty.mkdir()
        self._git(["git", "init", "--quiet", "--bare", f"--template={empty}", f"{folder}/repo.git"])
        self.command = ["git", "--no-replace-objects", "--git-dir", f"{folder}/repo.git", "-c", "core.hooksPath=" + os.devnull]
        try:
            self._git([*self.command, "-c", "core.bigFileThreshold=32m", "index-pack", "--stdin", "--strict", f"--max-input-size={MAX_BUNDLE}"], given=pack)
        except Doubt:
            raise Doubt("repo.bundle: git does not take its objects; it is damaged or not whole") from None

    def _git(self, command, given=None):
        done = subprocess.run(command, stdin=given or subprocess.DEVNULL, capture_output=True, env=environment(self.folder), cwd=self.folder, timeout=PATIENCE)
        if done.returncode != 0:
            raise Doubt("git: " + done.stderr.decode(errors="replace").strip()[:200])

    def read(self, object_id, kind, limit):
        """The raw content; an object that is missing, of another kind or longer than `limit` is malformed."""
        process = self._process()
        process.stdin.write(object_id.encode() + b"\n")
        process.stdin.flush()
        header = process.stdout.readline().split()
        if len(header) == 2:
            raise Malformed(f"object {object_id} is missing")
        if len(header) != 3:
            self.close()
            raise Malformed(f"object {object_id} cannot be read")
        size = int(header[2])
        if header[1].decode() != kind or size > limit:
            self.close()
            raise Malformed(f"object {object_id} is no {kind} of at most {limit} bytes")
        content = process.stdout.read(size + 1)[:-1]
        if hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest() != object_id:
            raise Malformed(f"object {object_id} has another content than its name says")
        return content

    def _process(self):
        if self.process is None or self.process.poll() is not None:
            self.close()
            self.process = subprocess.Popen(
                [*self.command, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(self.folder)
            )
        return self.process

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None


def bundle_header(file):
    """The refs that a git bundle names; the file stands at its pack afterwards."""
    if file.readline(64) != b"# v2 git bundle\n":
        raise Doubt("repo.bundle: it is no git bundle of version 2")
    tips = {}
    while True:
        line = file.readline(512)
        if line == b"\n":
            return tips
        found = re.fullmatch(rb"([0-9a-f]{40}) (refs/heads/cairn/log/([a-z2-7]{26}))\n", line)
        if found is None or found[3].decode() in tips or len(tips) >= MAX_BRANCHES:
            raise Doubt("repo.bundle: its head names something that is no branch of a computer")
        tips[found[3].decode()] = found[1].decode()


def check_pack_ends(file, size):
    """The pack's own sum ends the file: nothing hangs behind it."""
    start, hasher = file.tell(), hashlib.sha1()
    left = size - start - 20
    while left > 0:
        chunk = file.read(min(left, MIB))
        if not chunk:
            break
        hasher.update(chunk)
        left -= len(chunk)
    if left != 0 or file.read() != hasher.digest():
        raise Doubt("repo.bundle: it is damaged")
    file.seek(start)


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
        asked = (self.text, signature, sha256(content), namespace)
        if asked not in SEEN:
            SEEN[asked] = self._asks(signature, content, namespace)
        return SEEN[asked]

    def _asks(self, signature, content, namespace):
        with tempfile.TemporaryDirectory(prefix="cairn-verify-") as folder:
            allowed, armor = Path(folder, "allowed"), Path(folder, "signature")
            allowed.write_text(f"signer {self.text}\n")
            armor.write_text(signature)
            done = subprocess.run(
                ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "signer", "-n", namespace, "-s", armor], input=content, capture_output=True, env=environment(folder), timeout=PATIENCE
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
        self.text, self.at, self.tz = line.decode(), said.get("at"), said["tz"]
        self.hlc, self.why = said["hlc"], said.get("why")
        self.past = {**past, device: number - 1}
        self.commit = None
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
        self.keys = None
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


def needed_right(operation):
    """What the author must hold (section 4); none where standing decides or the type is not known."""
    d = operation.d
    if operation.authority or not operation.known:
        return ""
    if operation.type in ("record.deleted", "record.restored"):
        return RIGHT_TO_DELETE.get(d["subject"]["kind"], "manage")
    if operation.type == "finding.settled" and d["outcome"] == "accepted" or operation.type == "project.stage_entered" and d["waived"]:
        return "waive"
    return RIGHT_OF_TYPE.get(operation.type) or RIGHT_OF_GROUP[operation.type.split(".")[0]]


NEEDS_A_REASON = {"project.class_set", "project.class_agreed", "release.submitted", "release.answered"}


def may_write(author, operation):
    d = operation.d
    if not author.has(needed_right(operation)):
        return False
    right = needed_right(operation)
    if right in ("sign", "classify") and d["role"] not in author.roles & RIGHTS[right]:
        return False
    if operation.type in NEEDS_A_REASON or operation.type == "project.stage_entered" and d["waived"]:
        return bool((operation.why or "").strip())
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


class History:
    """A whole workspace, read from the bundle's objects."""

    def __init__(self, repository, tips, workspace):
        self.repository, self.tips = repository, tips
        self.workspace = workspace
        self.refused = []
        self.envelopes = {}
        self.operations = {}
        self.by_device = {}
        # Of these, the valid ones of authority: the many others say nothing of rights.
        self.ranked = {}
        self.states = {}
        self.let_in = {}
        self.branches = []
        self._read()

    # Accepting branches (§2).

    def _read(self):
        self.branches = [Branch(device, self._chain(tip)) for device, tip in sorted(self.tips.items())]
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
            operation.commit = commit_id
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
            self.ranked.setdefault(operation.device, []).append(operation)
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
        if state.keys is None:
            state.keys = {device: Key(said[0].key) for device, said in state.introductions.items() if said[0].key is not None}
        return state.keys

    def _state(self, past):
        """The state after the valid authority operations in `past`; states with the same ones are the same."""
        operations = [operation for device, last in past.items() for operation in self.ranked.get(device, ()) if operation.number <= last]
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


# --- the readable trail ----------------------------------------------------------------------------------------

# What each type is called, and which record it is about. `say`: `{path}` is a field, `|` how it is told, and a part in
# brackets is left out where one of its fields is empty. `kind` and `id`, or `link`: the record. `parent`: what a new
# record belongs to. `cells`: where all of these are empty, nothing is written. `text`: what was written; else all of `d`.
# The exporting program uses this very text.
WORDS = json.loads(
    r"""
{
  "meanings": {"decisions": "Decisions", "people": "People and rights", "projects": "Projects", "data": "Data", "models": "Models", "findings": "Findings", "checklists": "Checklists", "operation": "Operation", "discussion": "Notes and discussion", "tracking": "Tracking", "other": "Other"},
  "types": {
    "workspace.created": {"say": "created the workspace {name}", "meaning": "people"},
    "device.requested": {"say": "asked to join as {name}, with the computer {device_name}", "meaning": "people"},
    "member.admitted": {"say": "let {name} in, with the computer {device_name}[, as {roles}]", "meaning": "people"},
    "role.granted": {"say": "gave {member|person} the role {role|words}", "meaning": "people"},
    "role.revoked": {"say": "took the role {role|words} from {member|person}", "meaning": "people"},
    "device.revoked": {"say": "removed {device|computer} after its operation {last}, as {removal}", "meaning": "people"},
    "device.readmitted": {"say": "let {device|computer} in again[, up to its operation {last}]", "meaning": "people"},
    "device.sealed": {"say": "put this computer out of service", "meaning": "people"},
    "device.rotated": {"say": "gave this computer a new key, {device}", "meaning": "people"},
    "quorum.proposed": {"say": "asked the owners to decide: {change.change|words}[, {change.member|person}][, {change.device|computer}]", "meaning": "people"},
    "quorum.seconded": {"say": "agreed to the decision {proposal}", "meaning": "people"},
    "rules.adopted": {"say": "adopted the rules for releases, version {rules}", "meaning": "decisions"},
    "project.created": {"say": "started the project {title}, with the lifecycle {template}", "meaning": "projects", "kind": "project", "id": "project", "parent": null, "title": "title"},
    "project.edited": {"say": "changed the {field|words} of the project", "meaning": "projects", "kind": "project", "id": "project", "text": "value"},
    "project.member_added": {"say": "named {member|person} as {role|words} of the project", "meaning": "people", "kind": "project", "id": "project"},
    "project.member_removed": {"say": "took {member|person} off as {role|words} of the project", "meaning": "people", "kind": "project", "id": "project"},
    "project.template_set": {"say": "moved the project to the lifecycle {template}", "meaning": "decisions", "kind": "project", "id": "project"},
    "project.answered": {"say": "answered the question {question}", "meaning": "projects", "kind": "project", "id": "project", "text": "value"},
    "project.triggered": {"say": "recorded what began cycle {cycle}: {trigger}", "meaning": "projects", "kind": "project", "id": "project"},
    "project.ended": {"say": "ended the project as {ending}", "meaning": "decisions", "kind": "project", "id": "project"},
    "project.resumed": {"say": "took the project up again", "meaning": "decisions", "kind": "project", "id": "project"},
    "project.class_set": {"say": "stated the risk class {class} as {role|words}", "meaning": "decisions", "kind": "project", "id": "project"},
    "project.class_agreed": {"say": "agreed as {role|words} to the lower risk class stated in {proposal}", "meaning": "decisions", "kind": "project", "id": "project"},
    "project.stage_entered": {"say": "moved the project to {stage|words}, cycle {cycle}[, waiving {waived}]", "meaning": "decisions", "kind": "project", "id": "project"},
    "experiment.created": {"say": "created the experiment {name}", "meaning": "tracking", "kind": "experiment", "id": "experiment", "parent": null, "title": "name"},
    "experiment.renamed": {"say": "renamed the experiment to {name}", "meaning": "tracking", "kind": "experiment", "id": "experiment", "title": "name"},
    "experiment.linked": {"say": "linked the experiment to a project", "meaning": "tracking", "kind": "experiment", "id": "experiment"},
    "experiment.tagged": {"say": "tagged the experiment", "meaning": "tracking", "kind": "experiment", "id": "experiment", "cells": ["set", "removed"]},
    "run.tagged": {"say": "tagged the run", "meaning": "tracking", "kind": "run", "id": "run", "cells": ["set", "removed"]},
    "logged_model.tagged": {"say": "tagged the logged model", "meaning": "tracking", "kind": "logged_model", "id": "model", "cells": ["set", "removed"]},
    "run.created": {"say": "started the run[ {tags.mlflow.runName}]", "meaning": "tracking", "kind": "run", "id": "run", "parent": "experiment", "title": "tags.mlflow.runName"},
    "run.updated": {"say": "set the run to {status}", "meaning": "tracking", "kind": "run", "id": "run"},
    "run.params_logged": {"say": "logged {params|count} parameters", "meaning": "tracking", "kind": "run", "id": "run", "cells": ["params"]},
    "run.metric_summarised": {"say": "logged {count} points of {key}", "meaning": "tracking", "kind": "run", "id": "run"},
    "run.metrics_summarised": {"say": "logged points of {metrics|count} metrics", "meaning": "tracking", "kind": "run", "id": "run", "cells": ["metrics"]},
    "run.inputs_logged": {"say": "logged the data of the run", "meaning": "tracking", "kind": "run", "id": "run", "cells": ["inputs"]},
    "run.outputs_logged": {"say": "logged the model of the run", "meaning": "tracking", "kind": "run", "id": "run", "cells": ["models"]},
    "segment.stored": {"say": "stored metric points of {runs|count} runs in a file of {bytes} bytes", "meaning": "tracking", "kind": "segment", "id": "segment", "parent": null},
    "logged_model.created": {"say": "logged the model {name}", "meaning": "tracking", "kind": "logged_model", "id": "model", "parent": "experiment", "title": "name"},
    "logged_model.updated": {"say": "set the logged model to {status}", "meaning": "tracking", "kind": "logged_model", "id": "model"},
    "logged_model.params_logged": {"say": "logged {params|count} parameters of the logged model", "meaning": "tracking", "kind": "logged_model", "id": "model", "cells": ["params"]},
    "logged_model.metrics_summarised": {"say": "logged {metrics|count} values of the logged model", "meaning": "tracking", "kind": "logged_model", "id": "model", "cells": ["metrics"]},
    "artifact.logged": {"say": "logged the file {path}", "meaning": "tracking", "link": "owner"},
    "artifact.removed": {"say": "removed the file {path}", "meaning": "tracking", "link": "owner"},
    "artifact.referenced": {"say": "named {address} as the file {path}", "meaning": "tracking", "link": "owner"},
    "run.source_recorded": {"say": "noted which code made the run", "meaning": "tracking", "kind": "run", "id": "run"},
    "view.created": {"say": "saved the view {name}", "meaning": "tracking", "kind": "view", "id": "view", "parent": "project", "title": "name"},
    "view.edited": {"say": "changed the view {name}", "meaning": "tracking", "kind": "view", "id": "view", "title": "name"},
    "panel.created": {"say": "put a chart on a page", "meaning": "tracking", "kind": "panel", "id": "panel", "parent": "about"},
    "panel.edited": {"say": "changed a chart on a page", "meaning": "tracking", "kind": "panel", "id": "panel"},
    "pin.created": {"say": "pinned a remark at step {step} of {metric}", "meaning": "discussion", "kind": "pin", "id": "pin", "parent": "run"},
    "pin.edited": {"say": "changed a remark on a curve", "meaning": "discussion", "kind": "pin", "id": "pin"},
    "note.created": {"say": "wrote the note {title}", "meaning": "discussion", "kind": "note", "id": "note", "parent": "about", "title": "title", "text": "text"},
    "note.edited": {"say": "edited the note {title}", "meaning": "discussion", "kind": "note", "id": "note", "title": "title", "text": "text"},
    "note.frozen": {"say": "kept what a report showed, as evidence", "meaning": "discussion", "kind": "note", "id": "note"},
    "template.saved": {"say": "saved a lifecycle of the team", "meaning": "projects", "kind": "template", "id": "template", "parent": null},
    "record.attached": {"say": "attached the file {name}", "meaning": "data", "link": "subject"},
    "comment.written": {"say": "wrote a comment[, asking {asks.member|person}][, asking the {asks.role|words}]", "meaning": "discussion", "kind": "comment", "id": "comment", "parent": "about", "text": "text"},
    "comment.edited": {"say": "changed a comment", "meaning": "discussion", "kind": "comment", "id": "comment", "text": "text"},
    "comment.resolved": {"say": "resolved a thread", "meaning": "discussion", "kind": "comment", "id": "comment"},
    "comment.reopened": {"say": "opened a thread again", "meaning": "discussion", "kind": "comment", "id": "comment"},
    "monitor.planned": {"say": "planned the monitor {plan.metric}", "meaning": "operation", "kind": "monitor", "id": "monitor", "parent": "project", "title": "plan.metric"},
    "monitor.reported": {"say": "reported {value} from operation", "meaning": "operation", "kind": "monitor", "id": "monitor"},
    "maturity.assessed": {"say": "assessed the team's maturity by {model}", "meaning": "projects", "kind": "assessment", "id": "assessment", "parent": null},
    "criteria.written": {"say": "wrote {list|count} acceptance criteria for cycle {cycle}", "meaning": "decisions", "kind": "criteria", "id": "criteria", "parent": "project"},
    "criteria.signed": {"say": "signed the acceptance criteria as {role|words}", "meaning": "decisions", "kind": "signoff", "id": "signoff", "parent": "criteria"},
    "finding.raised": {"say": "raised a finding of {severity} severity: {title}", "meaning": "findings", "kind": "finding", "id": "finding", "parent": "project", "title": "title", "text": "text"},
    "finding.edited": {"say": "changed the finding {title}", "meaning": "findings", "kind": "finding", "id": "finding", "title": "title", "text": "text"},
    "finding.graded": {"say": "graded the finding as {severity}", "meaning": "findings", "kind": "finding", "id": "finding"},
    "finding.assigned": {"say": "gave the finding to somebody[, {to.member|person}][, the {to.role|words}][, until {due}]", "meaning": "findings", "kind": "finding", "id": "finding"},
    "finding.settled": {"say": "settled the finding as {outcome|words}", "meaning": "findings", "kind": "finding", "id": "finding"},
    "finding.reopened": {"say": "reopened the finding", "meaning": "findings", "kind": "finding", "id": "finding"},
    "setting.changed": {"say": "set {setting|words} to {value}", "meaning": "people", "kind": "setting", "id": "setting", "parent": null, "title": "setting"},
    "dataset.created": {"say": "registered the dataset {name}", "meaning": "data", "kind": "dataset", "id": "dataset", "parent": "project", "title": "name"},
    "dataset.version_added": {"say": "added version {number} of the dataset, {file}, {rows} rows", "meaning": "data", "kind": "dataset_version", "id": "version", "parent": "dataset"},
    "model.created": {"say": "registered the model {name}", "meaning": "models", "kind": "model", "id": "model", "parent": "project", "title": "name"},
    "model.version_added": {"say": "made version {number} of the model from the run {run}", "meaning": "models", "kind": "model_version", "id": "version", "parent": "model"},
    "model.alias_set": {"say": "set the alias {alias}", "meaning": "models", "kind": "model", "id": "model"},
    "model.registered": {"say": "registered the model {name} from a script", "meaning": "models", "kind": "model", "id": "model", "parent": null, "title": "name"},
    "model.renamed": {"say": "renamed the model to {name}", "meaning": "models", "kind": "model", "id": "model", "title": "name"},
    "model.linked": {"say": "linked the model to a project", "meaning": "models", "kind": "model", "id": "model"},
    "model.described": {"say": "described the model", "meaning": "models", "kind": "model", "id": "model"},
    "model.tagged": {"say": "tagged the model", "meaning": "models", "kind": "model", "id": "model", "cells": ["set", "removed"]},
    "model_version.registered": {"say": "registered version {number} of the model from a script", "meaning": "models", "kind": "model_version", "id": "version", "parent": "model"},
    "model_version.described": {"say": "described the model version", "meaning": "models", "kind": "model_version", "id": "version"},
    "model_version.tagged": {"say": "tagged the model version", "meaning": "models", "kind": "model_version", "id": "version", "cells": ["set", "removed"]},
    "model_version.staged": {"say": "set the stage label {stage} on the model version", "meaning": "models", "kind": "model_version", "id": "version"},
    "card.edited": {"say": "wrote {section|words} in the model card", "meaning": "models", "kind": "model_version", "id": "version", "text": "text"},
    "checklist.started": {"say": "started the checklist of gate {gate}", "meaning": "checklists", "kind": "checklist", "id": "checklist", "parent": "project", "title": "gate"},
    "checklist.picked_up": {"say": "picked the checklist up", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.item_done": {"say": "did item {item}", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.item_reopened": {"say": "reopened item {item}", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.handed_back": {"say": "handed the checklist back", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.completed": {"say": "completed the checklist", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.blocked": {"say": "said that the handoff is blocked", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.unblocked": {"say": "said that the handoff can go on", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.accepted": {"say": "accepted the handoff", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.received": {"say": "took the handoff to look at it", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.assigned": {"say": "gave out[ item {item}][, to {to.member|person}][, to the {to.role|words}]", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "checklist.due_set": {"say": "set the date[ of item {item}][, until {due}]", "meaning": "checklists", "kind": "checklist", "id": "checklist"},
    "release.requested": {"say": "requested a release of the model version {version}", "meaning": "decisions", "kind": "release", "id": "release", "parent": "project"},
    "release.signed": {"say": "signed {decision|words} as {role|words}", "meaning": "decisions", "kind": "signoff", "id": "signoff", "parent": "release"},
    "release.withdrawn": {"say": "withdrew the release request", "meaning": "decisions", "kind": "release", "id": "release"},
    "release.submitted": {"say": "requested a release of the model version {version}, judged as {frozen.class} risk by {frozen.policy}", "meaning": "decisions", "kind": "release", "id": "release", "parent": "project"},
    "release.decided": {"say": "signed {decision|words} as {role|words}, on the page {page}", "meaning": "decisions", "kind": "signoff", "id": "signoff", "parent": "release"},
    "release.answered": {"say": "answered {challenge} as {role|words}", "meaning": "decisions", "kind": "release", "id": "release"},
    "request.declined": {"say": "declined that {device|computer} joins", "meaning": "people", "kind": "setting", "record": "join_requests", "parent": null},
    "deployment.recorded": {"say": "recorded a deployment to {environment}", "meaning": "operation", "kind": "deployment", "id": "deployment", "parent": "project"},
    "device.witnessed": {"say": "has seen the work of the others up to here", "meaning": "tracking"},
    "record.deleted": {"say": "deleted the {subject.kind|words}", "meaning": "other", "link": "subject"},
    "record.restored": {"say": "restored the {subject.kind|words}", "meaning": "other", "link": "subject"}
  }
}
"""
)
TYPES = WORDS["types"]
PARENT_KIND = {
    "dataset": "project", "checklist": "project", "monitor": "project", "release": "project", "deployment": "project", "criteria": "project",
    "finding": "project", "view": "project", "dataset_version": "dataset", "model_version": "model", "run": "experiment",
    "logged_model": "experiment", "pin": "run",
}  # fmt: skip
FIELDS = (
    "claimed_at", "utc_offset_minutes", "witnessed_at", "witnessed_in", "who", "member", "roles", "device", "number", "operation", "meaning", "what",
    "title", "record", "project", "why", "before", "after", "needs", "state", "state_reason", "commit", "id",
)  # fmt: skip
NOT_LET_IN = "A computer that is not let in"
RECOVERY = "The recovery key"
REASON = {
    "unknown": "this kind of operation is not known to the program that made the bundle",
    "held": "what it rested on does not stand any more",
    "refused": "its author had no right to it, or what it carries is not true",
    "not_let_in": "its computer was not let in, as far as its author knew",
}


def field(d, path):
    """A field by its path; a name may hold dots itself."""
    while isinstance(d, dict) and path:
        if path in d:
            return d[path]
        name, _, path = path.partition(".")
        d = d.get(name)
    return None


def raw_fields(text):
    """Where each value of a JSON object stands, as it was signed."""
    decoder, found = json.JSONDecoder(), {}
    space = re.compile(r"[ \t\r\n]*")
    at = space.match(text).end() + 1
    while True:
        at = space.match(text, at).end()
        if text[at] in "},":
            if text[at] == "}":
                return found
            at = space.match(text, at + 1).end()
        name, at = decoder.raw_decode(text, at)
        at = space.match(text, space.match(text, at).end() + 1).end()
        _, end = decoder.raw_decode(text, at)
        found[name] = text[at:end]
        at = end


def rfc3339(ms):
    """UTC, with as many digits of a second as there are."""
    if not -377705116800000 <= ms <= 253402207200999:
        return f"{ms} ms"
    seconds, rest = divmod(ms, 1000)
    if not -62135596800 <= seconds < 253402300800:
        return f"{ms} ms"
    text = (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    text = text.rjust(19, "0")
    return text + (f".{rest:03}".rstrip("0") if rest else "") + "Z"


class Trail:
    """Every entry of the trail, worked out from the accepted commits."""

    def __init__(self, history):
        self.history, self.now = history, history.now
        self.devices, self.names = published(self.now)
        self.published = {}
        self.creations, self.projects, self.titles = {}, {}, {}
        order = sorted(history.operations.values(), key=lambda operation: (stamp(operation), operation.device, operation.number))
        for operation in sorted(order, key=lambda operation: (operation.hlc, operation.device, operation.number)):
            if operation.state == "accepted" and not operation.authority:
                self._fold(operation)
        self.witnesses = first_witnesses(history)
        self.entries = [self._entry(operation) for operation in order]

    def _fold(self, operation):
        row, d, record = TYPES[operation.type], operation.d, record_of(operation)
        if record is None:
            return
        if "parent" in row and record not in self.creations:
            parent = field(d, row["parent"]) if row["parent"] else None
            self.creations[record] = f"{parent['kind']}/{parent['id']}" if isinstance(parent, dict) else parent
        if operation.type in ("experiment.created", "experiment.linked", "model.linked"):
            self.projects[record] = d.get("project")
        if "title" in row:
            title = field(d, row["title"])
            self.titles[record] = title if isinstance(title, str) else self.titles.get(record, "")
        if operation.type == "project.edited" and d["field"] == "title":
            self.titles[record] = d["value"]

    def project_of(self, record):
        for _ in range(6):
            kind, name = record
            if kind == "project":
                return name
            if record not in self.creations:
                return ""
            parent = self.creations[record]
            if kind in ("experiment", "model"):
                return self.projects.get(record) or parent or ""
            if parent is None:
                return ""
            if kind in ("note", "comment", "panel"):
                kind, _, name = parent.partition("/")
                record = (kind, name)
            elif kind == "signoff":
                record = ("criteria", parent) if ("criteria", parent) in self.creations else ("release", parent)
            elif kind in PARENT_KIND:
                record = (PARENT_KIND[kind], parent)
            else:
                return ""
        return ""

    def person(self, device):
        if device in self.devices:
            member = self.devices[device]
            return self.names.get(member, ""), member
        return (RECOVERY, device) if is_recovery(self.now, device) else (NOT_LET_IN, "")

    def _then(self, operation):
        """Who the author was, and the roles, as far as they knew."""
        state = self.history._state(operation.past)
        if id(state) not in self.published:
            self.published[id(state)] = published(state)[0]
        member = self.published[id(state)].get(operation.device)
        roles = state.roles(member) if member else set()
        return member is not None or is_recovery(state, operation.device), [role for role in ROLES if role in roles]

    def _entry(self, operation):
        name, member = self.person(operation.device)
        was_in, roles = self._then(operation)
        row = TYPES.get(operation.type, {}) if operation.known else {}
        record = record_of(operation)
        seen = self.witnesses.get(operation.name)
        state = operation.state
        return {
            "claimed_at": rfc3339(at_ms(operation)),
            "utc_offset_minutes": operation.tz,
            "witnessed_at": rfc3339(seen[0]) if seen else None,
            "witnessed_in": seen[1] if seen else None,
            "who": name,
            "member": member,
            "roles": " ".join(roles),
            "device": operation.device,
            "number": operation.number,
            "operation": operation.type,
            "meaning": row.get("meaning", "other"),
            "what": self.say(row.get("say", ""), operation.d) if row else f"wrote {operation.type}",
            "title": self.titles.get(record, ""),
            "record": "/".join(record) if record else "workspace/",
            "project": self.project_of(record) if record else "",
            "why": operation.why,
            "before": self._before(operation, record),
            "after": text_of(operation),
            "needs": needed_right(operation),
            "state": state,
            "state_reason": None if state == "accepted" else REASON["not_let_in" if state == "refused" and not was_in else state],
            "commit": operation.commit,
            "id": operation.name,
        }

    def _before(self, operation, record):
        base = operation.d.get("base")
        first = self.history.operations.get(base[0]) if operation.known and isinstance(base, list) and base and isinstance(base[0], str) else None
        if first is None or first.state != "accepted" or record_of(first) != record:
            return None
        return text_of(first)

    def say(self, template, d):
        def told(match):
            path, _, how = match[1].partition("|")
            return self.tell(field(d, path), how)

        def part(match):
            texts = [self.tell(field(d, path), how) for path, _, how in (inner.partition("|") for inner in re.findall(r"\{([^}]*)\}", match[1]))]
            return re.sub(r"\{([^}]*)\}", told, match[1]) if all(texts) else ""

        # What people wrote is put in last, so that brackets in it are nobody's marks.
        out, at = [], 0
        for match in re.finditer(r"\[([^\]]*)\]|\{([^}]*)\}", template):
            out.append(template[at : match.start()])
            out.append(part(match) if match[0][0] == "[" else self.tell(field(d, match[2].partition("|")[0]), match[2].partition("|")[2]))
            at = match.end()
        return "".join(out) + template[at:]

    def tell(self, value, how):
        if how == "count":
            return str(len(value)) if isinstance(value, (dict, list)) else ""
        if isinstance(value, list):
            value = ", ".join(item for item in value if isinstance(item, str))
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return ""
        if how == "words":
            return value.replace("_", " ")
        if how == "person" and value:
            return self.names.get(value, "somebody")
        if how == "computer" and value:
            member = self.devices.get(value)
            return f"{self.names[member]}'s computer {value}" if member in self.names else f"the computer {value}"
        return value


def stamp(operation):
    return int(operation.hlc[:12], 16) << 20 | min(int(operation.hlc[13:], 16), 0xFFFFF)


def at_ms(operation):
    return operation.at if operation.at is not None else int(operation.hlc[:12], 16)


def record_of(operation):
    row = TYPES.get(operation.type, {}) if operation.known and not operation.authority else {}
    if "link" in row:
        link = operation.d[row["link"]]
        if operation.type in ("record.deleted", "record.restored") and link["kind"] in NEVER_DELETED:
            return None
        return link["kind"], link["id"]
    if "kind" not in row or "cells" in row and not any(operation.d.get(name) for name in row["cells"]):
        return None
    return row["kind"], row["record"] if "record" in row else str(operation.d[row["id"]])


NEVER_DELETED = {"release", "signoff", "deployment", "segment", "setting", "criteria", "finding"}


def text_of(operation):
    """What was written: the text itself, or all fields as they were signed."""
    row = TYPES.get(operation.type, {}) if operation.known else {}
    return operation.d[row["text"]] if "text" in row else raw_fields(operation.text)["d"]


def published(state):
    """The devices that stand with their members, and the members' names, as the fold introduces them."""
    devices, names = {}, {}
    order = sorted(state.operations, key=state._turn)
    for operation in order:
        if operation.type not in ("workspace.created", "member.admitted"):
            continue
        said = operation.d["first"] if operation.type == "workspace.created" else operation.d
        if state.member_of(said["device"]) == said["member"]:
            names.setdefault(said["member"], said["name"])
            devices.setdefault(said["device"], said["member"])
    for operation in sorted((o for o in order if o.type == "device.rotated"), key=lambda o: o.weight):
        if state.stands(operation.d["device"]) and operation.device in devices:
            devices[operation.d["device"]] = devices[operation.device]
    return devices, names


def is_recovery(state, device):
    for _ in range(64):
        introductions = state.introductions.get(device, [])
        if any(said.how == "recovery" for said in introductions):
            return True
        older = next((said.operation.device for said in introductions if said.how == "rotated"), None)
        if older is None:
            return False
        device = older
    return False


def first_witnesses(history):
    """For each operation: of the commits of other computers that know it and whose computer did not know it before, the
    one that claims the earliest time."""
    found = {}
    for branch in history.branches:
        known = {}
        for envelope in branch.envelopes:
            word = (at_ms(envelope.operations[0]), envelope.operations[0].commit)
            for device, last in envelope.past.items():
                for number in range(known.get(device, 0) + 1, last + 1):
                    name = f"{device}.{number}"
                    if name not in found or word < found[name]:
                        found[name] = word
                known[device] = max(last, known.get(device, 0))
    return found


# The files, byte for byte.


def as_jsonl(entries):
    return "".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in entries)


IS_NUMBER = re.compile(r"[+-]?(inf|infinity|nan|([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?)", re.IGNORECASE | re.ASCII)


def cell(value):
    text = "" if value is None else str(value)
    # Spreadsheets would take it for a formula.
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text and IS_NUMBER.fullmatch(text) is None:
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if re.search('[",\r\n]', text) else text


def as_csv(entries):
    if not entries:
        return ""
    return "".join(",".join(line) + "\n" for line in [list(FIELDS), *([cell(entry[name]) for name in FIELDS] for entry in entries)])


# A bundle may hold an extract: what its filter leaves.

FILTERS = {
    "person": lambda wanted, entry: entry["member"] == wanted,
    "role": lambda wanted, entry: wanted in entry["roles"].split(" "),
    "record": lambda wanted, entry: entry["record"] == wanted,
    "project": lambda wanted, entry: entry["project"] == wanted,
    "meaning": lambda wanted, entry: entry["meaning"] == wanted,
    "not_counted": lambda wanted, entry: entry["state"] != "accepted" if wanted else True,
}


def fits(filters, entry, ms):
    for name, wanted in filters.items():
        if wanted is None:
            continue
        if name == "since_ms":
            fit = ms >= wanted
        elif name == "until_ms":
            fit = ms < wanted
        elif name in FILTERS:
            fit = FILTERS[name](wanted, entry)
        else:
            raise Doubt(f"bundle.json: the filter {name} is not known")
        if not fit:
            return False
    return True


# --- the bundle ------------------------------------------------------------------------------------------------

SHELVES = ("statements", "policy", "pages")
ROOT_FILES = {"VERIFY.md", "verify.py", "allowed_signers", "bundle.json", "repo.bundle", "trail.csv", "trail.jsonl", "manifest.sha256", "manifest.sha256.sig"}
LIMITS = {"repo.bundle": MAX_BUNDLE, "trail.csv": MAX_TRAIL, "trail.jsonl": MAX_TRAIL, "manifest.sha256": MAX_MANIFEST, "allowed_signers": MAX_MANIFEST}


class Folder:
    """The files of a bundle, never followed out of it."""

    def __init__(self, path):
        self.path = Path(path)
        self.names = sorted(self._walk())

    def _walk(self):
        for place in ("", *SHELVES):
            folder = self.path / place
            if place and not os.path.lexists(folder):
                continue
            if place and not stat.S_ISDIR(os.lstat(folder).st_mode):
                raise Doubt(f"{place} is no folder")
            with os.scandir(folder) as entries:
                for count, entry in enumerate(entries):
                    if count > MAX_FILES:
                        raise Doubt("there are too many files")
                    name = f"{place}/{entry.name}" if place else entry.name
                    if not place and entry.name in SHELVES:
                        continue
                    if not entry.is_file(follow_symlinks=False):
                        raise Doubt(f"{name!r} is no plain file")
                    if entry.stat(follow_symlinks=False).st_size > LIMITS.get(name, MAX_SMALL):
                        raise Doubt(f"{name!r} is too large")
                    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", entry.name):
                        raise Doubt(f"{name!r} does not belong to a bundle")
                    yield name

    def open(self, name):
        handle = os.open(self.path / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Doubt(f"{name} is no plain file")
        return os.fdopen(handle, "rb")

    def read(self, name):
        with self.open(name) as file:
            content = file.read(LIMITS.get(name, MAX_SMALL) + 1)
        if len(content) > LIMITS.get(name, MAX_SMALL):
            raise Doubt(f"{name} is too large")
        return content

    def digest(self, name):
        hasher = hashlib.sha256()
        with self.open(name) as file:
            for chunk in iter(lambda: file.read(MIB), b""):
                hasher.update(chunk)
        return hasher.hexdigest()


def text_in(folder, name):
    try:
        return folder.read(name).decode()
    except UnicodeDecodeError:
        raise Doubt(f"{name} is no UTF-8 text") from None


def check_files(folder):
    """Every file is there, none besides, and each is the one that the manifest names."""
    for name in sorted(ROOT_FILES):
        if name not in folder.names:
            raise Doubt(f"{name} is missing")
    for name in folder.names:
        if "/" not in name and name not in ROOT_FILES:
            raise Doubt(f"{name} does not belong to a bundle")
    named = {}
    lines = text_in(folder, "manifest.sha256").split("\n")
    if lines.pop() != "":
        raise Doubt("manifest.sha256: its last line does not end")
    for line in lines:
        found = re.fullmatch(r"([0-9a-f]{64})  ((?:statements/|policy/|pages/)?[A-Za-z0-9_.-]{1,128})", line)
        if found is None or found[2] in named:
            raise Doubt("manifest.sha256: a line does not fit")
        named[found[2]] = found[1]
    if list(named) != sorted(named):
        raise Doubt("manifest.sha256: its lines are not in order")
    there = set(folder.names) - {"manifest.sha256", "manifest.sha256.sig"}
    for name in sorted(there ^ set(named)):
        raise Doubt(f"{name} is there and not in the manifest" if name in there else f"{name} is in the manifest and missing")
    for name, digest in named.items():
        if folder.digest(name) != digest:
            raise Doubt(f"{name} is not the file that the manifest names")
    if folder.read("verify.py") != Path(__file__).read_bytes():
        raise Doubt("verify.py is another one than this program; its sha256 stands in the documentation")


is_filter = lambda value: isinstance(value, dict) and all(
    is_text(said) or name == "not_counted" and isinstance(said, bool) or name in ("since_ms", "until_ms") and is_whole(said) for name, said in value.items()
)
BUNDLE = {
    "format": lambda value: value == FORMAT,
    "workspace": is_text,
    "fingerprint": is_digest,
    "made_at": lambda value: is_text(value) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z", value) is not None,
    "program": is_text,
    "exporter": fields_of(device=is_device, member=is_text, name=is_text),
    "filter": is_filter,
    "entries": is_count,
    "entries_in_all": is_count,
    "commits": is_count,
    "tips": map_of(fields_of(commit=is_text, seq=is_count, last=is_count), key=is_device),
    "texts": map_of(is_text, key=is_digest),
    "texts_missing": list_of(is_digest),
    "pages_missing": list_of(is_digest),
    "missing": list_of(is_text),
}


def said_of_bundle(folder):
    try:
        said = strict_json(text_in(folder, "bundle.json"))
    except Malformed as problem:
        raise Doubt(f"bundle.json: {problem}") from None
    if not isinstance(said, dict) or set(said) != set(BUNDLE):
        raise Doubt("bundle.json: its fields are not those of a bundle")
    for name, fit in BUNDLE.items():
        if not fit(said[name]):
            raise Doubt(f"bundle.json: {name} does not fit")
    return said


HISTORIES = {}
"""Histories that were read before, by the sha256 of their file and the fingerprint."""


def read_history(folder, fingerprint):
    known = (folder.digest("repo.bundle"), fingerprint)
    if known in HISTORIES:
        return HISTORIES[known]
    with folder.open("repo.bundle") as file, tempfile.TemporaryDirectory(prefix="cairn-verify-") as place:
        size = os.fstat(file.fileno()).st_size
        tips = bundle_header(file)
        check_pack_ends(file, size)
        # git reads the file itself, so it must stand where the pack begins.
        os.lseek(file.fileno(), file.tell(), os.SEEK_SET)
        objects = Objects(place, file)
        try:
            history = History(objects, tips, fingerprint)
        finally:
            objects.close()
    HISTORIES.clear()
    HISTORIES[known] = (history, Trail(history))
    return HISTORIES[known]


def check_history(history, said):
    """Every branch was accepted to its tip, from the pinned beginning on, and the tips are those that were exported."""
    if not any(envelope.commit.digest == history.workspace for envelope in history.envelopes.values()):
        raise Doubt("the history does not begin with the commit of this fingerprint")
    for device, commit, reason in history.refused:
        raise Doubt(f"the history of the computer {device} ends before commit {commit[:12]}: {reason}")
    tips = {b.device: {"commit": b.envelopes[-1].operations[0].commit, "seq": len(b.envelopes), "last": b.last} for b in history.branches}
    if tips != {device: {name: tip[name] for name in ("commit", "seq", "last")} for device, tip in said["tips"].items()}:
        raise Doubt("bundle.json: the tips are not those of the history; something was cut off or added")


def check_exporter(folder, history, trail, said):
    device = said["exporter"]["device"]
    key = history.let_in.get(device)
    if key is None or device not in trail.devices:
        raise Doubt("the bundle was not made by a computer that the history let in")
    if history.now.cut_of(device) is not None:
        raise Doubt("the bundle was made by a computer that was removed")
    if trail.person(device) != (said["exporter"]["name"], said["exporter"]["member"]):
        raise Doubt("bundle.json: the exporter's name is not that of the computer's person")
    signature = text_in(folder, "manifest.sha256.sig")
    if not is_canonical(signature) or not key.verifies(signature, folder.read("manifest.sha256"), "bundle@cairn"):
        raise Doubt("manifest.sha256.sig is not a signature of the computer that is said to have made the bundle")


def is_canonical(signature):
    """The one way to write this signature: no byte of the file may change unnoticed."""
    body = "".join(signature.split("\n")[1:-2])
    try:
        body = base64.b64encode(base64.b64decode(body, validate=True)).decode()
    except (binascii.Error, ValueError):
        return False
    lines = [body[at : at + 70] for at in range(0, len(body), 70)]
    return signature == "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


def introduced(history):
    """The keys that valid operations brought along, recovery keys and rotated ones included."""
    keys = {}
    for operation in history.operations.values():
        if not (operation.authority and operation.valid):
            continue
        d = operation.d
        if operation.type == "workspace.created":
            keys[d["first"]["device"]] = d["first"]["key"]
        elif operation.type == "device.requested":
            keys[operation.device] = d["key"]
        elif operation.type in ("member.admitted", "device.rotated"):
            keys[d["device"]] = d["key"]
        elif operation.type == "quorum.proposed" and d["change"]["change"] == "set_recovery":
            keys[d["change"]["device"]] = d["change"]["key"]
    return keys


def allowed_signers(history, trail):
    out = []
    for device, key in sorted(introduced(history).items()):
        out.append(f'{device}@cairn.invalid namespaces="git,bundle@cairn" {key}\n')
        if device in trail.devices:
            out.append(f'{trail.devices[device]} namespaces="approval@cairn" {key}\n')
    return "".join(out)


def statements(history):
    """Each sign-off that counts, as its operation holds it."""
    found = {}
    for operation in history.operations.values():
        d = operation.d
        if operation.state == "accepted" and not operation.authority and all(is_text(d.get(name)) for name in ("signoff", "statement", "signature")):
            found[f"statements/{d['signoff']}.json"] = d["statement"]
            found[f"statements/{d['signoff']}.json.sig"] = d["signature"]
    return found


def named_pages(history):
    """The digests of the pages that signers were shown, by the sign-offs that count."""
    return {o.d["page"] for o in history.operations.values() if o.state == "accepted" and o.type == "release.decided"}


def named_texts(history):
    """The digests of policies and lifecycles that counting operations name."""
    found = set()
    for operation in history.operations.values():
        if operation.state != "accepted" or operation.authority:
            continue
        for names in (operation.d, operation.d.get("frozen")):
            for name in ("policy_digest", "lifecycle_digest") if isinstance(names, dict) else ():
                if is_digest(names.get(name)) and (names is not operation.d or name == "policy_digest"):
                    found.add(names[name])
        template = operation.d.get("template")
        if operation.type.startswith("project.") and is_text(template) and template.startswith("team/") and is_digest(template.rsplit("/", 1)[1]):
            found.add(template.rsplit("/", 1)[1])
    return found


def check_trail(folder, entries):
    for name, made in (("trail.jsonl", as_jsonl(entries)), ("trail.csv", as_csv(entries))):
        if folder.read(name) != made.encode():
            raise Doubt(first_difference(name, text_in(folder, name), entries, made))


def first_difference(name, text, entries, made):
    ours, theirs = made.split("\n"), text.split("\n")
    if len(ours) != len(theirs) and name == "trail.jsonl":
        return f"{name} has {len(theirs) - 1} entries; the signed history gives {len(ours) - 1}"
    if name == "trail.jsonl":
        for entry, line, mine in zip(entries, theirs, ours):
            if line == mine:
                continue
            try:
                said = json.loads(line)
                wrong = [field for field in FIELDS if said.get(field, said) != entry[field]]
            except (ValueError, AttributeError, RecursionError):
                wrong = []
            return f"{name}, entry {entry['id']}: {', '.join(wrong) or 'the line'} is not what the signed history says"
    at = next((number for number, (line, mine) in enumerate(zip(theirs, ours), 1) if line != mine), min(len(ours), len(theirs)))
    return f"{name}, line {at} is not what the signed history says"


def check_rest(folder, history, trail, said):
    if folder.read("allowed_signers") != allowed_signers(history, trail).encode():
        raise Doubt("allowed_signers does not hold the keys that the history introduced")
    wanted = statements(history)
    for name in sorted({name for name in folder.names if name.startswith("statements/")} ^ set(wanted)):
        raise Doubt(f"{name} is missing" if name in wanted else f"{name} is in no operation that counts")
    for name, content in wanted.items():
        if folder.read(name) != content.encode():
            raise Doubt(f"{name} is not what was signed")
    texts = {name[len("policy/") :] for name in folder.names if name.startswith("policy/")}
    if texts != set(said["texts"]):
        raise Doubt("policy/ does not hold the texts that bundle.json names")
    for name in texts:
        if folder.digest(f"policy/{name}") != name:
            raise Doubt(f"policy/{name} is another text than its name says")
    if named_texts(history) - texts != set(said["texts_missing"]):
        raise Doubt("policy/ lacks a text that the history names by its digest")
    pages, missing = {name[len("pages/") :] for name in folder.names if name.startswith("pages/")}, set(said["pages_missing"])
    for name in sorted(pages):
        if folder.digest(f"pages/{name}") + ".html" != name:
            raise Doubt(f"pages/{name} is another page than its name says")
    named = named_pages(history)
    for name in sorted({name[: -len(".html")] for name in pages} - named):
        raise Doubt(f"pages/{name}.html is named by no sign-off that counts")
    if named - {name[: -len(".html")] for name in pages} != missing or len(missing) != len(said["pages_missing"]):
        raise Doubt("pages/ lacks a page that a sign-off names by its digest, or bundle.json says that one is missing that is there")


def verify(path, fingerprint):
    """What may be relied on, in one line; raises `Doubt` where it may not."""
    if not is_digest(fingerprint):
        raise Doubt("the fingerprint is not 64 hexadecimal digits; ask somebody of the workspace for it, by another way than the bundle")
    folder = Folder(path)
    check_files(folder)
    said = said_of_bundle(folder)
    if said["fingerprint"] != fingerprint:
        raise Doubt("this is the trail of another workspace than that of the fingerprint")
    history, trail = read_history(folder, fingerprint)
    check_history(history, said)
    check_exporter(folder, history, trail, said)
    created = next(operation for operation in history.operations.values() if operation.type == "workspace.created" and operation.state == "accepted")
    if said["workspace"] != created.d["name"]:
        raise Doubt("bundle.json: the workspace's name is not that of the history")
    filters = said["filter"]
    times = {operation.name: at_ms(operation) for operation in history.operations.values()}
    entries = [entry for entry in trail.entries if fits(filters, entry, times[entry["id"]])]
    counts = (len(entries), len(trail.entries), len(history.envelopes))
    if counts != (said["entries"], said["entries_in_all"], said["commits"]):
        raise Doubt("bundle.json: the numbers of entries and commits are not those of the history")
    check_trail(folder, entries)
    check_rest(folder, history, trail, said)
    return verdict(said, history, trail, entries)


def plural(number, what):
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def verdict(said, history, trail, entries):
    people = sorted({trail.person(branch.device)[0] for branch in history.branches if branch.device in trail.devices})
    uncounted = sum(entry["state"] != "accepted" for entry in trail.entries)
    extract = f"; an extract of {plural(len(entries), 'entry').replace('entrys', 'entries')} by {json.dumps(said['filter'], sort_keys=True)}" if said["filter"] else ""
    missing = "; missing, as the exporter says: " + " ".join(said["missing"]) if said["missing"] else "; nothing is missing that the exporter knew of"
    lost = f"; not in it, of the pages that signers were shown: {len(said['pages_missing'])}" if said["pages_missing"] else ""
    tips = ", ".join(f"{b.device[:8]}@{b.envelopes[-1].operations[0].commit[:12]}" for b in history.branches)
    return printable(
        f"VERIFIED {said['workspace']}: {len(trail.entries)} operations in {plural(len(history.envelopes), 'commit')} of "
        f"{plural(len(history.branches), 'computer')} ({', '.join(people)}), up to {tips}; {uncounted} do not count; exported by "
        f"{said['exporter']['name']} ({said['exporter']['device'][:8]}) at {said['made_at']}, by that computer's clock, with {said['program']}{extract}{lost}{missing}"
    )


def main(arguments, path=None):
    sys.setrecursionlimit(50_000)
    if len(arguments) != 1:
        print("NOT VERIFIED: say the workspace's fingerprint: python3 verify.py FINGERPRINT")
        return 1
    try:
        print(verify(path or Path(__file__).resolve().parent, arguments[0].strip().lower()))
        return 0
    except Doubt as problem:
        reason = str(problem)
    except Malformed as problem:
        reason = f"repo.bundle: {problem}"
    except (OSError, subprocess.SubprocessError) as problem:
        reason = f"a file or a program could not be read: {problem}"
    except Exception as problem:  # What nobody thought of is no reason to believe.
        reason = f"the bundle has a form that cannot be read ({type(problem).__name__}: {problem})"
    print("NOT VERIFIED: " + printable(reason))
    return 1


def printable(text):
    """One line of it, without marks that would write over others."""
    return "".join(letter if letter.isprintable() else " " for letter in text).encode("utf-8", "replace").decode()


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))
