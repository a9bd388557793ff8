"""Keycloak: the realm in which people sign in once, and its people."""
