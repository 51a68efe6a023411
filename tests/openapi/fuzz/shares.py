"""Deals the operations of a document out: shares.py URL SHARES prints a line for each share, its number and its operations."""

import sys

import requests

url, shares = sys.argv[1], int(sys.argv[2])
paths = requests.get(url, timeout=60).json()["paths"]
names = [operation["operationId"] for path in paths.values() for operation in path.values()]
for share in range(min(shares, len(names))):
    print(share + 1, *names[share::shares])
