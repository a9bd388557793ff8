"""LTI 1.3 Advantage, spec-pure: no SIS, no Flask. LMS quirks are in ``platforms``."""
