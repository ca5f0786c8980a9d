"""Thirty-two clients at once for two minutes: errors, lost points, and how long an answer takes at worst.

    make bench
"""

import json
import os
import statistics
import subprocess
import tempfile
import threading
import time

from bench_scale import CAIRN, Wire

CLIENTS = 32
SECONDS = float(os.environ.get("BENCH_SECONDS", "120"))


def client(url, number, until, times, written, errors):
    wire = Wire(url)
    try:
        run = wire.call("runs/create", {"experiment_id": "0", "run_name": f"client-{number}"})["run"]["info"]["run_id"]
        step = 0
        while time.perf_counter() < until:
            # As training scripts do it: a metric, a metric, then a batch.
            if step % 12 < 2:
                points = [{"key": "loss", "value": step * 0.5, "timestamp": step, "step": step}]
                path, body = "runs/log-metric", {"run_id": run, **points[0]}
            else:
                points = [{"key": f"m{k}", "value": k * 0.25, "timestamp": step, "step": step} for k in range(10)]
                path, body = "runs/log-batch", {"run_id": run, "metrics": points}
            begun = time.perf_counter()
            wire.call(path, body)
            times.append(time.perf_counter() - begun)
            for p in points:
                written[(run, p["key"])] = written.get((run, p["key"]), 0) + 1
            step += 1
            time.sleep(0.005)
    except BaseException as error:  # a client that fails is the finding
        errors.append(f"client {number}: {error!r}")


def main():
    with tempfile.TemporaryDirectory(prefix="cairn-clients-") as folder:
        env = {**os.environ, "CAIRN_HOME": f"{folder}/home", "CAIRN_PASSPHRASE": "the bench of Cairn", "CAIRN_SHARE_BY_HAND": "1"}
        subprocess.run([CAIRN, "init", f"{folder}/ws", "--name", "Bench"], env=env, check=True, stdout=subprocess.DEVNULL)
        process = subprocess.Popen([CAIRN, "--workspace", f"{folder}/ws", "--json", "serve", "--port", "0"], env=env, stdout=subprocess.PIPE, text=True)
        try:
            url = json.loads(process.stdout.readline())["url"]
            times, written, errors = [[] for _ in range(CLIENTS)], [{} for _ in range(CLIENTS)], []
            until = time.perf_counter() + SECONDS
            threads = [threading.Thread(target=client, args=(url, n, until, times[n], written[n], errors)) for n in range(CLIENTS)]
            [t.start() for t in threads]
            [t.join() for t in threads]
            wire = Wire(url)
            lost = 0
            for part in written:
                for (run, key), count in part.items():
                    answer = json.loads(wire.ask("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key={key}"))
                    lost += count - len(answer.get("metrics", []))
        finally:
            process.terminate()
            process.wait()
    every = sorted(t for part in times for t in part)
    p = lambda share: every[int(len(every) * share)] * 1e3
    print(f"{CLIENTS} clients for {SECONDS:.0f} s: {len(every)} calls, {len(errors)} errors, {lost} points lost; "
          f"p50 {statistics.median(every) * 1e3:.1f} ms, p99 {p(0.99):.1f} ms, worst {every[-1] * 1e3:.1f} ms")
    for error in errors[:5]:
        print(error)


if __name__ == "__main__":
    main()
