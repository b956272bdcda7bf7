"""What a fault did to an image: the severities, as numbers and as names."""

MASKED, NON_CRITICAL, CRITICAL = 0, 1, 2
"""A severity as it is computed and stored: no logit differs, some logit differs, the top-1 differs."""

SEVERITIES = ("masked", "non_critical", "critical")
"""The severities' names as columns and fields have them, in the order of the numbers."""

SEVERITY_NAMES = ("masked", "non-critical", "critical")
"""The severities' names as a person reads them, in the order of the numbers."""

NOT_RUN_NAMES = ("screened", "dropped")
"""The pairs that were not run, as columns, fields and people have them, in the order of the numbers below."""

COUNTS = (*SEVERITIES, *NOT_RUN_NAMES)
"""The counts that add up to the pairs, in every table that counts them.

A screened pair was not run because a bound calls it safe. A dropped pair was not run because its fault had been seen to
be critical before. Neither has a row in `severity`."""

SCREENED, DROPPED = 3, 4
"""In outcomes, in place of a severity, of pairs that were not run: a bound calls them safe, or their fault was critical
before. Such a pair has no row in `severity`."""
