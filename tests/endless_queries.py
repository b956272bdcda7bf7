"""Queries that only end when they are stopped."""

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"

ENDLESS_VALUE = "SELECT list_intersect(range(30000000), range(30000000))[1]"
"""for minutes, in which DuckDB heeds neither an interrupt nor its time limit"""
