"""What the unchanged MLflow client costs against Cairn, a server that does nothing (the client's own
floor), and `mlflow server` on SQLite: the same calls, the same machine, one run.

    make bench
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[2]
CAIRN = ROOT / "target/release/cairn"
# Long enough that one hiccup of the machine does not decide.
RUNS = 200

CLIENT = r"""
import json, statistics, sys, time
import mlflow
from mlflow.entities import Metric
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("bench")
client = mlflow.MlflowClient()
out = {}
with mlflow.start_run() as run:
    for i in range(20):
        mlflow.log_metric("warm", i, step=i)
    times = []
    for i in range(int(sys.argv[2])):
        t = time.perf_counter(); mlflow.log_metric("loss", i * 0.5, step=i); times.append(time.perf_counter() - t)
    out["log_metric_p50_ms"] = statistics.median(times) * 1e3
    out["log_metric_p95_ms"] = sorted(times)[int(len(times) * 0.95)] * 1e3
    t = time.perf_counter(); n = int(sys.argv[3])
    for b in range(n):
        client.log_batch(run.info.run_id, metrics=[Metric("m", float(i), 1000 + i, b * 1000 + i) for i in range(1000)])
    out["log_batch_points_per_s"] = n * 1000 / (time.perf_counter() - t)
t = time.perf_counter(); n = int(sys.argv[4])
for i in range(n):
    with mlflow.start_run():
        mlflow.log_params({"a": i, "b": 2}); mlflow.log_metric("x", i)
out["runs_per_s"] = n / (time.perf_counter() - t)
print(json.dumps(out))
"""


class Nothing(BaseHTTPRequestHandler):
    """Answers at once and stores nothing: what is left is the client's own cost."""

    protocol_version = "HTTP/1.1"
    # Header and body in one packet, at once; else the kernel waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    RUN = {"info": {"run_id": "0" * 32, "run_uuid": "0" * 32, "experiment_id": "1", "status": "RUNNING", "start_time": 1, "lifecycle_stage": "active",
                    "artifact_uri": "mlflow-artifacts:/1/0/artifacts"}, "data": {}}
    BODY = {"experiments": {"experiment": {"experiment_id": "1", "name": "bench", "lifecycle_stage": "active", "artifact_location": "x"}},
            "runs/create": {"run": RUN}, "runs/get": {"run": RUN}, "runs/update": {"run_info": RUN["info"]}}

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps(next((v for k, v in self.BODY.items() if k in self.path), {})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(url):
    for _ in range(600):
        try:
            urllib.request.urlopen(url + "/health").close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def measure(url, metrics, batches, runs):
    done = subprocess.run([sys.executable, "-c", CLIENT, url, str(metrics), str(batches), str(runs)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    results = {}
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as folder:
        env = {**os.environ, "CAIRN_HOME": f"{folder}/home", "CAIRN_PASSPHRASE": "the bench of Cairn"}
        server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
        Thread(target=server.serve_forever, daemon=True).start()
        results["floor"] = measure(f"http://127.0.0.1:{server.server_port}", 300, 20, RUNS)
        server.shutdown()

        subprocess.run([CAIRN, "init", f"{folder}/ws", "--name", "Bench"], env=env, check=True, stdout=subprocess.DEVNULL)
        begun = time.perf_counter()
        process = subprocess.Popen([CAIRN, "--workspace", f"{folder}/ws", "--json", "serve", "--port", "0"], env=env, stdout=subprocess.PIPE, text=True)
        url = json.loads(process.stdout.readline())["url"]
        wait(url)
        start_ms = (time.perf_counter() - begun) * 1e3
        results["cairn"] = measure(url, 300, 20, RUNS)
        process.terminate()
        process.wait()

        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
             "--artifacts-destination", f"{folder}/artifacts"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait(f"http://127.0.0.1:{port}")
            results["mlflow"] = measure(f"http://127.0.0.1:{port}", 100, 5, 15)
        finally:
            os.killpg(process.pid, 15)
            process.wait()
    print(f"cairn serve: first answer after {start_ms:.0f} ms\n")
    print(f"{'':28}{'floor':>12}{'Cairn':>12}{'MLflow':>12}{'Cairn/MLflow':>15}")
    for key in ("log_metric_p50_ms", "log_metric_p95_ms", "log_batch_points_per_s", "runs_per_s"):
        floor, cairn, mlflow = (results[k][key] for k in ("floor", "cairn", "mlflow"))
        print(f"{key:28}{floor:12.1f}{cairn:12.1f}{mlflow:12.1f}{cairn / mlflow:14.2f}x")


if __name__ == "__main__":
    main()
