"""The real MLflow client against the running program."""

import json
import math
import sqlite3
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cairn import ROOT, Place, Service


def post(url, name, body, raw=None, headers=None):
    data = raw if raw is not None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/2.0/mlflow/{name}", data=data, headers=headers or {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}")


class RealClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.service = Service(cls.place)

    @classmethod
    def tearDownClass(cls):
        cls.service.kill()
        cls.place.close()

    def test_an_unchanged_script_reads_back_what_it_logged(self):
        script = Path(__file__).with_name("train_script.py")
        done = subprocess.run([sys.executable, script, self.service.url], env=self.place.env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        client = json.loads(done.stdout.strip().splitlines()[-1])
        self.assertEqual(client["params"], {"C": "0.5", "solver": "lbfgs", "max_iter": "200"})
        self.assertEqual(client["tags"], {"team": "red", "stage": "try", "note": "a tag"})
        self.assertEqual(client["history"], [[step, 1.0 / (step + 1)] for step in range(50)])
        self.assertEqual(client["metrics"]["odd"], "nan", "NaN survives")
        self.assertEqual(client["found"], ["by-hand"])
        self.assertEqual(client["artifacts"], ["classes.json", "notes", "plots"])
        self.assertEqual(client["classes"], {"classes": [0, 1, 2]})
        self.assertEqual(client["inputs"], ["iris-train"])
        self.assertTrue(client["reloaded"], "the model comes back and predicts the same")
        # autolog swallows errors, so its content is what tells.
        self.assertGreaterEqual(client["auto_params"], 10)
        self.assertIn("training_accuracy_score", client["auto_metrics"])
        self.assertEqual(client["auto_model"], 2)

        rows = json.loads(self.place.run("--workspace", str(self.place.workspace), "runs", "--json").stdout)
        row = next(r for r in rows if r["id"] == client["run_id"])
        self.assertEqual(float(row["metrics"]["accuracy"]), float(client["metrics"]["accuracy"]))
        self.assertEqual(row["params"], client["params"])
        self.assertEqual(row["status"], "FINISHED")
        out = self.place.dir / "loss.svg"
        self.place.run("--workspace", str(self.place.workspace), "chart", "--metric", "loss", "--run", row["id"], "--out", str(out))
        self.assertIn("<title>loss of run by-hand</title>", out.read_text())

    def test_a_request_that_breaks_the_protocol_gets_mlflow_s_own_error(self):
        url = self.service.url
        code = lambda answer: (answer[0], answer[1].get("error_code"))
        self.assertEqual(code(post(url, "runs/log-metric", None, raw=b"{not json")), (400, "INVALID_PARAMETER_VALUE"))
        self.assertEqual(code(post(url, "runs/log-metric", None, raw=b"a=1", headers={"Content-Type": "text/plain"})), (400, "BAD_REQUEST"))
        self.assertEqual(code(post(url, "runs/set-tag", {"run_id": "0" * 32, "key": "a", "value": "b"})), (404, "RESOURCE_DOES_NOT_EXIST"))
        self.assertEqual(code(post(url, "experiments/create", {"name": "tumour-screening"})), (400, "RESOURCE_ALREADY_EXISTS"))
        self.assertEqual(code(post(url, "runs/search", {"experiment_ids": ["0"], "filter": "metrics.a >"})), (400, "INVALID_PARAMETER_VALUE"))
        self.assertEqual(code(post(url, "traces/search", {})), (404, "ENDPOINT_NOT_FOUND"))
        status, answer = post(url, "runs/create", {"experiment_id": "0"})
        run = answer["run"]["info"]["run_id"]
        self.assertEqual(status, 200)
        bare_nan = f'{{"run_id": "{run}", "key": "m", "value": NaN, "timestamp": 1}}'.encode()
        self.assertEqual(post(url, "runs/log-metric", None, raw=bare_nan)[0], 400, "never a silent zero")
        for path in ("../../etc/passwd", "..%2f..%2fetc/passwd", "/etc/passwd"):
            request = urllib.request.Request(f"{url}/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{path}", data=b"x", method="PUT")
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            refused.exception.close()
            self.assertIn(refused.exception.code, (400, 404), path)

    def test_a_page_from_elsewhere_may_not_log(self):
        for headers in ({"Origin": "http://evil.example", "Content-Type": "application/json"}, {"Host": "evil.example", "Content-Type": "application/json"}):
            request = urllib.request.Request(f"{self.service.url}/api/2.0/mlflow/runs/create", data=b"{}", headers=headers)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            refused.exception.close()
            self.assertEqual(refused.exception.code, 403)

    def test_the_recorded_filters_get_the_verdicts_of_a_real_server(self):
        recorded = json.loads(Path(__file__).with_name("filters.json").read_text())
        url = self.service.url
        number = post(url, "experiments/create", {"name": "filters"})[1]["experiment_id"]
        ids = {}
        # The four runs that the recording was made with (see the verdicts themselves).
        t0 = 1_700_000_000_000
        runs = {
            "alpha": dict(start=t0, params={"lr": "0.1", "model": "CNN", "my param": "x", "a.b": "q"}, tags={"team": "Red", "k-1": "v"},
                          metrics={"acc": 0.9, "m/x": 1, "my metric": 3}),
            "beta": dict(start=t0 + 1, user="u1", params={"lr": "0.01", "model": "cnn"}, tags={"team": "red"}, metrics={"acc": 0.8}),
            "gamma": dict(start=t0 + 2, params={"model": "rnn"}, tags={}, metrics={"acc": "NaN"}),
            "delta": dict(start=t0 + 3, params={"lr": "0.5"}, tags={"team": "blue", "quote": "it's"}, metrics={}, status="FAILED", end=t0 + 9),
        }
        for name, r in runs.items():
            made = post(url, "runs/create", {"experiment_id": number, "run_name": name, "user_id": r.get("user", "u0"), "start_time": r["start"]})
            ids[name] = made[1]["run"]["info"]["run_id"]
            pairs = lambda d: [{"key": k, "value": v} for k, v in d.items()]
            metrics = [{"key": k, "value": v, "timestamp": 1, "step": 0} for k, v in r["metrics"].items()]
            post(url, "runs/log-batch", {"run_id": ids[name], "params": pairs(r["params"]), "tags": pairs(r["tags"]), "metrics": metrics})
            if "status" in r:
                post(url, "runs/update", {"run_id": ids[name], "status": r["status"], "end_time": r["end"]})
        post(url, "runs/log-inputs", {"run_id": ids["alpha"], "datasets": [
            {"tags": [{"key": "mlflow.data.context", "value": "train"}], "dataset": {"name": "ds1", "digest": "d1", "source_type": "local", "source": "x"}}]})
        differ = []
        for case in (c for c in recorded if c.get("filter") is not None):
            status, answer = post(url, "runs/search", {"experiment_ids": [number], "filter": case["filter"]})
            found = sorted(r["info"]["run_name"] for r in answer.get("runs", [])) if status == 200 else None
            if (status, found) != (case["status"], sorted(case["runs"]) if case["runs"] is not None else None):
                differ.append((case["filter"], case["status"], case["runs"], status, found))
        for case in (c for c in recorded if "order_by" in c and c["order_by"] != ["run_id"]):  # ids are random
            status, answer = post(url, "runs/search", {"experiment_ids": [number], "order_by": case["order_by"] or []})
            found = [r["info"]["run_name"] for r in answer.get("runs", [])] if status == 200 else None
            if (status, found) != (case["status"], case["runs"]):
                differ.append((case["order_by"], case["status"], case["runs"], status, found))
        self.assertEqual(differ, [])


class KilledWhileLogging(unittest.TestCase):
    def test_no_acknowledged_point_is_lost(self):
        place = Place()
        service = Service(place)
        run = post(service.url, "runs/create", {"experiment_id": "0", "run_name": "killed"})[1]["run"]["info"]["run_id"]
        acknowledged, stop = [], threading.Event()

        def log():
            step = 0
            while not stop.is_set():
                try:
                    status, _ = post(service.url, "runs/log-metric", {"run_id": run, "key": "loss", "value": math.sqrt(step), "timestamp": step, "step": step})
                except OSError:
                    return
                if status == 200:
                    acknowledged.append(step)
                step += 1

        writer = threading.Thread(target=log)
        writer.start()
        while len(acknowledged) < 100:
            pass
        service.kill()  # SIGKILL, in the middle of it
        stop.set()
        writer.join()
        again = Service(place)
        request = urllib.request.urlopen(f"{again.url}/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=loss")
        with request:
            history = {m["step"]: m["value"] for m in json.load(request)["metrics"]}
        again.kill()
        place.close()
        self.assertGreaterEqual(len(acknowledged), 100)
        lost = [step for step in acknowledged if history.get(step) != math.sqrt(step)]
        self.assertEqual(lost, [], "every acknowledged point is there, to the last bit")


class StockTools(unittest.TestCase):
    def test_the_exported_bundle_of_the_sample_verifies_by_its_own_page(self):
        place = Place()
        out = place.dir / "audit"
        place.run("--workspace", str(place.workspace), "audit", "export", "--out", str(out))
        page = (out / "VERIFY.md").read_text()
        script = "".join(block.split("```")[0] for block in page.split("```sh\n")[1:])
        done = subprocess.run(["bash", "-e", "-c", script], cwd=out, capture_output=True, text=True)
        place.close()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("GOOD: the sign-offs", done.stdout)

    def test_bad_input_on_the_command_line_is_a_sentence_with_a_hint(self):
        place = Place()
        ws = ("--workspace", str(place.workspace))
        text = place.dir / "letter.csv"
        text.write_text("a,b\n1,2\n3\n")
        cases = [
            (("--workspace", str(place.dir / "nowhere"), "status"), "there is no Cairn workspace"),
            ((*ws, "gate", "--release", "nothing"), "does not exist"),
            ((*ws, "import", str(text), "--project", "Find tumours earlier", "--name", "x"), "letter.csv, line 3: 1 fields where the header has 2"),
            ((*ws, "chart", "--metric", "nope", "--out", str(place.dir / "x.svg")), "No run has a metric called"),
            ((*ws, "call", "no.such"), "There is no command"),
            (("demo", str(place.workspace)), "is not empty"),
        ]
        for args, words in cases:
            done = place.run(*args, check=False)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn(words.lower(), done.stderr.lower())
            self.assertIn("Hint:", done.stderr, args)
            self.assertNotIn("panicked", done.stderr)
        service = Service(place)
        port = service.url.rsplit(":", 1)[1]
        busy = place.run(*ws, "serve", "--port", port, check=False)
        service.kill()
        self.assertEqual(busy.returncode, 2)
        self.assertIn("--port", busy.stderr)
        place.close()

    def test_a_remote_that_asks_for_a_password_is_a_sentence_not_a_hang(self):
        class Guarded(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="team"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = Place()
        place.call("sharing.set_remote", {"address": f"http://127.0.0.1:{server.server_port}/team.git"})
        done = place.run("--workspace", str(place.workspace), "share", check=False)
        server.shutdown()
        server.server_close()
        self.assertEqual(done.returncode, 2)
        self.assertIn("asks for a sign-in", done.stderr)
        self.assertIn("Hint:", done.stderr)
        self.assertEqual(place.call("sharing.status")["last_error"]["code"], "credentials")
        place.close()

    def test_a_file_of_a_newer_program_is_left_alone(self):
        place = Place()
        file = sqlite3.connect(place.workspace / "cairn.db")
        file.execute("PRAGMA user_version = 99")
        file.commit()
        file.close()
        done = place.run("--workspace", str(place.workspace), "status", check=False)
        place.close()
        self.assertEqual(done.returncode, 2)
        self.assertIn("newer Cairn", done.stderr)
        self.assertIn("Nothing was changed", done.stderr)

    def test_without_a_keyring_nothing_is_made_silently(self):
        place = Place()
        env = {k: v for k, v in place.env.items() if k not in ("CAIRN_PASSPHRASE", "DBUS_SESSION_BUS_ADDRESS")}
        env["XDG_RUNTIME_DIR"] = str(place.dir / "none")
        target = place.dir / "new"
        done = subprocess.run([ROOT / "target/debug/cairn", "init", target, "--name", "X"], env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("keyring", done.stderr)
        self.assertIn("passphrase", done.stderr)
        self.assertFalse(target.exists(), "no key in plain text, and no half-made workspace")
        place.close()


if __name__ == "__main__":
    unittest.main()
