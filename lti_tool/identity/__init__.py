"""Who is who: which account of which platform is which person of the SIS."""
