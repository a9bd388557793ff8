"""The SIS as the tool sees it. Knows no Moodle and no LTI."""
