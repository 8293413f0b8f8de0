"""Captions photos at an edge with Python's standard library alone, and prints a line for each.

    python3 examples/caption.py samples/*.jpg
    ORIGIN=https://captions.example.com EDGE_CAPTION_KEY=... python3 examples/caption.py photo.jpg
"""

import json
import os
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ORIGIN = os.environ.get("ORIGIN", "http://localhost:8787")
KEY = os.environ.get("EDGE_CAPTION_KEY")
MAX_TRIES = 5


def caption(photo: bytes) -> dict:
    headers = {"Content-Type": "application/octet-stream"}  # the edge reads the format from the bytes
    if KEY:
        headers["Authorization"] = f"Bearer {KEY}"
    for attempt in range(1, MAX_TRIES + 1):
        try:
            with urlopen(Request(f"{ORIGIN}/v1/captions", data=photo, headers=headers), timeout=90) as reply:
                return json.load(reply)
        except HTTPError as error:
            if error.code not in (429, 503) or attempt == MAX_TRIES:
                raise ValueError(json.load(error)["detail"]) from error
            time.sleep(float(error.headers.get("Retry-After", "1")))  # a busy edge says when to come back
    raise AssertionError("unreachable")


failed = False
for path in sys.argv[1:]:
    try:
        result = caption(Path(path).read_bytes())
        print(f"{path}: {result['caption']} ({result['confidence']:.2f})")
    except (OSError, ValueError) as error:
        failed = True
        print(f"{path}: {error}", file=sys.stderr)
sys.exit(failed)
