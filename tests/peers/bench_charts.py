"""What drawing costs: a metric of ten million points, a hundred runs at once, and the queries of MLflow and Aim for the same curve.

    make bench
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

from bench import free_port, wait
from bench_scale import CAIRN, ROOT, Wire, p50

POINTS = int(os.environ.get("BENCH_POINTS", "10000000"))
RUNS = 100
EACH = 10_000
BESIDE = 100_000


def log(wire, run, key, count, seed):
    """A noisy falling curve, a thousand points a call."""
    r = random.Random(seed)
    for start in range(0, count, 1000):
        body = ",".join(
            f'{{"key":"{key}","value":{1 + 5 / (1 + i / count * 50) + r.random() * 0.2:.6f},"timestamp":{1_700_000_000_000 + i * 250},"step":{i}}}'
            for i in range(start, min(start + 1000, count))
        )
        wire.ask("POST", "/api/2.0/mlflow/runs/log-batch", f'{{"run_id":"{run}","metrics":[{body}]}}'.encode())


def serve(env, folder):
    process = subprocess.Popen(
        [CAIRN, "--workspace", f"{folder}/ws", "--json", "serve", "--port", "0", "--pages", str(ROOT / "ui/dist")], env=env, stdout=subprocess.PIPE, text=True
    )
    told = json.loads(process.stdout.readline())
    wait(told["url"])
    return process, told


def main():
    with tempfile.TemporaryDirectory(prefix="cairn-charts-") as folder:
        env = {**os.environ, "CAIRN_HOME": f"{folder}/home", "CAIRN_PASSPHRASE": "the bench of Cairn", "CAIRN_SHARE_BY_HAND": "1"}
        subprocess.run([CAIRN, "init", f"{folder}/ws", "--name", "Bench"], env=env, check=True, stdout=subprocess.DEVNULL)
        process, told = serve(env, folder)
        wire = Wire(told["url"])
        create = lambda name: wire.call("runs/create", {"experiment_id": "0", "run_name": name})["run"]["info"]["run_id"]
        long = create("long")
        begun = time.perf_counter()
        log(wire, long, "loss", POINTS, 1)
        print(f"{POINTS:,} points logged in {time.perf_counter() - begun:.0f} s")
        many = [create(f"run-{i}") for i in range(RUNS)]
        for i, run in enumerate(many):
            log(wire, run, "loss", EACH, i)
        beside = create("beside")
        log(wire, beside, "loss", BESIDE, 7)
        for run in [long, *many, beside]:
            wire.call("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_800_000_000_000})
        process.terminate()
        process.wait()

        # Cold: another process, which has looked at nothing yet.
        process, told = serve(env, folder)
        wire = Wire(told["url"])

        def draw(runs, view=None, **spec):
            request = {"spec": {"metrics": ["loss"], **spec}, "of": {"runs": runs}, "width": 600, "height": 300, "view": view}
            begun = time.perf_counter()
            text = wire.ask("POST", "/rpc/chart.draw", request, told["token"])
            return (time.perf_counter() - begun) * 1e3, json.loads(text)

        wire.ask("POST", "/rpc/app.status", {}, told["token"])
        cold, chart = draw([long])
        print(f"first drawing of {POINTS:,} points, cold      {cold:8.1f} ms   ({len(chart['svg']):,} bytes)")
        warm = [draw([long])[0] for _ in range(9)]
        print(f"again                                         {p50([w / 1e3 for w in warm]):8.1f} ms")
        r = random.Random(3)
        worst, all_zooms = (0, None), []
        for part in (0.5, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0001, 0.00001):
            times = []
            for _ in range(7):
                start = r.uniform(0, 1 - part) * POINTS
                times.append(draw([long], [start, start + part * POINTS])[0])
            middle = p50([t / 1e3 for t in times])
            all_zooms += times
            worst = max(worst, (middle, part))
        print(f"a zoom of it, p50 of all                      {p50([t / 1e3 for t in all_zooms]):8.1f} ms")
        print(f"the slowest of {len(all_zooms)} zooms                       {max(all_zooms):8.1f} ms")
        print(f"the dearest kind of zoom ({worst[1]:g} of it), p50      {worst[0]:8.1f} ms")
        smooth = [draw([long], smoothing="exponential", amount=0.99)[0] for _ in range(5)]
        print(f"smoothed                                      {p50([t / 1e3 for t in smooth]):8.1f} ms")
        by_time = [draw([long], x="time")[0] for _ in range(5)]
        print(f"over time                                     {p50([t / 1e3 for t in by_time]):8.1f} ms")
        first, chart = draw(many)
        times = [draw(many)[0] for _ in range(9)]
        print(f"{RUNS} runs of {EACH:,} points, first                {first:8.1f} ms   ({len(chart['svg']):,} bytes)")
        print(f"{RUNS} runs of {EACH:,} points, p50                  {p50([t / 1e3 for t in times]):8.1f} ms")
        ours = [draw([beside])[0] for _ in range(9)]
        process.terminate()
        process.wait()

        port = free_port()
        peer = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait(f"http://127.0.0.1:{port}")
            wire = Wire(f"http://127.0.0.1:{port}")
            run = wire.call("runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
            log(wire, run, "loss", BESIDE, 7)
            query = urllib.parse.urlencode({"run_ids": run, "metric_key": "loss", "max_results": 320})
            theirs = []
            for _ in range(5):
                begun = time.perf_counter()
                wire.ask("GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}")
                theirs.append(time.perf_counter() - begun)
        finally:
            os.killpg(peer.pid, 15)
            peer.wait()
        a, b = p50([t / 1e3 for t in ours]), p50(theirs)
        aim = ROOT / ".venv-aim/bin/python"
        if aim.exists():
            asked = [aim, ROOT / "tests/peers/bench_aim.py", f"{folder}/aim", str(BESIDE)]
            os.mkdir(f"{folder}/aim")
            c = float(subprocess.run(asked, cwd=folder, check=True, capture_output=True, text=True).stdout)
            print(f"{BESIDE:,} points: Aim's query for 320 of them, before anything is drawn, {c:.1f} ms: {c / a:.1f} times as long as Cairn draws")
        print(f"{BESIDE:,} points: Cairn draws in {a:.1f} ms; MLflow's query for 320 of them, before anything is drawn, {b:.1f} ms: {b / a:.1f} times as long")


if __name__ == "__main__":
    main()
