"""Functions that a query may call beside DuckDB's own: intervals of a share, and the names of severities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.severity import SEVERITY_NAMES

if TYPE_CHECKING:
    import duckdb

_CENTER = (
    (
        *(2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4),
        *(1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    ),
    (
        *(5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4),
        *(5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
    ),
)
_TAIL = (
    (
        *(7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0),
        *(3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    ),
    (
        *(1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1),
        *(6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
    ),
)
"""Numerator and denominator, highest power first, of Wichura's approximations of the normal distribution's quantiles
(Algorithm AS 241, Applied Statistics 37), as `statistics.NormalDist` has them: up to 1.44 deviations, and from there
to 6.6, a confidence of 1 - 3e-11."""


def _polynomial(coefficients: tuple[float, ...], x: str) -> str:
    text = f"{coefficients[0]:.17e}"
    for coefficient in coefficients[1:]:
        text = f"({text} * {x} + {coefficient:.17e})"
    return text


def _ratio(polynomials: tuple[tuple[float, ...], tuple[float, ...]], x: str) -> str:
    above, below = (_polynomial(coefficients, x) for coefficients in polynomials)
    return f"{above} / {below}"


_DEVIATIONS = f"""CASE
    WHEN NOT confidence BETWEEN 1e-9 AND 1 - 1e-9
    THEN error('a confidence is a share between 0 and 1, not ' || confidence || '; write confidence := 0.95')
    WHEN confidence <= 0.85
    THEN {_ratio(_CENTER, "(0.180625e0 - confidence::DOUBLE * confidence / 4)")} * confidence / 2
    ELSE {_ratio(_TAIL, "(sqrt(-ln((1 - confidence::DOUBLE) / 2)) - 1.6e0)")}
END"""
"""within which a normal variable is with this confidence"""

_SHARE = "(k::DOUBLE / nullif(n, 0))"
_LEFT = "coalesce((population - n)::DOUBLE / nullif(population - 1, 0), 1)"
_Z2 = f"(({_DEVIATIONS}) ** 2 * {_LEFT} / nullif(n, 0))"
"""divided by n"""


def _wilson(sign: str) -> str:
    root = f"sqrt({_Z2} * ({_SHARE} * (1 - {_SHARE}) + {_Z2} / 4))"
    return f"({_SHARE} + {_Z2} / 2 {sign} {root}) / (1 + {_Z2})"


_INTERVAL = "(k, n, confidence := 0.99, population := NULL)"

MACROS = {
    f"wilson_low{_INTERVAL}": f"CASE WHEN k = 0 THEN if(n > 0, 0e0, NULL) ELSE {_wilson('-')} END",
    f"wilson_high{_INTERVAL}": f"CASE WHEN k = n THEN if(n > 0, 1e0, NULL) ELSE {_wilson('+')} END",
    "severity_name(severity)": "CASE severity "
    + " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(SEVERITY_NAMES))
    + " END",
}
"""How each is called -> the expression that it stands for. None calls another: in an attached file, DuckDB would look
for that one elsewhere.

The interval is Wilson's of the share k of n, as `engine.analysis.estimate` has it of one stratum; `population` is how
many the n were drawn from, without replacement."""


def create_macros(connection: duckdb.DuckDBPyConnection, database: str = "") -> None:
    """Create them in a database that is attached, or in the one in use."""
    for call, expression in MACROS.items():
        connection.execute(f"CREATE OR REPLACE MACRO {database and database + '.'}{call} AS {expression}")
