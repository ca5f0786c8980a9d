"""Runs the command-line stories in tests/stories, so that they cannot rot."""

import os
import re
import subprocess
import tempfile
import unittest

from cairn import BIN, ROOT


def steps(text):
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        command, expected = None, []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, expected
                command, expected = line[2:], []
            else:
                expected.append(line)
        if command:
            yield command, expected


class Stories(unittest.TestCase):
    def test_every_story_runs_as_it_is_told(self):
        stories = sorted((ROOT / "tests/stories").glob("*.md"))
        self.assertTrue(stories)
        for story in stories:
            with tempfile.TemporaryDirectory(prefix="cairn-story-") as folder:
                env = {**os.environ, "PATH": f"{BIN.parent}:{os.environ['PATH']}", "CAIRN_HOME": f"{folder}/home", "CAIRN_PASSPHRASE": "tell me a story"}
                for command, expected in steps(story.read_text()):
                    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True)
                    pattern = "\n".join(re.escape(line).replace("…", ".*") for line in expected)
                    said = (done.stdout + done.stderr).rstrip("\n")
                    self.assertRegex(said, f"^{pattern}$", f"{story.name}: {command}")


if __name__ == "__main__":
    unittest.main()
