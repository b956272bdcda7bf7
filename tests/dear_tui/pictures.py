"""What tests that compare pictures share.

A picture is kept where only looking tells whether a screen is right: each screen in its main states, at the two sizes
that matter, and once without colours. Everything else is asserted as text.
"""

import pytest

SIZES = {"80x24": (80, 24), "120x40": (120, 40)}


def pictures(names: str, *cases: str) -> pytest.MarkDecorator:
    """A picture for each case, such as `running 80x24` for the names `state`: one word for each, and the size."""
    words = [case.split() for case in cases]
    values = [(*case[:-1], SIZES[case[-1]]) for case in words]
    return pytest.mark.parametrize((*names.split(), "size"), values, ids=["-".join(case) for case in words])
