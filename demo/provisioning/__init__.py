"""The platform's side of the contract with the tool: documents in, results out, events.

Written from ``docs/contract.md`` alone. It shares no code with the tool or its Moodle plugins, so
that the three judge each other with the example cases of the contract.
"""
