"""Lets the tests of the schedule use the catalog's loopback server and the runner of workflows beside them."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "catalog"), str(HERE)]  # the catalog first: its tests say `from conftest import`
