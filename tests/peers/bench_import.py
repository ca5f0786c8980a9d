"""Taking runs from other tools, beside MLflow's own migration of the same data; and a TensorBoard file of a gigabyte.

    make bench
"""

import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CAIRN = ROOT / "target/release/cairn"
RUNS = int(os.environ.get("BENCH_IMPORT_RUNS", "300"))
BYTES = int(os.environ.get("BENCH_EVENTS_BYTES", str(1_000_000_000)))


class Work:
    """A workspace of its own; imports with their time and the most memory that they had."""

    def __init__(self, folder):
        self.dir = f"{folder}/ws"
        self.env = {**os.environ, "CAIRN_HOME": f"{folder}/home", "CAIRN_PASSPHRASE": "the bench of Cairn", "CAIRN_SHARE_BY_HAND": "1"}
        subprocess.run([CAIRN, "init", self.dir, "--name", "Bench"], env=self.env, check=True, stdout=subprocess.DEVNULL)

    def take(self, path):
        begun = time.perf_counter()
        child = subprocess.Popen([CAIRN, "--workspace", self.dir, "--json", "import", str(path)], env=self.env, stdout=subprocess.PIPE, text=True)
        said = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        assert status == 0, said
        return json.loads(said), time.perf_counter() - begun, used.ru_maxrss / 1024


def mlruns(folder):
    """What MLflow's file store looks like, written directly: MLflow itself would take an hour."""
    r = random.Random(3)
    experiment = folder / "1"
    (folder / "0").mkdir(parents=True)
    (folder / "0/meta.yaml").write_text("artifact_location: file:///x/0\ncreation_time: 1700000000000\nexperiment_id: '0'\nlast_update_time: 1700000000000\nlifecycle_stage: active\nname: Default\n")
    experiment.mkdir(parents=True)
    (experiment / "meta.yaml").write_text(f"artifact_location: file://{experiment}\ncreation_time: 1700000000000\nexperiment_id: '1'\nlast_update_time: 1700000000000\nlifecycle_stage: active\nname: bench\n")
    points = 0
    for i in range(RUNS):
        run = experiment / f"f{i + 1:031x}"
        for part in ("metrics", "params", "tags", "artifacts"):
            (run / part).mkdir(parents=True)
        (run / "meta.yaml").write_text(
            f"artifact_uri: file://{run}/artifacts\nend_time: 1700000100000\nentry_point_name: ''\nexperiment_id: '1'\nlifecycle_stage: active\nrun_id: {run.name}\nrun_name: run-{i}\nrun_uuid: {run.name}\n"
            "source_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: 1700000000000\nstatus: 3\ntags: []\nuser_id: bench\n"
        )
        for k in range(20):
            (run / f"params/p{k}").write_text(str(r.randint(0, 9)))
            (run / f"tags/t{k}").write_text(r.choice("abcdef"))
        for k in range(10):
            lines = [f"{1_700_000_000_000 + s * 100} {r.random()} {s}" for s in range(200)]
            points += len(lines)
            (run / f"metrics/m{k}").write_text("\n".join(lines) + "\n")
    return points


def masked(rows):
    """The masked CRC-32C of each row of a matrix of bytes, all at once."""
    import numpy

    table = numpy.arange(256, dtype=numpy.uint32)
    for _ in range(8):
        table = numpy.where(table & 1, (table >> 1) ^ numpy.uint32(0x82F63B78), table >> 1)
    crc = numpy.full(len(rows), 0xFFFFFFFF, dtype=numpy.uint32)
    for column in rows.T:
        crc = table[(crc ^ column) & 0xFF] ^ (crc >> 8)
    crc ^= numpy.uint32(0xFFFFFFFF)
    return ((crc >> 15) | (crc << 17)) + numpy.uint32(0xA282EAD8)


def event_file(path):
    """Records of four scalars each with steps that go on, in the form that tensorboardX writes; of one length, so that they are made at once."""
    import numpy
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    value = Summary(value=[Summary.Value(tag=f"metric/{k}", simple_value=0.5) for k in range(4)])
    # A step of four bytes from here on, for as many as there will be.
    first = 1 << 21
    data = bytearray(Event(wall_time=1_700_000_000.0, step=first, summary=value).SerializeToString())
    step_at, value_at = data.index(b"\x10") + 1, [i + 1 for i in range(len(data) - 4) if data[i : i + 5] == b"\x15\x00\x00\x00\x3f"]
    assert data[0] == 0x09 and len(value_at) == 4
    length = numpy.frombuffer(struct.pack("<Q", len(data)), dtype=numpy.uint8)
    head = numpy.concatenate([length, numpy.frombuffer(masked(length.reshape(1, 8)).tobytes(), dtype=numpy.uint8)])
    rng = numpy.random.default_rng(5)
    size = len(data) + 16
    total = min(BYTES // size, (1 << 28) - first)
    with path.open("wb") as out:
        for begin in range(0, total, 500_000):
            steps = numpy.arange(begin, min(begin + 500_000, total), dtype=numpy.int64)
            rows = numpy.empty((len(steps), size), dtype=numpy.uint8)
            rows[:, :12] = head
            body = rows[:, 12 : 12 + len(data)]
            body[:] = numpy.frombuffer(bytes(data), dtype=numpy.uint8)
            body[:, 1:9] = (1_700_000_000.0 + steps * 0.05).view(numpy.uint8).reshape(-1, 8)
            varint = steps + first
            for i in range(4):
                body[:, step_at + i] = (varint >> (7 * i)) & 0x7F | (0x80 if i < 3 else 0)
            for at in value_at:
                noisy = (1 / (1 + steps / 1e5) + rng.normal(0, 0.02, len(steps))).astype(numpy.float32)
                body[:, at : at + 4] = noisy.view(numpy.uint8).reshape(-1, 4)
            rows[:, -4:] = masked(body).view(numpy.uint8).reshape(-1, 4)
            out.write(rows.tobytes())
    return total * 4


def main():
    with tempfile.TemporaryDirectory(prefix="cairn-import-") as folder:
        folder = Path(folder)
        points = mlruns(folder / "mlruns")
        said, ours, memory = Work(folder / "a").take(folder / "mlruns")
        assert (said["runs"], said["points"]) == (RUNS, points), said
        env = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"}
        begun = time.perf_counter()
        subprocess.run(
            [str(Path(sys.executable).with_name("mlflow")), "migrate-filestore", "--source", str(folder / "mlruns"), "--target", f"sqlite:///{folder}/moved.db"], env=env, check=True, capture_output=True
        )
        theirs = time.perf_counter() - begun
        print(f"mlruns with {RUNS} runs and {points} points: Cairn {ours:.1f} s ({points / ours:.0f} points/s, {memory:.0f} MB), MLflow's migration {theirs:.1f} s: {theirs / ours:.1f} times as fast")
        said, took, memory = Work(folder / "b").take(folder / "moved.db")
        assert (said["runs"], said["points"]) == (RUNS, points), said
        print(f"the mlflow.db that came of it: {took:.1f} s, {points / took:.0f} points/s, {memory:.0f} MB")
        shutil.rmtree(folder / "mlruns")
        logs = folder / "logs"
        logs.mkdir()
        events = event_file(logs / "events.out.tfevents.1700000000.host")
        size = sum(f.stat().st_size for f in logs.iterdir())
        said, took, memory = Work(folder / "c").take(logs)
        print(f"TensorBoard file of {size / 1e6:.0f} MB with {events} values: {took:.1f} s, {size / 1e6 / took:.0f} MB/s, most memory {memory:.0f} MB ({said['points']} points said)")


if __name__ == "__main__":
    main()
