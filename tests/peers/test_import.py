"""What real tools write is taken in with equal values, while it is written and afterwards, and nothing twice."""

import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

from cairn import Place, Service

MLFLOW = r"""
import math, sys, mlflow
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.http_dataset_source import HTTPDatasetSource
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("churn")
for name in ("first", "second"):
    with mlflow.start_run(run_name=name, tags={"team": "red"}) as run:
        mlflow.log_params({"lr": 0.1, "depth": name})
        for step in range(300):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metric("odd", float("nan"), step=3)
        mlflow.log_metric("odd", float("inf"), step=4)
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_input(MetaDataset(HTTPDatasetSource("http://example.invalid/x.csv"), name="customers"), context="training")
        with mlflow.start_run(run_name=name + "-child", nested=True):
            mlflow.log_metric("fold", 1.5)
print(run.info.run_id)
"""

TENSORBOARD = r"""
import sys
from tensorboardX import SummaryWriter
writer = SummaryWriter(sys.argv[1] + "/run-a")
for step in range(500):
    writer.add_scalar("loss/train", 1.0 / (step + 1), step)
writer.add_text("note", "what was tried", 1)
import numpy
writer.add_image("picture", numpy.zeros((3, 4, 4)), 2)
writer.add_hparams({"lr": 0.25, "opt": "adam", "bn": True}, {"hparam/acc": 0.5}, name="hp")
writer.add_scalar("odd", float("nan"), 7)
writer.close()
"""

DVCLIVE = r"""
from dvclive import Live
with Live("dvclive", save_dvc_exp=False, report=None, monitor_system=False) as live:
    live.log_param("model.depth", 3)
    live.log_params({"opt": {"lr": 0.5}})
    for step in range(40):
        live.log_metric("train/loss", 1 / (step + 1))
        live.next_step()
"""


class Import(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.close)
        self.folder = Path(self.place.dir) / "work"
        self.folder.mkdir()

    def script(self, text, *args):
        done = subprocess.run([sys.executable, "-c", text, *args], cwd=self.folder, env={**os.environ, "DVC_NO_ANALYTICS": "1"}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return done.stdout

    def take(self, path, *args):
        return json.loads(self.place.run("--workspace", str(self.place.workspace), "--json", "import", str(path), *args).stdout)

    def runs(self, experiment):
        rows = json.loads(self.place.run("--workspace", str(self.place.workspace), "--json", "runs", "--filter", f"experiment = '{experiment}'").stdout)
        return {row["name"]: row for row in rows}

    def history(self, run, key):
        service = Service(self.place)
        try:
            import urllib.parse
            import urllib.request

            query = urllib.parse.urlencode({"run_id": run, "metric_key": key})
            with urllib.request.urlopen(f"{service.url}/api/2.0/mlflow/metrics/get-history?{query}") as answer:
                return [(m.get("step", 0), m["value"]) for m in json.load(answer).get("metrics", [])]
        finally:
            service.kill()

    def test_mlflow_s_own_database(self):
        last = self.script(MLFLOW).strip()
        first = self.take(self.folder / "mlflow.db")
        self.assertEqual((first["runs"], first["source"]["findings"]), (4, []))
        rows = self.runs("churn")
        self.assertEqual(sorted(rows), ["first", "first-child", "second", "second-child"])
        self.assertEqual(rows["second"]["id"], last, "a run keeps its id")
        self.assertEqual(rows["first"]["params"], {"lr": "0.1", "depth": "first"})
        self.assertEqual(rows["first"]["tags"]["team"], "red")
        self.assertEqual(rows["first-child"]["parent"], rows["first"]["id"])
        self.assertEqual(rows["first"]["status"], "FINISHED")
        self.assertEqual(self.history(last, "loss"), [(step, 1 / (step + 1)) for step in range(300)])
        odd = self.history(last, "odd")
        self.assertEqual((odd[0], odd[1][1] > 1e308), ((3, "NaN"), True))
        detail = self.place.call("run.get", {"run": last})
        self.assertEqual([a["path"] for a in detail["artifacts"]], ["notes/hello.txt"])
        self.assertEqual([(i["name"], i["context"]) for i in detail["inputs"]], [("customers", "training")])
        waiting = self.place.call("sharing.status")["waiting"]
        again = self.take(self.folder / "mlflow.db")
        self.assertEqual((again["runs"], again["points"]), (0, 0), "nothing is taken twice")
        self.assertEqual(self.place.call("sharing.status")["waiting"], waiting, "and nothing is written to the log")

    def test_tensorboard_s_event_files(self):
        self.script(TENSORBOARD, "logs")
        taken = self.take(self.folder / "logs")
        self.assertEqual(taken["source"]["findings"], [])
        rows = self.runs("logs")
        self.assertEqual(sorted(rows), ["run-a", "run-a/hp"])
        import numpy

        wanted = [(step, float(numpy.float32(1.0 / (step + 1)))) for step in range(500)]
        self.assertEqual(self.history(rows["run-a"]["id"], "loss/train"), wanted, "to the bit of a 32-bit number")
        self.assertEqual(self.history(rows["run-a"]["id"], "odd"), [(7, "NaN")])
        self.assertEqual(rows["run-a/hp"]["params"], {"lr": "0.25", "opt": "adam", "bn": "true"})
        self.assertEqual(rows["run-a/hp"]["status"], "FINISHED")
        files = {a["path"] for a in self.place.call("run.get", {"run": rows["run-a"]["id"]})["artifacts"]}
        self.assertEqual(files, {"text/note/step-1.md", "images/picture/step-2.png"})

    def test_dvclive_s_folder(self):
        self.script(DVCLIVE)
        taken = self.take(self.folder / "dvclive")
        self.assertEqual(taken["source"]["findings"], [])
        row = self.runs("work")["dvclive"]
        self.assertEqual(row["params"], {"model.depth": "3", "opt.lr": "0.5"})
        self.assertEqual(self.history(row["id"], "train/loss"), [(step, 1 / (step + 1)) for step in range(40)])

    def test_a_watched_folder_is_followed_while_it_is_written(self):
        logs = self.folder / "logs"
        logs.mkdir()
        file = logs / "train.jsonl"
        file.write_text("")
        self.take(file, "--watch")
        service = Service(self.place)
        self.addCleanup(service.kill)
        import urllib.parse
        import urllib.request

        def waits_for(points):
            """The points that the program holds once it holds so many; a test that waits for a fact, not for luck."""
            for _ in range(300):
                rows = self.runs("train")
                if "train" in rows:
                    query = urllib.parse.urlencode({"run_id": rows["train"]["id"], "metric_key": "loss"})
                    with urllib.request.urlopen(f"{service.url}/api/2.0/mlflow/metrics/get-history?{query}") as answer:
                        found = [m["value"] for m in json.load(answer).get("metrics", [])]
                    if len(found) >= points:
                        return found
                time.sleep(0.1)
            self.fail(f"{points} points did not appear")

        with file.open("a") as out:
            for step in range(3):
                print(json.dumps({"loss": step, "step": step, "time": 1_700_000_000 + step}), file=out, flush=True)
            self.assertEqual(waits_for(3), [0, 1, 2])
            out.write('{"loss": 3, "step": 3, "time"')
            out.flush()
            # Stopped and begun again in the middle of a line.
            service.kill()
            out.write(": 1700000003}\n")
            out.flush()
        service = Service(self.place)
        self.addCleanup(service.kill)
        with file.open("a") as out:
            print(json.dumps({"loss": 4, "step": 4, "time": 1_700_000_004}), file=out)
        self.assertEqual(waits_for(5), [0, 1, 2, 3, 4])

    def test_what_is_no_source_is_said_so(self):
        (self.folder / "x.db").write_bytes(b"not a database" * 100)
        for path, word in ((self.folder / "x.db", "no SQLite file"), (self.folder, "no runs in a format"), (self.folder / "gone", "cannot be read")):
            done = self.place.run("--workspace", str(self.place.workspace), "import", str(path), check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
