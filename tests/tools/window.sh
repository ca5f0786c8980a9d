#!/usr/bin/env bash
# The real window, on a virtual screen, with a real keyring of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export CAIRN_SHARE_BY_HAND=1 HOME="$home" XDG_RUNTIME_DIR="$home/run" XDG_DATA_HOME="$home/data" CAIRN_HOME="$home/cairn"
mkdir -p -m 700 "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME"
git config --global init.defaultBranch main
xvfb-run -a -s "-screen 0 1280x800x24" dbus-run-session -- bash -c '
  printf "test" | gnome-keyring-daemon --unlock --components=secrets >/dev/null
  dunst -config tests/e2e/dunstrc >/dev/null 2>&1 &
  exec node --test --test-reporter=spec tests/e2e/window.test.mjs
'
