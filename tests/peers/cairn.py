"""Starts Cairn's own programs for the peer tests, and ends only what it started."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "target/debug/cairn"


class Place:
    """A temporary home with a sample workspace."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cairn-peers-")
        self.dir = Path(self.folder.name)
        self.env = {**os.environ, "CAIRN_HOME": str(self.dir / "home"), "CAIRN_PASSPHRASE": "the peer tests", "CAIRN_SHARE_BY_HAND": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
        self.workspace = self.dir / "ws"
        self.run("demo", str(self.workspace))

    def run(self, *args, check=True):
        done = subprocess.run([BIN, *args], env=self.env, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"cairn {' '.join(args)}: {done.stderr}")
        return done

    def call(self, command, request=None):
        return json.loads(self.run("--workspace", str(self.workspace), "call", command, json.dumps(request or {})).stdout)

    def close(self):
        self.folder.cleanup()


class Service:
    """`cairn serve` on a port of its own."""

    def __init__(self, place, port=0):
        self.process = subprocess.Popen(
            [BIN, "--workspace", str(place.workspace), "--json", "serve", "--port", str(port)], env=place.env, stdout=subprocess.PIPE, text=True
        )
        self.url = json.loads(self.process.stdout.readline())["url"]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
