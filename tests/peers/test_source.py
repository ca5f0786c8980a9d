"""A run knows which code, changes, command and packages made it, and can be made again from that alone."""

import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

from cairn import BIN, Place, Service

TRAIN = r"""
import argparse, mlflow
from helper import loss_at
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--api-key")
args = parser.parse_args()
mlflow.set_experiment("source")
with mlflow.start_run() as run:
    mlflow.log_param("lr", args.lr)
    for step in range(20):
        mlflow.log_metric("loss", loss_at(step, args.lr), step=step)
print(run.info.run_id)
"""


def until(what, ask):
    """The answer once there is one: a test that waits for a fact."""
    for _ in range(200):
        found = ask()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {what}")


class Source(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.close)
        self.env = {**self.place.env, "PATH": f"{BIN.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": "/dev/null"}

    def git(self, folder, *args):
        who = ["-c", "user.name=T", "-c", "user.email=t@t.invalid", "-c", "init.defaultBranch=main"]
        return subprocess.run(["git", *who, *args], cwd=folder, env=self.env, check=True, capture_output=True, text=True).stdout.strip()

    def cairn(self, *args, **kwargs):
        return subprocess.run([BIN, "--workspace", str(self.place.workspace), *args], env=self.env, capture_output=True, text=True, **kwargs)

    def test_a_run_is_made_again_from_what_it_knows_of_itself(self):
        service = Service(self.place)
        self.addCleanup(service.kill)
        self.env["MLFLOW_TRACKING_URI"] = service.url
        code = self.place.dir / "code"
        (code / "jobs").mkdir(parents=True)
        self.git(code, "init", "-q")
        (code / "jobs/train.py").write_text(TRAIN)
        (code / "jobs/helper.py").write_text("def loss_at(step, lr):\n    return 1.0\n")
        self.git(code, "add", ".")
        self.git(code, "commit", "-qm", "first")
        # The very change that nobody committed, and a file that git does not follow.
        (code / "jobs/helper.py").write_text("from factor import FACTOR\n\ndef loss_at(step, lr):\n    return FACTOR * lr / (step + 1)\n")
        (code / "jobs/factor.py").write_text("FACTOR = 3\n")

        command = [sys.executable, "train.py", "--lr", "0.25", "--api-key", "hunter2"]
        done = subprocess.run(command, cwd=code / "jobs", env=self.env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        run = done.stdout.strip().splitlines()[-1]
        source = until("the source of the run", lambda: (lambda s: s if s["folder"] else None)(self.place.call("run.source", {"run": run})))
        self.assertEqual(source["commit"], self.git(code, "rev-parse", "HEAD"))
        self.assertEqual((source["branch"], source["changed"], source["left_out"]), ("main", 2, []))
        self.assertTrue(source["command"].endswith("train.py --lr 0.25 --api-key '***'"), source["command"])
        self.assertEqual(source["folder"], str(code / "jobs"))
        self.assertEqual(source["python"], ".".join(map(str, sys.version_info[:3])))
        packages = self.place.call("file.view", {"digest": source["packages"]["digest"], "path": "requirements.txt"})["view"]["text"]
        import mlflow

        self.assertIn(f"mlflow=={mlflow.__version__}\n", packages)
        changes = self.place.call("file.view", {"digest": source["changes"]["digest"], "path": "changes.patch"})["view"]["text"]
        self.assertIn("+FACTOR = 3", changes)
        log = subprocess.run(["grep", "-rc", "hunter2", str(self.place.workspace / "cairn.db")], capture_output=True, text=True).stdout
        self.assertEqual(log.strip(), "0", "a secret of the command line is nowhere in the workspace")

        # Made again on another computer: an empty folder, and what `reproduce` prints. The work tree moved on meanwhile.
        (code / "jobs/factor.py").write_text("FACTOR = 7\n")
        again = self.place.dir / "again"
        again.mkdir()
        printed = self.cairn("runs", "reproduce", run, "--without-environment")
        self.assertIn("no remote", printed.stderr)
        self.assertIn("secret", printed.stderr)
        script = printed.stdout.replace("'***'", "other")
        made = subprocess.run(["sh", "-c", script], cwd=again, env=self.env, capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        twin = made.stdout.strip().splitlines()[-1]
        rows = {r["id"]: r for r in json.loads(self.cairn("--json", "runs").stdout)}
        self.assertNotEqual(twin, run)
        self.assertEqual((rows[twin]["metrics"], rows[twin]["params"]), (rows[run]["metrics"], rows[run]["params"]))
        self.assertEqual(rows[run]["metrics"]["loss"], str(3 * 0.25 / 20))

    def test_nothing_is_noted_where_that_is_turned_off(self):
        self.place.call("run.set_source_recording", {"on": False})
        done = self.cairn("log", "--metric", "a=1")
        self.assertFalse(self.place.call("run.source", {"run": done.stdout.strip()})["folder"])

    def test_a_command_is_logged_with_its_output_and_its_end(self):
        script = 'echo starting; echo "{\\"loss\\": 0.5, \\"params\\": {\\"depth\\": 3}}"; echo "{\\"loss\\": 0.25}"; echo trouble >&2; echo "run $CAIRN_RUN_ID"; exit 3'
        done = self.cairn("log", "--experiment", "shell", "--name", "around", "--", "sh", "-c", script)
        self.assertEqual(done.returncode, 3, "the exit code is the command's")
        self.assertIn("starting", done.stdout)
        self.assertIn("trouble", done.stderr)
        row = next(r for r in json.loads(self.cairn("--json", "runs", "--experiment", "shell").stdout))
        self.assertIn(f"run {row['id']}", done.stdout)
        self.assertEqual((row["status"], row["metrics"], row["params"]), ("FAILED", {"loss": "0.25"}, {"depth": "3"}))
        kept = self.place.call("file.view", {"owner": {"kind": "run", "id": row["id"]}, "path": "output.log"})["view"]["text"]
        self.assertIn("starting", kept)
        self.assertIn("trouble", kept)
        shown = self.cairn("runs", "show", row["id"]).stdout
        self.assertIn("command      sh -c", shown)

    def test_a_run_is_logged_step_by_step_and_from_lines(self):
        run = self.cairn("log", "--experiment", "steps", "--begin").stdout.strip()
        self.cairn("log", "--run", run, "--metric", "loss=0.5@0", "--metric", "loss=0.25@1")
        lines = '{"loss": 0.125, "step": 2}\nno json\n{"loss": "NaN", "step": 3, "tags": {"team": "red"}}\n'
        read = self.cairn("log", "--run", run, "--lines", input=lines)
        self.assertEqual(read.returncode, 0, read.stderr)
        self.assertIn("line 2: no JSON object", read.stderr)
        row = json.loads(self.cairn("--json", "runs", "--experiment", "steps").stdout)[0]
        self.assertEqual((row["status"], row["metrics"], row["tags"]["team"]), ("RUNNING", {"loss": "NaN"}, "red"))
        self.cairn("log", "--run", run, "--end", "finished")
        row = json.loads(self.cairn("--json", "runs", "--experiment", "steps").stdout)[0]
        self.assertEqual((row["id"], row["status"]), (run, "FINISHED"))


if __name__ == "__main__":
    unittest.main()
