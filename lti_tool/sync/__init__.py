"""The SIS and the platform kept equal: course links, rosters compared, grades pushed."""
