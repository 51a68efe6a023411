"""Deals the operations of a document out: shares.py URL SHARES REPORT prints a line for each share, its number and its operations.

OPERATIONS names some, instead of all. Those in REPORT have been asked already."""

import os
import sys
from pathlib import Path

import requests

url, shares, report = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
paths = requests.get(url, timeout=60).json()["paths"]
operations = {one["operationId"]: one for path in paths.values() for one in path.values()}

named = os.environ.get("OPERATIONS", "").split() or list(operations)
if unknown := set(named) - set(operations):
    sys.exit(f"no such operation: {', '.join(sorted(unknown))}")
asked = {name for line in report.read_text().splitlines() for name in line.split()[5:]}
# Those that are drawn quickest go first.
left = sorted(set(named) - asked, key=lambda name: ("requestBody" in operations[name], len(operations[name].get("parameters", [])), name))
for share in range(min(shares, len(left))):
    print(share + 1, *left[share::shares])
