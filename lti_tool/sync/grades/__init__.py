"""Grades, both ways: connections, receipts, conflicts and what moved."""
