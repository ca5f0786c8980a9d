#!/usr/bin/env bash
# Installs what is missing for the parts named: desktop, servers, ui, e2e, peers, deny.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "Installing: ${missing[*]}"
  local sudo=""
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

for part in "$@"; do
  case "$part" in
    desktop) packages build-essential pkg-config git openssh-client python3 libwebkit2gtk-4.1-dev libgtk-3-dev ;;
    servers) packages nginx-light fcgiwrap openssh-server ;;
    screen) packages xvfb xauth imagemagick dbus dbus-x11 ;;
    e2e) packages xvfb xauth imagemagick dbus dbus-x11 gnome-keyring dunst xdotool x11-utils webkit2gtk-driver chromium fonts-dejavu-core ;;
    ui)
      stamp=ui/node_modules/.package-lock.json
      if [ ! -f "$stamp" ] || [ ui/package-lock.json -nt "$stamp" ]; then
        # Not `npm ci`: it refuses a lock that was made where a registry does not carry the binaries for
        # other systems. Versions are exact in package.json, and the lock is honoured either way.
        (cd ui && npm install --no-save --no-audit --no-fund --loglevel=error)
        touch "$stamp"
      fi
      ;;
    peers)
      packages python3 python3-venv
      if ! cmp -s tests/peers/requirements.txt .venv/requirements.txt; then
        python3 -m venv .venv
        .venv/bin/pip install -q --disable-pip-version-check -r tests/peers/requirements.txt
        cp tests/peers/requirements.txt .venv/requirements.txt
      fi
      if ! cmp -s tests/peers/requirements-old.txt .venv-old/requirements.txt; then
        python3 -m venv .venv-old
        .venv-old/bin/pip install -q --disable-pip-version-check -r tests/peers/requirements-old.txt
        cp tests/peers/requirements-old.txt .venv-old/requirements.txt
      fi
      ;;
    aim)
      packages python3 python3-venv
      if [ ! -x .venv-aim/bin/aim ]; then
        python3 -m venv .venv-aim
        .venv-aim/bin/pip install -q --disable-pip-version-check aim==3.29.1
      fi
      ;;
    deny) command -v cargo-deny >/dev/null || cargo install --quiet --locked cargo-deny@0.20.2 ;;
    *) echo "setup: unknown part $part" >&2; exit 2 ;;
  esac
done
