"""Documents as they come: mostly sound, some with what is wrong in real life."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

_ALPHABET = st.characters(codec="utf-8", exclude_categories=["Cs"])
_AWKWARD = st.sampled_from(
    [
        *(" x ", "x\u00a0", "\u3000x", "x\u200b", "e\u0301", "<b>", "x\n", "x\u0085", "", "   "),
        *(
            "a" * 100,
            "a" * 101,
            "ក" * 250,
            "ក" * 251,
            "😀" * 100,
            "\u202eabc",
            "x\u2028y",
            "\ufeffx",
        ),
        *("&amp;", "0", "null", "x'\"\\", "\u1e9b\u0323", "\u0300", "\ufffe", "x\x7f"),
    ]
)
_WRONG: st.SearchStrategy[Any] = st.sampled_from([1, 1.0, 1.5, 0, -1, True, None, "1", ()])
_NAMES = st.sampled_from(["Alpha", "Beta", "គ្រូ"]) | _AWKWARD | st.text(_ALPHABET, max_size=5)


def _keys(kind: str) -> st.SearchStrategy[str]:
    plain = st.integers(0, 3).map(lambda number: f"{kind}{number}")
    return plain | plain.map(lambda key: f" {key}\u00a0") | plain.map(lambda key: key + "e\u0301")


def _documents() -> st.SearchStrategy[Json]:
    kind = st.just
    seconds = st.sampled_from([0, 1_700_000_000, 1_800_000_000])
    member = st.fixed_dictionaries(
        {"user": _keys("s")},
        optional={
            "role": st.sampled_from(["student", "teacher", "editingteacher"]),
            "status": st.sampled_from(["active", "suspended"]),
            "groups": st.lists(st.sampled_from(["g1", "g2", "g9"]), max_size=2),
        },
    )
    return st.one_of(
        st.fixed_dictionaries(
            {"kind": kind("category"), "idnumber": _keys("t"), "name": _NAMES},
            optional={"parent": st.none() | _keys("t"), "visible": st.booleans()},
        ),
        st.fixed_dictionaries(
            {
                "kind": kind("user"),
                "idnumber": _keys("s"),
                "username": st.integers(0, 4).map(lambda number: f"u{number}"),
                "firstname": _NAMES,
                "lastname": _NAMES,
                "email": st.integers(0, 4).map(lambda number: f"u{number}@example.edu"),
            },
            optional={"alternatename": _NAMES, "suspended": st.booleans()},
        ),
        st.fixed_dictionaries(
            {
                "kind": kind("course"),
                "idnumber": _keys("c"),
                "shortname": st.integers(0, 4).map(lambda number: f"n{number}"),
                "fullname": _NAMES,
                "category": _keys("t"),
                "startdate": seconds,
            },
            optional={
                "enddate": seconds,
                "visible": st.booleans(),
                "sections": _parts("key"),
                "groups": _parts("idnumber"),
            },
        ),
        st.lists(member, max_size=4)
        .map(lambda members: {"kind": "roster", "count": len(members), "members": members})
        .flatmap(lambda roster: _keys("c").map(lambda course: {**roster, "course": course})),
    )


def _parts(name: str) -> st.SearchStrategy[list[Json]]:
    part = st.fixed_dictionaries({name: st.sampled_from(["g1", "g2", "k/~"]), "name": _NAMES})
    return st.lists(part, max_size=3, unique_by=lambda each: each[name])


def _broken(document: Json) -> st.SearchStrategy[Json]:
    fields = st.sampled_from(sorted(document))
    return st.one_of(
        fields.flatmap(lambda field: _WRONG.map(lambda value: {**document, field: value})),
        fields.map(lambda name: {key: value for key, value in document.items() if key != name}),
        st.just({**document, "extra": 1}),
    )


SOUND = _documents()
DOCUMENTS = st.one_of(SOUND, SOUND, SOUND.flatmap(_broken))
