from __future__ import annotations

import pytest

from lti_tool.core.errors import ConfigurationError
from lti_tool.settings import load_settings


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"oidc_issuer": "https://id.example/realms/school"}, "NAGASIS_OIDC_CLIENT_ID"),
        ({"oidc_scopes": "profile"}, "NAGASIS_OIDC_SCOPES"),
        ({"oidc_person_claim": ""}, "NAGASIS_OIDC_PERSON_CLAIM"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{named}: .*$"):
        load_settings(**given)


def test_signing_in_is_off_by_default() -> None:
    assert load_settings().oidc_issuer == ""
