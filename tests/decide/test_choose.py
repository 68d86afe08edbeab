# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.decide.choose import REUSED, around, assign, camelot, clash, ranked
from backbeat.decide.choose_terms import SceneNeed, terms, theme_shares
from backbeat.model.song import Key, Song, Tags
from backbeat.model.time import Span


def song(
    name: str, *, energy: float = 0.5, tempo: float = 120.0, sung: float = 0.0, length: float = 180.0, **more
) -> Song:
    vocals = (Span(0, sung * length),) if sung else ()
    return Song(name, length, (), energy=(energy,) * 10, tempo=tempo, vocals=vocals, **more)


def test_reasons_speak_for_what_an_editor_would_say():
    loud, soft = song("loud.mp3", energy=0.9), song("soft.mp3", energy=0.2)
    chase = SceneNeed("chase", 90.0, energy=0.9, shot=1.0)
    assert [c.path for c in ranked(chase, [soft, loud])] == ["loud.mp3", "soft.mp3"]
    talk = SceneNeed("talk", 90.0, energy=0.4, speech=0.6)
    assert ranked(talk, [song("a", energy=0.4, sung=0.6), song("b", energy=0.5)])[0].path == "b"
    mood = SceneNeed("night", 90.0, words=("tense",))
    assert ranked(mood, [song("x/calm.mp3"), song("x/tense_drums.mp3")])[0].path == "x/tense_drums.mp3"
    free = song("free.mp3", tags=Tags(licence="CC BY-ND 4.0"))
    assert any(t.name == "licence" for t in terms(mood, free))
    assert all(t.why for t in terms(chase, loud))


def test_pins_and_forbidden_songs_are_the_editor_s():
    songs = [song("a"), song("b"), song("c")]
    assert [c.path for c in ranked(SceneNeed("s", 60, pin="b"), songs)] == ["b"]
    assert "a" not in [c.path for c in ranked(SceneNeed("s", 60, forbid=("a",)), songs)]
    with pytest.raises(ValueError, match="no song"):
        assign([SceneNeed("s", 60, forbid=("a", "b", "c"))], songs)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 5))
def test_the_assignment_is_the_cheapest_of_all(seed, scenes, songs):
    rng = np.random.default_rng(seed)
    library = [
        song(
            f"s{i}", energy=float(rng.random()), tempo=float(rng.uniform(70, 180)), sung=float(rng.random()),
            key=Key(int(rng.integers(12)), "major" if rng.random() < 0.5 else "minor", 0.3),
        )
        for i in range(songs)
    ]  # fmt: skip
    needs = [
        SceneNeed(
            f"n{i}", float(rng.uniform(20, 300)), float(rng.random()), float(rng.uniform(0.5, 6)), float(rng.random())
        )
        for i in range(scenes)
    ]
    found = assign(needs, library)

    def price(chosen: tuple[int, ...]) -> float:
        own = sum(sum(t.cost for t in terms(n, library[j])) for n, j in zip(needs, chosen, strict=True))
        again = sum(REUSED for k, j in enumerate(chosen) if j in chosen[:k])
        near = sum(0.0 if a == b else clash(library[a], library[b]) for a, b in itertools.pairwise(chosen))
        return own + again + near

    best = min(price(c) for c in itertools.product(range(songs), repeat=scenes))
    assert found.proven
    assert found.cost == pytest.approx(best)
    assert price(found.songs) == pytest.approx(best)


def test_keys_next_to_each_other_on_the_wheel_are_near():
    c, a_minor, g, f_sharp = Key(0, "major", 1), Key(9, "minor", 1), Key(7, "major", 1), Key(6, "major", 1)
    assert camelot(c, c) == 0
    assert camelot(c, a_minor) == 1
    assert camelot(c, g) == 1
    assert camelot(c, f_sharp) == 6


def test_one_song_serves_five_scenes():
    found = assign([SceneNeed(str(i), 60) for i in range(5)], [song("only")])
    assert found.songs == (0,) * 5


def test_moods_are_met_through_words_near_them():
    need = SceneNeed("s", 60.0, words=("tense",))
    tagged = song("x/a.mp3", tags=Tags(keywords="Soundtrack; Suspense"))
    (found,) = [t for t in terms(need, tagged) if t.name == "words"]
    assert found.cost < 0
    assert "suspense" in found.why
    assert not [t for t in terms(need, song("x/b.mp3")) if t.name == "words"]
    exact = [t.cost for t in terms(need, song("x/tense.mp3")) if t.name == "words"]
    assert exact[0] < found.cost


def test_a_mood_asks_for_its_intensity():
    loud, soft = song("loud.mp3", energy=0.9), song("soft.mp3", energy=0.15)
    for word, best in (("calm", "soft.mp3"), ("chase", "loud.mp3")):
        assert ranked(SceneNeed("s", 60.0, energy=0.5, words=(word,)), [loud, soft])[0].path == best


def test_the_course_of_the_intensity_counts():
    rising = tuple(np.linspace(0.1, 0.9, 120))
    need = SceneNeed("s", 60.0, energy=0.5, curve=rising)
    up = Song("up.mp3", 60.0, (), energy=rising, tempo=120.0)
    down = Song("down.mp3", 60.0, (), energy=rising[::-1], tempo=120.0)
    assert [c.path for c in ranked(need, [down, up])] == ["up.mp3", "down.mp3"]


def test_bright_songs_go_with_bright_pictures():
    need = SceneNeed("s", 60.0, light=0.8)
    bright, dark = (song(n, brightness=b) for n, b in (("bright", 0.9), ("dark", 0.1)))
    assert ranked(need, [dark, bright])[0].path == "bright"


def test_instrumental_stretches_for_the_dialogue_are_worth_something():
    need = SceneNeed("s", 60.0, speech=0.4)
    some, most = song("some", sung=0.5), song("most", sung=1.0)
    cost = {c.path: next(t.cost for t in c.terms if t.name == "vocals") for c in ranked(need, [some, most])}
    assert cost["some"] < 0.7 * cost["most"]


def test_a_theme_goes_where_its_character_dominates():
    seen = {"Anna": [Span(0, 50)], "ben": [Span(50, 60), Span(60, 118)]}
    themes = {"ANNA": "anna.mp3", "Ben": "ben.mp3"}
    assert theme_shares(Span(0, 60), seen, themes) == (("ANNA", "anna.mp3", 0.833),)
    assert theme_shares(Span(60, 120), seen, themes)[0][:2] == ("Ben", "ben.mp3")
    assert theme_shares(Span(200, 220), seen, themes) == ()
    songs = [song("anna.mp3", energy=0.2), song("ben.mp3"), song("other.mp3")]
    needs = [SceneNeed("s", 60, themes=theme_shares(span, seen, themes)) for span in (Span(0, 60), Span(60, 120))]
    assert assign(needs, songs).songs == (0, 1)
    assert any("theme of ANNA" in t.why for t in terms(needs[0], songs[0]))


def test_what_neighbours_say_sums_to_the_assignment_s_cost():
    songs = [song("a", tempo=100, key=Key(0, "major", 0.4)), song("b", tempo=133, energy=0.8)]
    needs = [SceneNeed("x", 60, energy=0.2), SceneNeed("y", 60, energy=0.9), SceneNeed("z", 60, energy=0.1)]
    found = assign(needs, songs)
    total = sum(
        sum(t.cost for t in (*terms(n, songs[j]), *around(found.songs, i, songs)))
        for i, (n, j) in enumerate(zip(needs, found.songs, strict=True))
    )
    assert total == pytest.approx(found.cost)
