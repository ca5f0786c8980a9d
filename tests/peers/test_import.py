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


TRACKIO = r"""
import os
import trackio
for name, lr in (("first", 0.1), ("second", 0.2)):
    trackio.init(project="churn-tk", name=name, config={"lr": lr, "opt": {"name": "adam"}})
    for step in range(20):
        trackio.log({"loss": 1 / (step + 1), "odd": float("nan") if step == 3 else 1.0, "deep": {"a": step}})
    trackio.finish()
"""

WANDB = r"""
import wandb
run = wandb.init(project="churn-wb", name="first", config={"lr": 0.1, "opt": {"name": "adam"}}, tags=["red"], mode="offline", settings=wandb.Settings(x_disable_stats=True))
for step in range(300):
    run.log({"loss": 1 / (step + 1), "train/acc": step / 300, "odd": float("nan") if step == 3 else 1.0})
run.summary["best"] = 0.9
print("hello from the script")
run.finish()
"""

# The exporter is on no registry; its page gives the columns and types, and pyarrow writes them.
NEPTUNE = r"""
import os, sys
from datetime import datetime, timezone
from decimal import Decimal
import pyarrow as pa
import pyarrow.parquet as pq
schema = pa.schema([("project_id", pa.string()), ("run_id", pa.string()), ("attribute_path", pa.string()), ("attribute_type", pa.string()),
    ("step", pa.decimal128(18, 6)), ("timestamp", pa.timestamp("ms", tz="UTC")), ("int_value", pa.int64()), ("float_value", pa.float64()), ("string_value", pa.string()),
    ("bool_value", pa.bool_()), ("datetime_value", pa.timestamp("ms", tz="UTC")), ("string_set_value", pa.list_(pa.string())),
    ("file_value", pa.struct([("path", pa.string())])), ("histogram_value", pa.struct([("type", pa.string()), ("edges", pa.list_(pa.float64())), ("values", pa.list_(pa.float64()))]))])
when = datetime(2025, 11, 1, 12, 0, tzinfo=timezone.utc)
def row(path, kind, **more):
    return {"project_id": "team/churn", "run_id": "SAN-1", "attribute_path": path, "attribute_type": kind, **more}
first = [row("sys/name", "string", string_value="first"), row("sys/creation_time", "datetime", datetime_value=when), row("sys/tags", "string_set", string_set_value=["a", "b"]),
    row("params/lr", "float", float_value=0.1), row("params/depth", "int", int_value=3), row("params/flip", "bool", bool_value=True)]
first += [row("metrics/loss", "float_series", step=Decimal(s) / 2, timestamp=when, float_value=1 / (s + 1)) for s in range(50)]
second = [row("metrics/loss", "float_series", step=Decimal(s) / 2, timestamp=when, float_value=1 / (s + 1)) for s in range(50, 60)]
second += [row("metrics/odd", "float_series", step=Decimal(1), timestamp=when, float_value=float("nan")), row("logs/out", "string_series", step=Decimal(1), timestamp=when, string_value="hello"),
    row("weights", "histogram_series", step=Decimal(1), timestamp=when, histogram_value={"type": "COUNTING", "edges": [0.0, 1.0], "values": [2.0]}),
    row("files/page", "file", file_value={"path": "team_churn/SAN-1/page.md"}), row("files/evil", "file", file_value={"path": "../../../etc/passwd"})]
os.makedirs("exports/data/team_churn"); os.makedirs("exports/files/team_churn/SAN-1")
open("exports/files/team_churn/SAN-1/page.md", "w").write("# Page")
for n, rows in enumerate((first, second)):
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), f"exports/data/team_churn/SAN-1_part_{n}.parquet", compression="snappy")
"""

SOUNDS = r"""
import sys
import numpy
from tensorboardX import SummaryWriter
writer = SummaryWriter(sys.argv[1] + "/run-a")
for step in range(3):
    writer.add_histogram("weights", numpy.arange(100.0) * (step + 1), step)
writer.add_audio("tone", numpy.sin(numpy.arange(800.0) / 5), 1, 8000)
writer.close()
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

    def file(self, run, path):
        return self.place.call("file.view", {"owner": {"kind": "run", "id": run}, "path": path})["view"]

    def test_histograms_and_sounds_of_tensorboard(self):
        self.script(SOUNDS, "logs")
        taken = self.take(self.folder / "logs")
        self.assertEqual((taken["left_out"], taken["source"]["findings"]), ({}, []))
        run = self.runs("logs")["run-a"]["id"]
        lines = [json.loads(line) for line in self.file(run, "histograms/weights/steps-0-2.jsonl")["text"].splitlines()]
        self.assertEqual([line["step"] for line in lines], [0, 1, 2])
        self.assertTrue(all(sum(line["counts"]) == 100 and len(line["edges"]) == len(line["counts"]) + 1 for line in lines))
        self.assertTrue(self.file(run, "audio/tone/step-1.wav")["data_url"].startswith("data:audio/wav;base64,UklGR"))

    def test_trackio_s_database(self):
        os.environ["TRACKIO_DIR"] = str(self.folder / "trackio")
        self.addCleanup(os.environ.pop, "TRACKIO_DIR")
        self.script(TRACKIO)
        database = self.folder / "trackio/churn-tk.db"
        taken = self.take(database)
        self.assertEqual((taken["source"]["label"], taken["runs"], taken["source"]["findings"]), ("Trackio database", 2, []))
        rows = self.runs("churn-tk")
        self.assertEqual(rows["second"]["params"], {"lr": "0.2", "opt.name": "adam"})
        self.assertEqual(self.history(rows["first"]["id"], "loss"), [(step, 1 / (step + 1)) for step in range(20)])
        self.assertEqual([v for s, v in self.history(rows["first"]["id"], "odd") if s == 3], ["NaN"])
        self.assertEqual(self.history(rows["first"]["id"], "deep.a")[-1], (19, 19))
        again = self.take(database)
        self.assertEqual((again["runs"], again["points"]), (0, 0))

    def test_a_folder_that_wandb_wrote_offline(self):
        self.script(WANDB)
        taken = self.take(self.folder / "wandb")
        self.assertEqual((taken["source"]["label"], taken["runs"], taken["source"]["findings"]), ("W&B offline folder", 1, []))
        row = self.runs("churn-wb")["first"]
        self.assertEqual((row["params"], row["status"], row["tags"]["wandb.tags"]), ({"lr": "0.1", "opt.name": "adam"}, "FINISHED", "red"))
        self.assertEqual(self.history(row["id"], "loss"), [(step, 1 / (step + 1)) for step in range(300)])
        self.assertEqual([v for s, v in self.history(row["id"], "odd") if s == 3], ["NaN"])
        self.assertEqual(row["metrics"]["best"], "0.9")
        self.assertIn("hello from the script", self.file(row["id"], "output.log")["text"])
        source = self.place.call("run.source", {"run": row["id"]})
        self.assertEqual(source["python"], ".".join(map(str, sys.version_info[:3])))
        self.assertGreater(source["packages_count"], 20)
        again = self.take(self.folder / "wandb")
        self.assertEqual((again["runs"], again["points"], again["files"]), (0, 0, 0))

    def test_an_export_of_neptune(self):
        self.script(NEPTUNE)
        taken = self.take(self.folder / "exports")
        self.assertEqual((taken["source"]["label"], taken["runs"]), ("Neptune export", 1))
        self.assertEqual(taken["left_out"], {"files that are not in the export": 1}, "a path that leads out is not followed")
        row = self.runs("team/churn")["first"]
        self.assertEqual(row["params"], {"params/lr": "0.1", "params/depth": "3", "params/flip": "true"})
        self.assertEqual((row["tags"]["neptune.tags"], row["tags"]["neptune.step_multiplier"]), ("a, b", "10"))
        self.assertEqual(self.history(row["id"], "metrics/loss"), [(step * 5, 1 / (step + 1)) for step in range(60)])
        self.assertEqual(self.history(row["id"], "metrics/odd"), [(10, "NaN")])
        self.assertIn("<h3>Page</h3>", self.file(row["id"], "files/page.md")["html"])
        self.assertIn('"hello"', self.file(row["id"], "text/logs/out.jsonl")["text"])
        again = self.take(self.folder / "exports")
        self.assertEqual((again["runs"], again["points"], again["files"]), (0, 0, 0))

    def test_a_pipeline_of_dvc(self):
        (self.folder / "dvc.yaml").write_text(
            "stages:\n  train:\n    cmd: python train.py\n    deps: [data.csv, train.py]\n    params: [lr]\n    outs: [model.txt]\n    metrics:\n      - metrics.json:\n          cache: false\n"
        )
        (self.folder / "params.yaml").write_text("lr: 0.1\n")
        (self.folder / "data.csv").write_text("a,b\n1,2\n")
        (self.folder / "train.py").write_text('import json\nopen("model.txt", "w").write("w")\njson.dump({"acc": 0.9}, open("metrics.json", "w"))\n')
        env = {**os.environ, "DVC_NO_ANALYTICS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": "/dev/null"}
        for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "add", "-q", "data.csv"], ["dvc", "repro", "-q"]):
            done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
        taken = self.take(self.folder)
        self.assertEqual((taken["source"]["label"], taken["runs"], taken["source"]["findings"]), ("DVC pipeline", 1, []))
        row = self.runs("work")["train"]
        self.assertEqual((row["params"], row["metrics"], row["status"]), ({"lr": "0.1"}, {"acc": "0.9"}, "FINISHED"))
        detail = self.place.call("run.get", {"run": row["id"]})
        self.assertEqual(sorted(i["name"] for i in detail["inputs"]), ["data.csv", "train.py"])
        self.assertEqual(sorted(a["path"] for a in detail["artifacts"]), ["metrics.json", "model.txt"])
        self.assertIn("python train.py", self.place.call("run.source", {"run": row["id"]})["command"])
        self.assertEqual(self.take(self.folder)["runs"], 0)
        # The file that stands for the data becomes a version of a dataset, once its content is the one that it names.
        project = self.place.call("project.create", {"title": "Churn"})["id"]
        made = self.place.call("dataset.import_csv", {"project": project, "path": str(self.folder / "data.csv.dvc"), "name": "data"})
        self.assertEqual((made["versions"][0]["file"], made["versions"][0]["rows"]), ("data.csv", 1))

    def test_what_cairn_holds_opens_in_stock_mlflow(self):
        source = self.script(MLFLOW).strip()
        self.take(self.folder / "mlflow.db")
        out = self.folder / "out"
        done = json.loads(self.place.run("--workspace", str(self.place.workspace), "--json", "export", "--mlflow", str(out), "--experiment", "churn").stdout)
        self.assertEqual((done["runs"], done["left_out"]), (4, []))
        read = r"""
import json, math, os, sys
import mlflow
def runs(uri):
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("churn").experiment_id
    found = {}
    for run in client.search_runs([experiment]):
        history = {k: [(p.step, p.timestamp, "nan" if math.isnan(p.value) else p.value) for p in client.get_metric_history(run.info.run_id, k)] for k in run.data.metrics}
        tags = {k: v for k, v in run.data.tags.items() if not k.startswith("cairn.")}
        inputs = [(i.dataset.name, i.dataset.digest, [(t.key, t.value) for t in i.tags]) for i in run.inputs.dataset_inputs]
        files = sorted(f.path for f in client.list_artifacts(run.info.run_id, "notes"))
        found[run.info.run_id] = [run.info.run_name, run.info.status, run.info.start_time, run.info.end_time, run.data.params, tags, history, inputs, files]
    return found
print(json.dumps([runs(uri) for uri in sys.argv[1:]], sort_keys=True))
"""
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        self.addCleanup(os.environ.pop, "MLFLOW_ALLOW_FILE_STORE")
        moved = f"sqlite:///{self.folder}/moved.db"
        migrate = subprocess.run([str(Path(sys.executable).with_name("mlflow")), "migrate-filestore", "--source", str(out), "--target", moved], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(migrate.returncode, 0, migrate.stderr[-2000:])
        answer = json.loads(self.script(read, f"sqlite:///{self.folder}/mlflow.db", f"file://{out}", moved).strip().splitlines()[-1])
        self.assertIn(source, answer[0])
        for run, was in answer[0].items():
            # MLflow's own database keeps the largest number for an infinity; all else is equal.
            self.assertEqual(answer[1][run], was, run)
            self.assertEqual(answer[2][run], was, f"{run}, after MLflow's own migration")

    def test_an_import_is_taken_back_from_an_export(self):
        self.script(MLFLOW)
        self.take(self.folder / "mlflow.db")
        out = self.folder / "out"
        self.place.run("--workspace", str(self.place.workspace), "export", "--mlflow", str(out))
        self.place.run("--workspace", str(self.place.workspace), "share")
        again = self.take(out)
        self.assertEqual(again["source"]["findings"], [])
        self.assertEqual(self.place.call("sharing.status")["waiting"], 0, "what came out and goes in again changes nothing")

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
