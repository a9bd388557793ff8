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
                "readonly": st.booleans(),
                "sections": _parts("key"),
                "groups": _parts("idnumber"),
            },
        ),
        st.lists(member, max_size=4)
        .map(lambda members: {"kind": "roster", "count": len(members), "members": members})
        .flatmap(lambda roster: _keys("c").map(lambda course: {**roster, "course": course})),
        _gradebooks(),
        _grades(),
    )


_SESSIONS = st.sampled_from(["k1", "k2", "k/~"])
_PERCENTS = st.sampled_from([0, 1, 3333, 8750, 10_000])


def _gradebooks() -> st.SearchStrategy[Json]:
    category = st.fixed_dictionaries({"key": _SESSIONS, "name": _NAMES, "weight": _PERCENTS})
    item = st.fixed_dictionaries(
        {
            "key": st.sampled_from(["p1", "p2", "p3", "k1", "#total"]),
            "name": _NAMES,
            "category": _SESSIONS,
            "weight": _PERCENTS,
        },
        # Numbers of things are given one after another: some of these are a course's total, an item
        # of ours, or nothing.
        optional={"source": st.none() | st.integers(0, 12)},
    )
    letter = st.fixed_dictionaries(
        {"letter": st.sampled_from(["A", "B+", "F", "", "ក្រ", "toolong"]), "minimum": _PERCENTS}
    )
    return st.fixed_dictionaries(
        {
            "kind": st.just("gradebook"),
            "course": _keys("c"),
            "categories": st.lists(category, max_size=3),
            "items": st.lists(item, max_size=3),
        },
        optional={"letters": st.lists(letter, max_size=3)},
    )


def _grades() -> st.SearchStrategy[Json]:
    grade = st.fixed_dictionaries(
        {
            "user": _keys("s"),
            "item": st.sampled_from(["p1", "p2", "k1", "#total", "gone"]),
            "value": st.none() | _PERCENTS,
        },
        optional={
            "text": st.sampled_from(["", "I", "W", "x\n"]),
            "expected": st.none() | _PERCENTS,
            "note": _NAMES,
        },
    )
    return st.fixed_dictionaries(
        {
            "kind": st.just("grades"),
            "course": _keys("c"),
            "grades": st.lists(grade, max_size=4),
        }
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


@st.composite
def _sound_gradebooks(draw: st.DrawFn) -> Json:
    sessions = draw(st.lists(_SESSIONS, min_size=1, max_size=3, unique=True))
    parts = draw(st.lists(st.sampled_from(["p1", "p2", "p3"]), max_size=3, unique=True))
    weights = st.integers(1, 10_000)
    items: list[Json] = [
        {
            "key": key,
            "name": draw(_PLAIN),
            "category": draw(st.sampled_from(sessions)),
            "weight": draw(weights),
        }
        for key in parts
    ]
    sources = draw(st.lists(st.none() | st.sampled_from(TEACHERS), max_size=3, unique=True))
    for item, source in zip(items, sources, strict=False):
        item["source"] = source
    categories = [{"key": key, "name": draw(_PLAIN), "weight": draw(weights)} for key in sessions]
    letters = draw(st.sampled_from([[], [{"letter": "A", "minimum": 5000}]]))
    return {
        "kind": "gradebook",
        "course": "c0",
        "categories": categories,
        "items": items,
        "letters": letters,
    }


def _campus_grades() -> st.SearchStrategy[Json]:
    grade = st.fixed_dictionaries(
        {
            "user": st.sampled_from(["s0", "s0", "s1", "s2"]),
            "item": st.sampled_from(["p1", "p1", "p2", "k1", "#total"]),
            "value": st.none() | _PERCENTS,
        },
        optional={"text": st.sampled_from(["", "I"]), "expected": st.none() | _PERCENTS},
    )
    several = st.lists(grade, max_size=5, unique_by=lambda each: (each["user"], each["item"]))
    return several.map(lambda grades: {"kind": "grades", "course": "c0", "grades": grades})


_PLAIN = st.sampled_from(["Alpha", "Beta", "គ្រូ"])
# A course with two students, and items 101 to 103 that its teacher made by hand.
CAMPUS: list[Json] = [
    {"kind": "category", "idnumber": "t0", "name": "Term"},
    *(
        {"kind": "user", "idnumber": f"s{n}", "username": f"u{n}", "firstname": "A",
         "lastname": "B", "email": f"u{n}@example.edu"}
        for n in range(3)
    ),
    {"kind": "course", "idnumber": "c0", "shortname": "n0", "fullname": "C", "category": "t0",
     "startdate": 0},
    {"kind": "roster", "course": "c0", "count": 3, "members": [
        {"user": "s0"}, {"user": "s1"}, {"user": "s2", "role": "teacher"}]},
]  # fmt: skip
TEACHERS = (101, 102, 103)

SOUND = _documents()
DOCUMENTS = st.one_of(SOUND, SOUND, SOUND.flatmap(_broken))
# One call after another, for the course of the campus.
GRADED = st.lists(
    st.tuples(st.none() | _sound_gradebooks(), st.none() | _campus_grades()).map(
        lambda call: [each for each in call if each is not None]
    ),
    max_size=5,
)
