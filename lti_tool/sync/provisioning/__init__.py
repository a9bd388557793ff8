"""Keeping Moodle equal to the SIS: marks, documents, apply, results. See docs/sync.md."""
