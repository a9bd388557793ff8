"""``python -m lti_tool`` is ``nagasis``."""

from lti_tool.cli import main

main()
