"""Clients of other ages and frameworks, and an object store that speaks S3."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from cairn import ROOT, Place, Service

OLD = r"""
import json, sys, tempfile
import mlflow
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("old client")
with mlflow.start_run(run_name="old") as run:
    mlflow.log_params({"C": 0.5, "solver": "lbfgs"})
    for step in range(30):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metric("odd", float("nan"))
    mlflow.log_text("hello", "notes/hello.txt")
    model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    info = mlflow.sklearn.log_model(model, "model", registered_model_name="old-churner")
client = mlflow.MlflowClient()
client.transition_model_version_stage("old-churner", "1", "Staging")
client.set_registered_model_alias("old-churner", "champion", "1")
back = mlflow.sklearn.load_model("models:/old-churner/Staging")
again = mlflow.sklearn.load_model("models:/old-churner@champion")
found = mlflow.search_runs(experiment_names=["old client"], filter_string="params.solver = 'lbfgs' and metrics.loss < 0.1")
folder = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="notes")
print(json.dumps({
    "version": mlflow.__version__, "run": run.info.run_id, "history": [[m.step, m.value] for m in client.get_metric_history(run.info.run_id, "loss")],
    "predicts": [int(x) for x in back.predict([[0.0], [3.0]])] + [int(x) for x in again.predict([[0.0], [3.0]])],
    "found": list(found["run_id"]), "loss": float(found["metrics.loss"][0]), "odd": str(found["metrics.odd"][0]), "text": open(folder + "/hello.txt").read(),
    "stage": client.get_model_version("old-churner", "1").current_stage}))
"""

LIGHTGBM = r"""
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy
import mlflow, lightgbm
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("boosted")
mlflow.lightgbm.autolog()
rng = numpy.random.default_rng(7)
x = rng.normal(size=(200, 4)); y = (x[:, 0] > 0).astype(int)
with mlflow.start_run() as run:
    train = lightgbm.Dataset(x, y)
    lightgbm.train({"objective": "binary", "verbose": -1, "num_leaves": 7, "seed": 7, "num_threads": 1}, train, 12, valid_sets=[train], valid_names=["train"])
client = mlflow.MlflowClient()
got = client.get_run(run.info.run_id)
print(json.dumps({"params": got.data.params, "steps": len(client.get_metric_history(run.info.run_id, "train-binary_logloss")),
    "files": sorted(f.path for f in client.list_artifacts(run.info.run_id)), "models": len(got.outputs.model_outputs)}))
"""


SYSTEM = r"""
import json, sys, time
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("system")
mlflow.set_system_metrics_sampling_interval(1)
mlflow.set_system_metrics_samples_before_logging(1)
client = mlflow.MlflowClient()
with mlflow.start_run(log_system_metrics=True) as run:
    for _ in range(200):
        keys = client.get_run(run.info.run_id).data.metrics
        if "system/cpu_utilization_percentage" in keys:
            break
        time.sleep(0.1)
print(json.dumps(sorted(client.get_run(run.info.run_id).data.metrics)))
"""


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.service = Service(cls.place)

    @classmethod
    def tearDownClass(cls):
        cls.service.kill()
        cls.place.close()

    def script(self, python, text):
        done = subprocess.run([python, "-c", text, self.service.url], env=self.place.env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return json.loads(done.stdout.strip().splitlines()[-1])

    def test_a_client_of_the_line_before_loses_nothing(self):
        said = self.script(ROOT / ".venv-old/bin/python", OLD)
        self.assertTrue(said["version"].startswith("2."))
        self.assertEqual(said["history"], [[step, 1 / (step + 1)] for step in range(30)])
        self.assertEqual((said["predicts"], said["stage"], said["text"]), ([0, 1, 0, 1], "Staging", "hello"))
        self.assertEqual((said["found"], said["loss"], said["odd"]), ([said["run"]], 1 / 30, "nan"))

    def test_system_metrics_are_sampled_beside_the_script(self):
        said = self.script(sys.executable, SYSTEM)
        for key in ("system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"):
            self.assertIn(key, said)

    def test_autologging_of_lightgbm_keeps_its_content(self):
        said = self.script(sys.executable, LIGHTGBM)
        # autolog swallows errors, so its content is what tells.
        self.assertEqual((said["params"]["num_leaves"], said["steps"], said["models"]), ("7", 12, 1))
        self.assertIn("feature_importance_gain.png", said["files"])


class ObjectStore(unittest.TestCase):
    def test_large_files_travel_through_s3_and_are_referred_to_there(self):
        import boto3
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        self.addCleanup(server.stop)
        port = server._server.server_port
        login = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
        s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id="test", aws_secret_access_key="secret", region_name="us-east-1")
        s3.create_bucket(Bucket="team")
        s3.put_object(Bucket="team", Key="data/train.csv", Body=b"a,b\n1,2\n")
        place = Place()
        self.addCleanup(place.close)
        address = f"s3://team/cairn?endpoint=http://127.0.0.1:{port}"
        place.call("setting.change", {"setting": "object_store", "value": address})
        without = place.call("setting.try_store")
        self.assertFalse(without["answers"])
        self.assertIn("Sign in", without["hint"])
        place.env.update(login)
        self.assertTrue(place.call("setting.try_store")["answers"])
        big = place.dir / "weights.bin"
        big.write_bytes(os.urandom(40_000_000))
        run = place.run("--workspace", str(place.workspace), "log", "--experiment", "large", "--file", str(big), "--reference", f"data/train.csv=s3://team/data/train.csv?endpoint=http://127.0.0.1:{port}").stdout.strip()
        shared = json.loads(place.run("--workspace", str(place.workspace), "--json", "share").stdout)
        self.assertGreaterEqual(shared["files"], 1)
        row = next(a for a in place.call("run.get", {"run": run})["artifacts"] if a["path"] == "weights.bin")
        there = s3.get_object(Bucket="team", Key=f"cairn/{row['digest'][:2]}/{row['digest'][2:]}")["Body"].read()
        self.assertEqual(there, big.read_bytes())
        # The file is lost here; it comes back from the store when somebody wants it.
        (place.workspace / "objects" / row["digest"][:2] / row["digest"][2:]).unlink()
        out = place.dir / "back.bin"
        place.run("--workspace", str(place.workspace), "file", row["digest"], "--out", str(out))
        self.assertEqual(out.read_bytes(), big.read_bytes())
        self.assertEqual(json.loads(place.run("--workspace", str(place.workspace), "--json", "share").stdout)["files"], 0, "nothing is sent twice")
        view = lambda fetch=True: place.call("file.view", {"owner": {"kind": "run", "id": run}, "path": "data/train.csv", "fetch": fetch})["view"]
        self.assertEqual((view(False)["kind"], view(False)["can_fetch"]), ("elsewhere", True), "nothing is asked of a stranger without a click")
        self.assertEqual(view()["rows"], [["1", "2"]])
        s3.put_object(Bucket="team", Key="data/train.csv", Body=b"a,b\n1,3\n")
        self.assertIn("another version", view()["why"])


if __name__ == "__main__":
    unittest.main()
