# SPDX-License-Identifier: Apache-2.0
"""Words of a known text: laid over the talk that is heard."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from backbeat.model.footage import Speech, Word
from backbeat.model.time import Span
from backbeat.verbs.session import Session
from backbeat.verbs.watch import takes
from backbeat.verbs.words import beside
from backbeat.watch import sphinx
from backbeat.watch.ear import Hearing
from backbeat.watch.words import ALIGNED, GUESSED, HEARD, Cue, aligned, scripted, tokens, told
from backbeat.work.cache import Cache
from watch.made import pan, write


def hearing(*syllables: tuple[float, float], length: float = 8.0, start: float = 0.0) -> Hearing:
    """Return what is heard of syllables (start, end): loud, with an onset, and talk."""
    level, flux = np.full(int(length * 200), -60.0, np.float32), np.zeros(int(length * 200), np.float32)
    events = np.full((int(length * 100), 4), 0.002, np.float32)
    for a, b in syllables:
        level[int(a * 200) + 4 : int(b * 200) - 4] = -15
        flux[int(a * 200)] = 1.0
        events[int(a * 100) : int(b * 100)] = (0.99, 0.01, 0.01, 0.99)
    return Hearing(start, flux, level, events, ())


def starts(speech: tuple[Speech, ...]) -> list[tuple[str, float]]:
    return [(w.text, round(w.span.start, 2)) for s in speech for w in s.words]


def test_words_begin_where_the_sound_rises() -> None:
    heard = hearing((1.0, 1.3), (1.3, 1.9), (1.9, 2.2), (3.0, 3.5), (3.5, 3.8))
    spans = (Speech(Span(0.9, 2.3)), Speech(Span(2.9, 3.9)))
    found = aligned(spans, heard, [Cue(Span(0.8, 4.2), "<i>Take</i> another one, [door slams] golden hour.")])
    want = {"Take": 1.0, "another": 1.3, "one": 1.9, "golden": 3.0, "hour": 3.5}
    for word, time in starts(found):
        assert time == pytest.approx(want.pop(word), abs=0.06)
    assert not want
    assert [s.text for s in found] == ["Take another one", "golden hour"]
    assert {w.confidence for s in found for w in s.words} == {HEARD}


def test_cues_are_aligned_together_and_one_that_strays_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def placed(said: list[str], wave: np.ndarray) -> list[tuple[float, float]] | None:
        asked.append(list(said))
        if said == ["Far", "away"]:
            return None
        return [(1.0, 1.3), (1.3, 1.9), (6.5, 6.8), (6.8, 7.5)]  # the second cue's words lie 3 s late

    monkeypatch.setattr(sphinx, "present", lambda: True)
    monkeypatch.setattr(sphinx, "placed", placed)
    heard = hearing((1.0, 1.3), (1.3, 1.9), (3.0, 3.5), (3.5, 3.9))
    cues = [Cue(Span(0.6, 2.0), "Near by."), Cue(Span(2.9, 4.0), "Far away.")]
    found = aligned((Speech(Span(0.9, 2.0)), Speech(Span(2.9, 4.0))), heard, cues, np.ones(8 * 16_000, np.float32))
    assert asked == [["Near", "by", "Far", "away"], ["Far", "away"]]
    times = dict(starts(found))
    assert times["Near"] == pytest.approx(1.2, abs=0.01)  # the wave that is aligned begins 0.2 s in
    assert times["Far"] == pytest.approx(3.0, abs=0.05)
    assert {w.text: w.confidence for s in found for w in s.words}["by"] == ALIGNED


def test_words_that_nobody_is_heard_to_say_are_spread_and_said_to_be_a_guess() -> None:
    [found] = aligned((), hearing(), [Cue(Span(2.0, 4.0), "whispered words")])
    assert found.span == Span(2.0, 4.0)
    assert [w.confidence for w in found.words] == [GUESSED] * 2
    assert found.words[0].span.start == 2.0
    assert found.words[-1].span.end == 4.0


def test_a_cue_of_sounds_alone_says_nothing() -> None:
    assert tokens("♪ la la la ♪\n[thunder] (sighs) {\\an8}") == ()
    assert [t.text for t in tokens("JOHN: It's 12 o'clock, co-star…")] == ["It's", "12", "o'clock", "co-star"]


def test_a_script_without_times_is_laid_over_all_the_talk() -> None:
    heard = hearing((1.0, 1.8), (4.0, 4.8))
    one, other = scripted("Good morning.\n\nHello again.", heard)
    assert one.span.start == pytest.approx(1.0, abs=0.05)
    assert other.span.start == pytest.approx(4.0, abs=0.1)
    assert scripted("Good morning.", hearing()) == ()  # nobody says it


def test_a_very_long_script_is_divided_by_length_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backbeat.watch.words._MOST", 10)
    cues = scripted("\n".join(["one two"] * 8), hearing((0.0, 8.0)))
    assert [c.span.start for c in cues] == pytest.approx([i * 1.0 for i in range(8)], abs=0.05)


def test_surely_placed_words_leave_pauses_and_lie_inside_their_span() -> None:
    words = tuple(Word(w, Span(a, b), ALIGNED) for w, a, b in (("yes", 1.0, 1.4), ("no", 1.8, 2.4)))
    [found] = told((Speech(Span(1.1, 2.2), pauses=(Span(1.2, 1.35),)),), [(Cue(Span(1, 2.5), "yes no"), words)])
    assert found.span == Span(1.0, 2.4)
    assert found.pauses == (Span(1.43, 1.77),)


def test_the_file_beside_a_take_is_found(tmp_path: Path) -> None:
    take = str(tmp_path / "a.b.mkv")
    for name in ("a.b.txt", "a.b.en.vtt", "a.b.c.d.srt", "a.srt"):
        (tmp_path / name).touch()
    assert Path(beside(take)).name == "a.b.en.vtt"
    (tmp_path / "a.b.en.vtt").unlink()
    assert Path(beside(take)).name == "a.b.txt"
    (tmp_path / "other.srt").mkdir()
    (tmp_path / "other.vtt").symlink_to(tmp_path / "nowhere")
    assert beside(str(tmp_path / "other.mkv")) == ""


def test_watching_reads_the_subtitles_beside_a_take(tmp_path: Path) -> None:
    session = Session(Cache(tmp_path / "cache"))
    sound = np.zeros(3 * 48_000)
    sound[48_000:96_000] = 0.2 * np.sin(np.arange(48_000) * 0.05)
    film = write(tmp_path / "a.mkv", pan(1, 75), sound=sound)
    (tmp_path / "a.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000 align:start\nhello there\n")
    for _ in range(2):  # the second time from the cache
        [take] = takes([film], session).takes
        assert [w.text for s in take.speech for w in s.words] == ["hello", "there"]
    (tmp_path / "a.vtt").write_text("WEBVTT\n")
    [take] = takes([film], session).takes
    assert any("a.vtt" in w for w in take.warnings)


def test_rough_pronunciations() -> None:
    assert sphinx.sounds("Zorth7") == "Z AA R TH S EH V AH N"
    assert sphinx.sounds("—") == ""


@pytest.mark.skipif(importlib.util.find_spec("pocketsphinx") is None, reason="the extra is not installed")
def test_silence_and_foreign_words_are_not_aligned() -> None:
    assert sphinx.placed(["hello"], np.zeros(16_000, np.float32)) is None
    assert sphinx.placed(["grüße", "schön", "möglich"], np.ones(16_000, np.float32)) is None
