"""Aim's own query for 320 points of one curve; runs in a Python environment of its own, as Aim needs older packages.

    .venv-aim/bin/python tests/peers/bench_aim.py FOLDER POINTS    prints milliseconds, p50 of nine
"""

import math
import random
import sys
import time

from aim import Repo, Run

folder, count = sys.argv[1], int(sys.argv[2])
run = Run(repo=Repo(folder, init=True), system_tracking_interval=None, log_system_params=False, capture_terminal_logs=False)
r = random.Random(7)
for i in range(count):
    run.track(1 + 5 / (1 + i / count * 50) + r.random() * 0.2, name="loss", step=i)
run.close()
# A query reads the index, which Aim's server makes beside; without one it is asked for.
Repo(folder)._recreate_index()

times = []
for _ in range(9):
    begun = time.perf_counter()
    values = []
    for found in Repo(folder).query_metrics("metric.name == 'loss'", report_mode=0).iter_runs():
        for metric in found.iter():
            values = metric.data.sample(320).numpy()[1][0]
    times.append((time.perf_counter() - begun) * 1e3)
    assert len(values) == 320 and all(math.isfinite(v) for v in values)
print(f"{sorted(times)[4]:.1f}")
