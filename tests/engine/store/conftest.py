"""Lets the tests here, and the processes they start, import `stored_campaigns`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
