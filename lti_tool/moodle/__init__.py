"""The Moodle side as the tool sees it: sites, the plugin's contract, its client, its events."""
