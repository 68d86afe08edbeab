"""The aspects of a review: what each proves, and that none can be flattered."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from backbeat.decide.judge_cutting import action, classes_of, cutting, on_grids
from backbeat.decide.judge_pace import lengths_in_beats, monotony, pace
from backbeat.decide.judge_picture import characters, picture
from backbeat.decide.judge_runtime import liveliness, runtime
from backbeat.decide.judge_sound import cut_words, dialogue, speech_over_music, technique, weave
from backbeat.decide.judge_verdict import half_steps, overall, settle, verdict, worst_moments
from backbeat.model.film import Film, Join, Mix, Music
from backbeat.model.footage import Hit, Shot, Speech
from backbeat.model.review import Aspect, Moment
from backbeat.model.song import Beat, Section
from backbeat.model.time import Span, frame_at

RATE = Fraction(24)


def music(seconds: float = 180.0, bpm: float = 120.0, *, energy: bool = True, confidence: float = 1.0) -> Music:
    """Return four-four music of 16 s sections, alternately quiet and loud."""
    times = np.arange(0.0, seconds, 60 / bpm)
    beats = tuple(Beat(float(t), 1 + i % 4, 1.0) for i, t in enumerate(times))
    sections = tuple(
        Section(s, min(s + 16.0, seconds), "AB"[i % 2], (0.2, 0.9)[i % 2])
        for i, s in enumerate(np.arange(0.0, seconds, 16.0))
    )
    curve = tuple((0.2, 0.9)[int(t // 16) % 2] for t in np.arange(0, seconds, 0.5)) if energy else ()
    return Music(beats, sections=sections, energy=curve, confidence=confidence)


def film(times: np.ndarray | list[float], seconds: float = 180.0, **more: object) -> Film:
    cuts = sorted({frame_at(float(t), RATE) for t in times if 0 < t < seconds})
    return replace(Film(RATE, round(seconds * RATE), tuple(cuts)), **more)  # type: ignore[arg-type]


def stars(aspect: Aspect) -> float:
    assert aspect.stars is not None, aspect.finding
    return aspect.stars


def edited(tune: Music, seconds: float = 180.0) -> list[float]:
    """Return an editor's cuts: every 8 beats and 6 in quiet music, every 2, 1 and 3 in loud."""
    rng, at, cuts = np.random.default_rng(3), 0, []
    while at < len(tune.beats):
        loud = int(tune.beats[at].time // 16) % 2
        at += int(rng.choice([1, 2, 2, 3] if loud else [6, 8, 8, 10]))
        if at < len(tune.beats):
            cuts.append(tune.beats[at].time)
    return cuts


# --- cutting ---------------------------------------------------------------------------------------------------


def test_an_editors_cut_gets_its_stars() -> None:
    tune = music()
    cut = film(edited(tune))
    got = cutting(cut, tune)
    assert stars(got) >= 4.5
    assert got.figure("rate") == 1.0
    assert stars(pace(cut, tune)) >= 4.0


def test_a_cut_on_every_beat_gets_no_five_stars_anywhere() -> None:
    tune = music()
    metronome = film([b.time for b in tune.beats])
    assert stars(cutting(metronome, tune)) <= 4.0
    assert stars(pace(metronome, tune)) <= 1.5
    assert pace(metronome, music(energy=False)).stars == 1.0


def test_cuts_every_three_frames_and_late_cuts_earn_nothing() -> None:
    tune = music()
    assert stars(cutting(film(np.arange(3, 4300, 3) / 24), tune)) <= 1.5
    late = cutting(film(np.asarray(edited(tune)) + 0.1), tune)
    assert stars(late) == 1.0
    assert late.figure("median_error_ms") == pytest.approx(100, abs=25)


def test_three_perfect_cuts_are_thin_evidence() -> None:
    tune = music()
    assert stars(cutting(film([20.0, 60.0, 100.0]), tune)) <= 3.0


@pytest.mark.parametrize(
    ("cuts", "tune", "why"),
    [
        ([], music(), "one shot only"),
        ([20.0, 60.0], music(), "too few"),
        ([20.0, 30.0, 40.0, 50.0], None, "no music"),
        ([20.0, 30.0, 40.0, 50.0], music(confidence=0.1), "no steady beat"),
        ([20.0, 30.0, 40.0, 50.0], Music(()), "no music"),
    ],
)
def test_what_cannot_be_judged_says_why(cuts: list[float], tune: Music | None, why: str) -> None:
    got = cutting(film(cuts), tune)
    assert got.stars is None
    assert why in got.finding


def test_a_grid_heard_at_half_tempo_is_doubled() -> None:
    tune = music(bpm=120)
    cut = film(edited(tune))
    half = replace(tune, beats=tune.beats[::2])
    grids = on_grids(cut.cut_times, half, (0.1, 0.06))
    assert grids.used == "double tempo"
    assert grids.heard.kappa < 0.7
    assert stars(cutting(cut, half)) >= 4.0


def test_classes_and_section_recall() -> None:
    tune = music()
    got = classes_of([16.0, 18.0, 18.5, 18.75, 19.125], tune, (0.05, 0.05))
    assert got == ["section", "downbeat", "beat", "half-beat", "off"]
    cut = film([s.start for s in tune.sections] + [3.3, 7.1])
    aspect = cutting(cut, tune)
    assert aspect.figure("section_recall") == 1.0
    assert (aspect.figure("section_chance") or 1.0) < 0.1


def test_missed_cuts_are_named_with_the_frames_to_move() -> None:
    tune = music()
    cuts = edited(tune)
    cuts[10] += 4 / 24
    moment = cutting(film(cuts), tune).moments[0]
    assert moment.time == pytest.approx(cuts[10], abs=0.03)
    assert "4 frames earlier" in moment.todo


def test_a_dissolve_has_no_instant() -> None:
    tune = music()
    cut = film(edited(tune))
    soft = replace(cut, cuts=tuple(sorted({*cut.cuts, 101, 355})), gradual=(101, 355))
    assert cutting(soft, tune).figure("n") == len(cut.cuts)
    assert cutting(soft, tune).figure("rate") == 1.0
    assert cutting(replace(cut, gradual=cut.cuts), tune).stars is None


# --- action ----------------------------------------------------------------------------------------------------


def hits(times: list[float], evidence: str = "seen") -> tuple[Hit, ...]:
    return tuple(Hit(t, 0.8, "impact", evidence) for t in times)


def test_hits_on_and_off_the_beat() -> None:
    tune = music()
    on = action(film([], hits=hits([b.time for b in tune.beats[8::8]])), tune)
    off = action(film([], hits=hits([b.time + 0.2 for b in tune.beats[8::8]])), tune)
    assert stars(on) > 4.0
    assert stars(off) == 1.0
    assert "200 ms after" in off.moments[0].what
    assert "5 frames" in off.moments[0].todo


def test_drums_are_no_action() -> None:
    tune = music()
    heard = action(film([], hits=hits([b.time for b in tune.beats[8::8]], "heard")), tune)
    assert heard.stars is None


# --- pace ------------------------------------------------------------------------------------------------------


def test_lengths_in_beats_follow_a_changing_tempo() -> None:
    times = np.cumsum(np.linspace(0.4, 0.7, 200))
    tune = Music(tuple(Beat(float(t), 1, 1.0) for t in times))
    cuts = times[4::4]
    got = lengths_in_beats(Film(RATE, round(times[-1] * 24), tuple(round(t * 24) for t in cuts)), tune)
    assert got[1:-1] == pytest.approx(4.0, abs=0.15)


def test_monotony() -> None:
    assert monotony([1.0] * 30).kinds == pytest.approx(1.0)
    assert monotony([1.0] * 30).run == 30
    mixed = monotony([1, 2, 4, 8, 1, 2, 4, 8])
    assert mixed.kinds == pytest.approx(4.0)
    assert mixed.run == 1


def test_pace_against_the_energy_is_not_rewarded() -> None:
    tune = music()
    turned = replace(tune, energy=tuple(1.1 - e for e in tune.energy))
    assert stars(pace(film(edited(tune)), turned)) == 1.0


def test_pace_of_unrelated_cuts() -> None:
    tune = music()
    poor = 0
    for run in range(100):
        rng = np.random.default_rng(run)
        poor += stars(pace(film(np.cumsum(rng.lognormal(0.5, 0.7, 80))), tune)) <= 1.5
    assert poor >= 90  # 5 % and three standard errors; the benchmark runs 1,000


# --- sound -----------------------------------------------------------------------------------------------------


def mix(levels: np.ndarray | None = None, seconds: float = 180.0, **more: object) -> Mix:
    curve = np.full(int(seconds * 10), -20.0) if levels is None else levels
    base = Mix(tuple(curve.tolist()), 0.1, -16.0, -2.0, 0.0, seconds, 40.0)
    return replace(base, **more)  # type: ignore[arg-type]


def test_technique() -> None:
    cut = film([10.0])
    assert technique(cut, mix()).stars == 5.0
    assert stars(technique(cut, mix(integrated=-9.0))) == pytest.approx(3.0)
    assert stars(technique(cut, mix(true_peak=0.5))) == pytest.approx(3.5)
    assert stars(technique(cut, mix(start=0.3))) == pytest.approx(4.0)
    assert stars(technique(replace(cut, offset=-0.205), mix())) == pytest.approx(3.0)
    assert stars(technique(replace(cut, dropped=43), mix())) == 2.0  # at most three are taken
    assert stars(technique(cut, mix(), ("cut 3 is 2 frames late", "the end is missing"))) == 4.0
    assert technique(cut, None).stars == 5.0  # a silent film can still be sound


def test_weave() -> None:
    cut, tune = film([10.0]), music()
    assert weave(cut, tune, mix()).stars == 5.0
    chopped = weave(cut, tune, mix(ending_drop=0.0))
    assert chopped.stars == 1.0
    assert "chopped" in chopped.finding
    bad = weave(cut, replace(tune, joins=(Join(60.0, 99.5),), song_known=True), mix())
    assert stars(bad) < 3.5
    assert bad.moments[0].time == 60.0
    assert weave(cut, None, mix()).stars is None
    assert weave(cut, tune, mix(silent=True)).stars is None


def spoken(over: float) -> tuple[Film, Mix]:
    """Return a film with ten lines at `over` LU above music of -26 LUFS."""
    levels = np.full(1800, -26.0)
    lines = [Span(10.0 + 15 * i, 14.0 + 15 * i) for i in range(10)]
    loud = 10 * np.log10(10 ** ((-26 + over) / 10) + 10**-2.6)
    for line in lines:
        levels[int(line.start * 10) : int(line.end * 10)] = loud
    return film([10.0], speech=tuple(Speech(s) for s in lines)), mix(levels)


@pytest.mark.parametrize(
    ("over", "least", "most"), [(14.0, 5.0, 5.0), (10.0, 4.8, 5.0), (5.0, 2.8, 3.2), (0.0, 1.0, 1.2)]
)
def test_speech_over_music(over: float, least: float, most: float) -> None:
    cut, sound = spoken(over)
    got = dialogue(cut, music(), sound)
    assert got.figure("over_p10") == pytest.approx(over, abs=0.5)
    assert least <= stars(got) <= most
    assert got.estimated


def test_ducking_is_heard_in_the_pauses() -> None:
    cut, sound = spoken(12.0)
    levels = np.asarray(sound.momentary)
    speech = []
    for s in cut.speech:
        a, b = int(s.span.start * 10), int(s.span.end * 10)
        levels[a + 15 : a + 25] = -36.0
        speech.append(Speech(s.span, pauses=(Span(s.span.start + 1.5, s.span.start + 2.5),)))
        assert b > a
    rows = speech_over_music(replace(cut, speech=tuple(speech)), replace(sound, momentary=tuple(levels)))
    assert all(r.duck == pytest.approx(10.0, abs=0.5) for r in rows)
    assert all(r.over > 18 for r in rows)


def test_a_cut_word_is_found_and_a_pause_is_not() -> None:
    level = np.full(18000, -60.0)
    level[1000:1500] = -20.0  # speech 10..15 s, chopped by the cut at 15 s
    level[2000:2500] = -20.0
    level[2500:2540] = np.linspace(-20, -60, 40)  # dies away in 0.4 s at the cut at 25 s
    speech = (Speech(Span(10.0, 15.2)), Speech(Span(20.0, 25.2)))
    cut = film([15.0, 25.0, 40.0], speech=speech)
    assert cut_words(cut, mix(level=tuple(level.tolist()))) == (15.0,)


def test_nobody_speaks() -> None:
    assert dialogue(film([1.0]), music(), mix()).stars is None


# --- picture, characters, run-time ------------------------------------------------------------------------------


def shots(n: int = 10, seconds: float = 180.0, **more: object) -> tuple[Shot, ...]:
    edges = np.linspace(0, round(seconds * 24), n + 1).astype(int)
    base = [Shot("f", i, int(a), int(b), sharpness=0.6, exposure=0.8) for i, (a, b) in enumerate(pairwise(edges))]
    return tuple(replace(s, **more) for s in base)  # type: ignore[arg-type]


def test_picture() -> None:
    cuts = [18.0 * i for i in range(1, 10)]
    assert picture(film(cuts, shots=shots())).stars == 5.0
    assert picture(film(cuts, shots=shots(sharpness=0.05))).stars == 1.0
    twice = picture(film(cuts, shots=shots(), repeated=(Span(50.0, 59.0),)))
    assert stars(twice) == pytest.approx(4.5)
    assert twice.moments[0].time == 50.0
    assert stars(picture(film(cuts, shots=shots(group=1)))) == 0.0  # nothing but jump cuts
    black = picture(film(cuts, shots=shots(), black=(Span(0.0, 1.0), Span(90.0, 91.0))))
    assert black.figure("black") == 1.0  # the opening is black on purpose


def test_characters_are_told_not_judged() -> None:
    got = characters({"Ada": 0.6, "Ben": 0.2})
    assert got.stars is None
    assert got.figure("Ada") == 0.6
    assert characters({}).figures == ()


def lively(slow: Span | None = None) -> Film:
    rng = np.random.default_rng(1)
    cuts = np.cumsum(rng.lognormal(0.6, 0.5, 200))
    if slow:
        cuts = cuts[(cuts < slow.start) | (cuts > slow.end)]
    return film(cuts, shots=())


def test_the_slow_stretch_is_found_and_judged_only_against_references() -> None:
    cut, reference = lively(Span(80.0, 125.0)), lively()
    curve = liveliness(cut, None, None)
    alone = runtime(cut, curve)
    assert alone.stars is None
    assert abs(alone.moments[0].time - 80) < 8
    assert 25 <= (alone.figure("gives_back") or 0) <= 60
    judged = runtime(cut, curve, [liveliness(reference, None, None)])
    assert stars(judged) < 5.0
    assert stars(runtime(reference, liveliness(reference, None, None), [liveliness(reference, None, None)])) == 5.0


# --- verdict ---------------------------------------------------------------------------------------------------


def row(key: str, value: float | None, moments: tuple[Moment, ...] = ()) -> Aspect:
    return Aspect(key, key.title(), value, f"finding of {key}", moments=moments)


def test_overall_needs_three_aspects() -> None:
    assert overall([row("pace", 3.0), row("weave", 5.0)]) is None
    assert overall([row("pace", 3.0), row("weave", 5.0), row("cutting", 4.5), row("action", None)]) == 4.2


def test_half_steps_never_round_up() -> None:
    assert [half_steps(x) for x in (None, 0.0, 1.49, 1.5, 4.99, 5.0)] == [None, 0.0, 1.0, 1.5, 4.5, 5.0]


def test_the_sentence_names_best_and_worst() -> None:
    rows = settle([row("weave", 1.2), row("cutting", 4.6), row("pace", 3.0)])
    said = verdict(rows, overall(rows))
    assert [a.key for a in rows] == ["cutting", "pace", "weave"]
    assert "best in cutting (4.5 stars" in said
    assert "weakest in weave (1 star:" in said
    assert verdict([row("cutting", None)], None) == "Nothing could be judged: finding of cutting."


def test_worst_moments_are_spread() -> None:
    many = tuple(Moment(10.0 * i, "pace", "slow", "cut", 0.9 - i / 100) for i in range(1, 9))
    other = (Moment(10.2, "weave", "jump", "mend", 0.8), Moment(200.0, "weave", "jump", "mend", 0.1))
    got = worst_moments([row("pace", 1.0, many), row("weave", 1.0, other)])
    assert sum(m.aspect == "pace" for m in got) == 4
    assert [m.time for m in got if m.aspect == "weave"] == [200.0]
