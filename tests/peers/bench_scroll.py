"""A page of two hundred charts: how it scrolls in Chromium, and in the real window where a debug build of it is there.

    make bench
"""

import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench_charts import serve
from bench_scale import CAIRN, ROOT, Wire

METRICS = 200
POINTS = 1_000
RUNS = 3


def main():
    with tempfile.TemporaryDirectory(prefix="cairn-scroll-") as folder:
        env = {**os.environ, "CAIRN_HOME": f"{folder}/home", "CAIRN_PASSPHRASE": "the bench of Cairn", "CAIRN_SHARE_BY_HAND": "1"}
        subprocess.run([CAIRN, "init", f"{folder}/ws", "--name", "Bench"], env=env, check=True, stdout=subprocess.DEVNULL)
        process, told = serve(env, folder)
        r = random.Random(1)
        try:
            wire = Wire(told["url"])
            for n in range(RUNS):
                run = wire.call("runs/create", {"experiment_id": "0", "run_name": f"run-{n}"})["run"]["info"]["run_id"]
                for m in range(METRICS):
                    key = f"part{m // 50}/m{m}"
                    points = [{"key": key, "value": 1 / (1 + i / 50) + r.random() * 0.1, "timestamp": i, "step": i} for i in range(POINTS)]
                    wire.call("runs/log-batch", {"run_id": run, "metrics": points})
                wire.call("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 2_000})
            show = lambda *args: print(subprocess.run(args, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout.strip())
            show("node", "tests/e2e/bench_charts.mjs", "browser", told["url"], told["token"])
        finally:
            process.terminate()
            process.wait()
        if (ROOT / "target/release/cairn-desktop").exists() and shutil.which("xvfb-run"):
            window = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", "node", "tests/e2e/bench_charts.mjs", "window", "--workspace", f"{folder}/ws"]
            env["CAIRN_DESKTOP"] = str(ROOT / "target/release/cairn-desktop")
            done = subprocess.run(window, cwd=ROOT, env=env, capture_output=True, text=True)
            print(done.stdout.strip() or done.stderr[-400:])
            left = Path(folder) / "ws/serve.json"
            if left.exists():
                import json

                os.kill(json.loads(left.read_text())["pid"], 15)


if __name__ == "__main__":
    main()
