#!/usr/bin/env bash
# First figures, beside the peers, in one run: not a test, only numbers.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash tests/tools/setup.sh peers
cargo build --release -p cairn-cli
exec .venv/bin/python tests/peers/bench.py
