"""A workspace of 100,000 runs, and what searching, reading and writing costs there: raw HTTP, no client.

    make bench
"""

import http.client
import json
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CAIRN = ROOT / "target/release/cairn"
RUNS = int(os.environ.get("BENCH_RUNS", "100000"))


class Wire:
    """One kept connection."""

    def __init__(self, url):
        self.host = url.split("//")[1]
        self.http = http.client.HTTPConnection(self.host)

    def ask(self, method, path, body=None, token=None):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self.http.request(method, path, data, headers)
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {text[:300]}")
        return text

    def call(self, path, body):
        return json.loads(self.ask("POST", f"/api/2.0/mlflow/{path}", body))


def p50(times):
    return statistics.median(times) * 1e3


def timed(work, times=15):
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return p50(found), max(found) * 1e3


def many_runs(path):
    r = random.Random(1)
    with path.open("w") as out:
        for i in range(RUNS):
            run = f"{i:032x}"
            params = {f"p{k}": str(r.randint(0, 9)) for k in range(18)} | {"model": r.choice(["forest", "boost", "net", "line"]), "lr": str(r.choice([0.1, 0.01, 0.001]))}
            tags = {f"t{k}": r.choice("abcdefgh") for k in range(4)} | {"team": r.choice(["red", "blue", "green"])}
            metrics = {f"m{k}": r.random() for k in range(20)}
            line = {"run": run, "name": f"run-{i}", "experiment": "scale", "time": 1_700_000_000 + i, "step": 1, "params": params, "tags": tags, "metrics": metrics}
            out.write(json.dumps(line) + "\n" + json.dumps({"run": run, "time": 1_700_000_100 + i, "status": "finished"}) + "\n")


def folder_bytes(path):
    return sum(f.stat().st_size for f in Path(path).rglob("*") if f.is_file() and f.name.startswith("cairn.db"))


def main():
    with tempfile.TemporaryDirectory(prefix="cairn-scale-") as folder:
        env = {**os.environ, "CAIRN_HOME": f"{folder}/home", "CAIRN_PASSPHRASE": "the bench of Cairn", "CAIRN_SHARE_BY_HAND": "1"}
        run = lambda *args: subprocess.run([CAIRN, "--workspace", f"{folder}/ws", *args], env=env, check=True, capture_output=True, text=True).stdout
        subprocess.run([CAIRN, "init", f"{folder}/ws", "--name", "Bench"], env=env, check=True, stdout=subprocess.DEVNULL)
        many_runs(Path(folder) / "scale.jsonl")
        begun = time.perf_counter()
        run("import", f"{folder}/scale.jsonl")
        took = time.perf_counter() - begun
        print(f"{RUNS} runs with 20 parameters, 20 metrics and 5 tags from JSON lines: {took:.1f} s, {RUNS / took:.0f} runs/s; {folder_bytes(f'{folder}/ws') / RUNS:.0f} bytes a run")
        begun = time.perf_counter()
        process = subprocess.Popen([CAIRN, "--workspace", f"{folder}/ws", "--json", "serve", "--port", "0", "--pages", str(ROOT / "ui/dist")], env=env, stdout=subprocess.PIPE, text=True)
        said = json.loads(process.stdout.readline())
        wire = Wire(said["url"])
        wire.ask("GET", "/health")
        print(f"serve answers after {(time.perf_counter() - begun) * 1e3:.0f} ms")
        try:
            measure(wire, said, folder)
        finally:
            process.terminate()
            process.wait()


def measure(wire, said, folder):
    number = json.loads(wire.ask("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name=scale"))["experiment"]["experiment_id"]
    search = lambda **more: wire.call("runs/search", {"experiment_ids": [number], "max_results": 100, **more})
    begun = time.perf_counter()
    search()
    print(f"first search after the import: {(time.perf_counter() - begun) * 1e3:.0f} ms")
    cases = {
        "newest 100": {},
        "metric, parameter and tag, ordered by another metric": {"filter": "metrics.m1 > 0.5 AND params.model = 'net' AND tags.team = 'red'", "order_by": ["metrics.m2 DESC"]},
        "the same, narrower": {"filter": "metrics.m1 > 0.99 AND params.p3 = '7' AND tags.t1 LIKE 'a%'", "order_by": ["metrics.m2 DESC"]},
        "ordered by one metric": {"order_by": ["metrics.m7 DESC"]},
        "ordered by a parameter": {"order_by": ["params.lr"]},
        "parameter LIKE": {"filter": "params.model LIKE '%oo%'"},
    }
    for name, body in cases.items():
        found = len(search(**body).get("runs", []))
        middle, worst = timed(lambda: search(**body))
        print(f"search, {name}: p50 {middle:.1f} ms, worst {worst:.1f} ms ({found} runs)")
    table = lambda: wire.ask("POST", "/rpc/run.list", {"limit": 200}, said["token"])
    middle, worst = timed(table)
    print(f"the table's first 200 rows: p50 {middle:.1f} ms, worst {worst:.1f} ms")
    groups = lambda: wire.ask("POST", "/rpc/run.groups", {"by": "params.model", "metric": "m1"}, said["token"])
    middle, worst = timed(groups)
    print(f"all runs in groups by a parameter, with the mean of a metric: p50 {middle:.1f} ms, worst {worst:.1f} ms")
    complete = lambda: wire.ask("POST", "/rpc/run.complete", {"text": "tags.team = ", "cursor": 12}, said["token"])
    middle, worst = timed(complete)
    print(f"values of a tag while a filter is written: p50 {middle:.1f} ms, worst {worst:.1f} ms")
    print(subprocess.run(["node", "tests/e2e/bench_table.mjs", said["url"], said["token"]], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip())

    # One metric of 100,000 points, of 32-bit origin as frameworks log it.
    run = wire.call("runs/create", {"experiment_id": number, "run_name": "long"})["run"]["info"]["run_id"]
    r = random.Random(2)
    f32 = lambda v: struct.unpack("f", struct.pack("f", v))[0]
    points = [{"key": "loss", "value": f32(1 / (1 + i / 5_000) + r.gauss(0, 0.02)), "timestamp": 1_700_000_000_000 + i * 137 + r.randint(0, 9), "step": i} for i in range(100_000)]
    bodies = [json.dumps({"run_id": run, "metrics": points[i : i + 1000]}).encode() for i in range(0, len(points), 1000)]
    before = folder_bytes(f"{folder}/ws")
    begun = time.perf_counter()
    for body in bodies:
        wire.ask("POST", "/api/2.0/mlflow/runs/log-batch", body)
    took = time.perf_counter() - begun
    print(f"one metric, batches of 1,000, one connection: {len(points) / took:.0f} durable points/s")
    interval = f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids={run}&metric_key=loss&max_results=320"
    middle, worst = timed(lambda: wire.ask("GET", interval))
    print(f"320 of 100,000 points (MLflow's call): p50 {middle:.1f} ms, worst {worst:.1f} ms")
    middle, worst = timed(lambda: wire.ask("POST", "/rpc/run.stretches", {"run": run, "metric": "loss", "count": 320}, said["token"]))
    print(f"320 stretches of 100,000 points, with bounds: p50 {middle:.1f} ms, worst {worst:.1f} ms")
    wide = wire.call("runs/create", {"experiment_id": number, "run_name": "wide"})["run"]["info"]["run_id"]
    bodies = []
    for i in range(100):
        metrics = [{"key": f"k{k}", "value": f32(r.random()), "timestamp": 1_700_000_000_000 + i, "step": i * 20 + s} for k in range(50) for s in range(20)]
        bodies.append(json.dumps({"run_id": wide, "metrics": metrics}).encode())
    wires = [Wire(said["url"]) for _ in range(4)]
    begun = time.perf_counter()
    threads = [threading.Thread(target=lambda w=w, part=bodies[i::4]: [w.ask("POST", "/api/2.0/mlflow/runs/log-batch", b) for b in part]) for i, w in enumerate(wires)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    took = time.perf_counter() - begun
    print(f"50 metrics, 20 points of each a batch, four connections: {100_000 / took:.0f} durable points/s")
    wire.call("runs/update", {"run_id": run, "status": "FINISHED"})
    import sqlite3

    db = sqlite3.connect(f"file:{folder}/ws/cairn.db?mode=ro", uri=True)
    size, count = db.execute("SELECT sum(length(points) + length(outline) + 60), sum(count) FROM metric_chunk WHERE count > 1000").fetchone()
    print(f"on disk: {size / count:.2f} bytes a noisy point of 32-bit origin, with its time and outline")


if __name__ == "__main__":
    main()
