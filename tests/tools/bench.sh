#!/usr/bin/env bash
# First figures, beside the peers, in one run: not a test, only numbers.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash tests/tools/setup.sh desktop peers ui e2e
# Aim has no wheels for every Python; without it the others are measured.
bash tests/tools/setup.sh aim || echo "bench: without Aim"
(cd ui && npm run --silent build)
cargo build --release -p cairn-cli
.venv/bin/python tests/peers/bench.py
# A hundred thousand runs: searching, reading, writing; then thirty-two clients for two minutes.
.venv/bin/python tests/peers/bench_scale.py
.venv/bin/python tests/peers/bench_clients.py
# Runs of other tools, beside MLflow's own migration; a TensorBoard file of a gigabyte.
.venv/bin/python tests/peers/bench_import.py
# Drawing: ten million points, a hundred runs, MLflow's and Aim's own queries for the same curve.
.venv/bin/python tests/peers/bench_charts.py
# Two hundred charts on one page, scrolled in a browser and in the window.
cargo build --release --quiet -p cairn-desktop
.venv/bin/python tests/peers/bench_scroll.py
# Five hundred projects: the first page, the page of all, searching. The log: sharing beside bare git, sizes, a cold start of a million operations, growth, 150 computers.
cargo bench --quiet -p cairn-tests --bench log
# Ten thousand schedules of the simulator, instead of the three hundred of the tests.
CAIRN_SCHEDULES=10000 cargo test --release --quiet -p cairn-tests --test suite invariants
