#!/usr/bin/env bash
# Builds Cairn and opens it on the sample workspace; without a screen, on a virtual one with a screenshot.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash tests/tools/setup.sh desktop ui
(cd ui && npm run --silent build)
cargo build -p cairn-cli -p cairn-desktop

sample=target/sample
export CAIRN_HOME="$PWD/target/sample-home"
# The sample's keys lie in files that this passphrase encrypts, so that it needs no keyring.
export CAIRN_PASSPHRASE="the sample workspace"
if [ ! -f "$sample/cairn.db" ]; then
  rm -rf "$sample"
  target/debug/cairn demo "$sample"
fi

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  exec target/debug/cairn-desktop --workspace "$sample"
fi

bash tests/tools/setup.sh screen
shot="$PWD/target/cairn.png"
rm -f "$shot"
xvfb-run -a -s "-screen 0 1280x800x24" dbus-run-session -- bash -c '
  target/debug/cairn-desktop --workspace "'"$sample"'" >target/cairn-desktop.log 2>&1 &
  window=$!
  for _ in $(seq 1 120); do
    sleep 0.5
    import -silent -window root "'"$shot"'" 2>/dev/null || continue
    colours=$(identify -format %k "'"$shot"'" 2>/dev/null || echo 0)
    [ "$colours" -gt 400 ] && break
  done
  kill "$window" 2>/dev/null || true
  wait "$window" 2>/dev/null || true
'
# The loopback service outlives the window by design; this run is over, so it ends too.
if [ -f "$sample/serve.json" ]; then
  kill "$(python3 -c "import json; print(json.load(open('$sample/serve.json'))['pid'])")" 2>/dev/null || true
fi
[ -f "$shot" ] || { echo "The window did not open; see target/cairn-desktop.log" >&2; exit 1; }
echo "There is no screen here. This is what the window shows: $shot"
