#!/usr/bin/env bash
# Every check there is. Says how long each took, and stops at the first that fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CARGO_TERM_COLOR=never
began=$SECONDS
step() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@"
  echo "== $name: $((SECONDS - start)) s"
}

step "set-up" bash tests/tools/setup.sh desktop servers ui e2e peers deny
step "format" cargo fmt --all --check
step "pages: lint and types" bash -c 'cd ui && npm run --silent check'
step "pages: unit tests" bash -c 'cd ui && npm run --silent test'
step "pages: build" bash -c 'cd ui && npm run --silent build'
step "clippy" cargo clippy --quiet --workspace --all-targets -- -D warnings
step "licences and sources" cargo deny --offline --log-level error check licenses bans sources
step "unit, property and suite tests" cargo test --quiet --workspace --exclude cairn-desktop
step "authority: every small history" cargo test --quiet -p cairn-core --lib -- --ignored exhaustive
step "build" cargo build --quiet -p cairn-cli -p cairn-desktop
step "peers: the real MLflow client, stock tools" .venv/bin/python -m unittest discover -s tests/peers -v
step "browser journeys" node --test tests/e2e/browser.test.mjs tests/e2e/charts.test.mjs tests/e2e/guide.test.mjs tests/e2e/hands.test.mjs tests/e2e/decisions.test.mjs
step "window journeys" bash tests/tools/window.sh
echo "All checks passed in $((SECONDS - began)) s."
