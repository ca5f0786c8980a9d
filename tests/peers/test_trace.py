"""The recorded exchanges of the real client with a real MLflow 3.18 server, sent to Cairn: equal
statuses, error codes and keys."""

import json
import re
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from cairn import Place, Service

TRACE = Path(__file__).with_name("trace-3.18.jsonl")
# Another server's own names for things; ours take their place as they are made.
NAMES = re.compile(r"\bm-[0-9a-f]{32}\b|\b[0-9a-f]{32}\b")
# The sample that the recording server held beside what the trace makes.
FOREIGN = {"experiments/search", "registered-models/search"}


def keys(value, path=""):
    """Every key of an answer, with lists taken as one element that has the keys of all."""
    found = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found.add(f"{path}.{key}")
            found |= keys(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            found |= keys(inner, f"{path}[]")
    return found


class Replay(unittest.TestCase):
    maxDiff = None

    def test_the_recorded_exchanges_get_the_same_statuses_codes_and_keys(self):
        place = Place()
        service = Service(place)
        names, differ, count = {}, [], 0
        self.cut = 0
        try:
            for line in TRACE.read_text().splitlines():
                recorded = json.loads(line)
                count += 1
                differ += self.exchange(service.url, recorded, names)
        finally:
            service.kill()
            place.close()
        self.assertEqual(count, 283)
        self.assertEqual(self.cut, 15)
        self.assertEqual(differ, [])

    def exchange(self, url, recorded, names):
        def ours(text):
            text = NAMES.sub(lambda m: names.get(m.group(0), m.group(0)), text)
            return re.sub(r"(?<![0-9a-zA-Z])122(?![0-9a-zA-Z.])", names.get("122", "122"), text)

        query = urllib.parse.urlencode([(k, ours(v)) for k, v in urllib.parse.parse_qsl(recorded["query"])])
        target = f"{url}{ours(recorded['path'])}" + (f"?{query}" if query else "")
        body = recorded["body"]
        if body.startswith("<") and body.endswith("bytes>"):
            body = "x" * int(body[1:].split()[0])
        data = ours(body).encode() if recorded["method"] in ("POST", "PUT", "PATCH", "DELETE") else None
        headers = {k: v for k, v in recorded["headers"].items() if k in ("User-Agent", "Content-Type")}
        request = urllib.request.Request(target, data=data, headers=headers, method=recorded["method"])
        try:
            with urllib.request.urlopen(request) as answer:
                status, text = answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read().decode(errors="replace")
        foreign = any(recorded["path"].endswith(f) for f in FOREIGN)
        what = f"{recorded['step']}: {recorded['method']} {recorded['path']}?{recorded['query']}"
        if status != recorded["status"]:
            return [(what, recorded["status"], status, text[:300])]
        if recorded["resp_type"] != "application/json":
            return []
        try:
            theirs = json.loads(recorded["resp"])
        except json.JSONDecodeError:
            # The recording keeps 6,000 characters: then the keys that are there.
            self.cut += 1
            names_of = lambda text: set(re.findall(r'"(\w+)":', text))
            lost = names_of(recorded["resp"]) - names_of(text)
            return [(what, "cut", sorted(lost))] if lost and not foreign else []
        mine = json.loads(text)
        self.learn(theirs, mine, names)
        differ = []
        if theirs.get("error_code") != mine.get("error_code"):
            differ.append((what, theirs.get("error_code"), mine.get("error_code")))
        if not foreign and keys(theirs) != keys(mine):
            differ.append((what, sorted(keys(theirs) - keys(mine)), sorted(keys(mine) - keys(theirs))))
        return differ

    def learn(self, theirs, mine, names):
        """Where the recording has a name of its own, ours stands in the same place."""
        if isinstance(theirs, dict) and isinstance(mine, dict):
            for key, value in theirs.items():
                if key == "experiment_id" and value == "122" and isinstance(mine.get(key), str):
                    names["122"] = mine[key]
                self.learn(value, mine.get(key), names)
        elif isinstance(theirs, list) and isinstance(mine, list) and len(theirs) == len(mine):
            for a, b in zip(theirs, mine):
                self.learn(a, b, names)
        elif isinstance(theirs, str) and isinstance(mine, str) and NAMES.fullmatch(theirs) and NAMES.fullmatch(mine):
            names.setdefault(theirs, mine)


if __name__ == "__main__":
    unittest.main()
