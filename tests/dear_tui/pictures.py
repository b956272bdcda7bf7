"""What tests that compare pictures share."""

import pytest

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
"""The two sizes that matter."""
