"""Why a realm refused an account, what to do, and why somebody cannot sign in, in the reader's
language."""

from __future__ import annotations

from typing import Any

from lti_tool.web.i18n import lazy_gettext as _l

_CORRECT = _l("Correct it in the SIS: the change is sent by itself.")

# By the code of a refusal (identity/keycloak/accounts.py, keeping.py).
REFUSALS: dict[str, tuple[Any, Any]] = {
    "username_taken": (
        _l("Another account of the realm has this user name."),
        _l(
            "If it is the same person, put their key into that account's attribute in Keycloak; "
            "else change one of the two names. Then try again."
        ),
    ),
    "email_taken": (
        _l("Another account of the realm has this e-mail address."),
        _l(
            "If it is the same person, put their key into that account's attribute in Keycloak; "
            "else correct the address of one of the two. Then try again."
        ),
    ),
    "email_shared": (
        _l("Several people of the SIS have this e-mail address: the account has a placeholder."),
        _l("Give each person their own address in the SIS: the change is sent by itself."),
    ),
    "account_twice": (
        _l("Several accounts of the realm have this person's key."),
        _l("Take the key out of all but the right one in Keycloak, then try again."),
    ),
    "username_fixed": (
        _l("The realm lets no user name be changed."),
        _l(
            "Switch on “Edit username” in the realm's login settings, then try again; or change "
            "the name back in the SIS."
        ),
    ),
    "account_refused": (
        _l("Keycloak does not take a field of the account."),
        _l(
            "The message names it. Correct it in the SIS, or the rules of the realm's user "
            "profile, then try again."
        ),
    ),
    "group_unknown": (
        _l("The document names a group that the tool does not keep."),
        _l("Update all parts of the tool to the same version, then try again."),
    ),
    "unfit": (_l("What the SIS has fits no account."), _CORRECT),
}

# By the code of a step of :meth:`Explanations.explain_account`.
STEPS: dict[str, tuple[Any, Any]] = {
    "account_wanted": (_l("By the SIS the person has an account, and it is open."), None),
    "account_unfit": (_l("What the SIS has fits no account."), _CORRECT),
    "person_closed": (
        _l("The person's status in the SIS closes the account: signing in is refused."),
        _l("Change the person's status in the SIS, if it is wrong."),
    ),
    "account_email_shared": REFUSALS["email_shared"],
    "account_equal": (
        _l("Keycloak was made equal to this. If it is not so there, somebody changed it since."),
        _l(
            "Compare and repair. If all is equal and signing in fails, give the person a new "
            "password in Keycloak: passwords never pass through this tool."
        ),
    ),
    "site_paused": (
        _l("The connection with this realm is paused."),
        _l("Look at the realm's page: it says what is wrong. Then resume it."),
    ),
    "site_disconnected": (
        _l("This realm is not connected."),
        _l("Connect it again, if its accounts should follow the SIS."),
    ),
}
