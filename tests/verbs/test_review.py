"""A review of real films: small, barcoded, of known cuts and beats."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.decide.judge import CUT_WINDOW
from backbeat.errors import InputError, MediaError
from backbeat.exchange import otio
from backbeat.model.cue import Cue, Seam
from backbeat.model.footage import Media
from backbeat.model.song import Beat, Section, Song
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Marker, Timeline, Track
from backbeat.verbs.review import ReviewOptions, as_json, review
from backbeat.verbs.review_joins import phase_breaks, planned_joins
from backbeat.verbs.review_music import agreement, laid_over, shifted
from backbeat.verbs.review_timeline import character_shares
from backbeat.verbs.session import Session
from backbeat.work.cache import Cache
from kit import coded

RATE = Fraction(24)
SECONDS = 30
BPM = 120.0
BEATS = [b for b in coded.song_beats(BPM, SECONDS) if b < SECONDS]
# Cuts on beats but two: one four frames late, one half a beat off.
ON = [round(b * 24) for b in BEATS[3:-4:4]]
CUTS = sorted([*ON[:4], ON[4] + 4, *ON[5:8], ON[8] + 6, *ON[9:]])


def write_film(path: Path, cuts: list[int], sound: np.ndarray | None, *, seconds: float = SECONDS) -> str:
    with av.open(str(path), "w") as box:
        video = box.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "20"})
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        audio = box.add_stream("aac", rate=48_000, layout="stereo") if sound is not None else None
        for n in range(round(seconds * RATE)):
            take = 1 + sum(n >= c for c in cuts)  # every shot of another take
            planes = coded.picture(take, n, rate=RATE, size=(160, 90), hits=(), shot=0)
            frame = coded._frame(planes)
            frame.pts, frame.time_base = n, 1 / RATE
            box.mux(video.encode(frame))
        box.mux(video.encode())
        if sound is not None:
            coded.write_sound(box, audio, sound)
    return str(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("review")


@pytest.fixture(scope="module")
def session(place: Path) -> Session:
    return Session(Cache(place / "cache"))


@pytest.fixture(scope="module")
def song(place: Path) -> str:
    return coded.write_wav(place / "song.wav", coded.song_sound(BPM, SECONDS))


@pytest.fixture(scope="module")
def film(place: Path, song: str) -> str:
    return write_film(place / "film.mp4", CUTS, coded.song_sound(BPM, SECONDS))


@pytest.fixture(scope="module")
def beats(place: Path) -> str:
    path = place / "song.beats"
    path.write_text("".join(f"{b:.6f} {1 + i % 4}\n" for i, b in enumerate(BEATS)), encoding="utf-8")
    return str(path)


def test_the_metrics_are_what_the_frames_prove(film: str, beats: str, session: Session) -> None:
    found = review(ReviewOptions(film, beats=beats), session)
    told = as_json(found)
    cuts = sorted(round(m.time * 24) for m in found.marks if m.kind == "cut")
    assert cuts == sorted(CUTS)
    cutting = told["aspects"]["cutting"]  # type: ignore[index]
    early, late = CUT_WINDOW.seconds(RATE)
    offsets = [min((c / 24 - b for b in BEATS), key=abs) for c in cuts]
    assert cutting["n"] == len(cuts)
    assert cutting["rate"] == pytest.approx(sum(-early <= o <= late for o in offsets) / len(cuts), abs=1e-4)
    assert cutting["chance"] == pytest.approx((early + late) * BPM / 60, abs=1e-3)
    assert cutting["median_error_ms"] == pytest.approx(1000 * float(np.median(offsets)), abs=0.01)
    assert cutting["share_downbeat"] + cutting["share_section"] == pytest.approx(
        sum(
            -early <= o <= late and 1 + round((c / 24 - BEATS[0]) * 2) % 4 == 1
            for c, o in zip(cuts, offsets, strict=True)
        )
        / len(cuts),
        abs=1e-4,
    )
    late_cut = next(m for m in told["moments"] if m["aspect"] == "cutting")  # type: ignore[attr-defined]
    assert late_cut["time"] == pytest.approx((ON[4] + 4) / 24, abs=1e-3)
    assert "4 frames earlier" in late_cut["todo"]


def test_the_song_is_found_and_heard(film: str, song: str, session: Session) -> None:
    by_ear = review(ReviewOptions(film), session)
    by_song = review(ReviewOptions(film, song=song), session)
    for found in (by_ear, by_song):
        assert (found.aspect("cutting").figure("rate") or 0) >= 0.8
        assert (found.aspect("cutting").stars or 0) >= 3.0
    assert "from its 0:00.0" in by_song.music
    assert by_song.aspect("cutting").figure("kappa_second") is not None


def test_a_film_100_ms_late_gets_one_star(place: Path, song: str, beats: str, session: Session) -> None:
    late = write_film(place / "late.mp4", [c + 3 for c in ON], coded.song_sound(BPM, SECONDS))
    assert review(ReviewOptions(late, beats=beats), session).aspect("cutting").stars == 1.0
    assert review(ReviewOptions(late, song=song), session).aspect("cutting").stars == 1.0


def test_a_song_that_comes_late_and_was_cut_is_judged_piecewise(place: Path, song: str, session: Session) -> None:
    whole = coded.song_sound(BPM, SECONDS)
    silence = np.zeros((2, round(1.3 * 48_000)), np.float32)
    # From its beat 4 to beat 24, then from beat 32 on: a jump of two bars.
    one, two = (round(BEATS[a] * 48_000) for a in (4, 24))
    three = round(BEATS[32] * 48_000)
    sound = np.concatenate([silence, whole[:, one:two], whole[:, three:]], axis=1)
    length = sound.shape[1] / 48_000
    places = [1.3 + b - BEATS[4] for b in BEATS[4:24]] + [
        1.3 + BEATS[24] - BEATS[4] + b - BEATS[32] for b in BEATS[32:]
    ]
    cuts = [round(p * 24) for p in places[2:-3:3]]
    path = write_film(place / "pieces.mp4", cuts, sound, seconds=length)
    found = review(ReviewOptions(path, song=song), session)
    assert found.aspect("cutting").figure("rate") == 1.0
    assert "; " in found.music  # two pieces
    heard = [m.time for m in found.marks if m.kind in {"beat", "downbeat"}]
    inner = [p for p in places if 2.0 < p < length - 1.5 and abs(p - (1.3 + BEATS[24] - BEATS[4])) > 0.2]
    missed = [p for p in inner if min(abs(p - h) for h in heard) > 0.03]
    assert not missed


def test_another_song_is_refused(place: Path, film: str, session: Session) -> None:
    other = coded.write_wav(
        place / "other.wav", np.random.default_rng(1).normal(0, 0.1, (2, 480_000)).astype(np.float32)
    )
    with pytest.raises(InputError, match="not heard"):
        review(ReviewOptions(film, song=other), session)


def test_without_music_without_sound_without_cuts(place: Path, session: Session) -> None:
    rng = np.random.default_rng(2)
    noise = (rng.normal(0, 0.02, (2, 480_000))).astype(np.float32)
    cases = {
        "mute": write_film(place / "mute.mp4", [40, 90, 150], None, seconds=10),
        "silence": write_film(place / "silence.mp4", [40, 90, 150], np.zeros((2, 480_000), np.float32), seconds=10),
        "noise": write_film(place / "noise.mp4", [40, 90, 150], noise, seconds=10),
    }
    for name, path in cases.items():
        found = review(ReviewOptions(path), session)
        assert found.aspect("cutting").stars is None, name
        assert found.aspect("weave").stars is None, name
        assert found.aspect("dialogue").stars is None, name
        json.dumps(as_json(found), allow_nan=False)


def test_one_shot_only(place: Path, song: str, session: Session) -> None:
    path = write_film(place / "one.mp4", [], coded.song_sound(BPM, SECONDS)[:, : 48_000 * 10], seconds=10)
    found = review(ReviewOptions(path), session)
    assert "one shot only" in found.aspect("cutting").finding
    assert found.aspect("pace").stars is None


def test_music_only_is_no_film(song: str, session: Session) -> None:
    with pytest.raises(MediaError, match="no picture"):
        review(ReviewOptions(song), session)


def timeline(cuts: list[int], takes: tuple[Media, ...] = (), **clip: object) -> Timeline:
    edges = [0, *cuts, SECONDS * 24]
    clips = tuple(
        Clip(a, b - a, "/gone/take.mov", 0, RATE, **clip)  # type: ignore[arg-type]
        for a, b in pairwise(edges)
    )
    return Timeline("film", RATE, 160, 90, SECONDS * 24, (Track(clips),), takes=takes)


def test_the_timeline_is_checked_against_the_film(place: Path, film: str, beats: str, session: Session) -> None:
    gone = (Media("/gone/take.mov", RATE, 9999, 160, 90),)
    right, wrong = place / "right.otio", place / "wrong.otio"
    otio.save(timeline(CUTS, gone, metadata=(("characters", "Ada"),)), right)
    otio.save(timeline([CUTS[0] - 2, *CUTS[1:]], gone), wrong)
    good = review(ReviewOptions(film, beats=beats, timeline=str(right)), session)
    bad = review(ReviewOptions(film, beats=beats, timeline=str(wrong)), session)
    assert good.aspect("technique").figure("differences") == 0
    assert good.aspect("characters").figure("Ada") == 1.0
    assert bad.aspect("technique").figure("differences") == 1
    assert "+2 frames off" in bad.aspect("technique").finding
    assert any("compared by its cuts" in n for n in good.notes)


def test_characters_come_from_the_log(tmp_path: Path) -> None:
    take = tmp_path / "A001.mov"
    take.touch()
    (tmp_path / "log.csv").write_text("file,characters\nA001.mov,Ada; Ben\n", encoding="utf-8")
    plain = timeline(CUTS, (Media(str(take), RATE, 9999, 160, 90),))
    clips = plain.tracks[0].clips
    half = tuple(replace(c, take=str(take)) for c in clips[: len(clips) // 2]) + clips[len(clips) // 2 :]
    shares = character_shares(replace(plain, tracks=(Track(half),)))
    expected = sum(c.frames for c in half if c.take == str(take)) / plain.frames
    assert shares == {"Ada": pytest.approx(expected), "Ben": pytest.approx(expected)}


def test_the_verdict_is_not_given_on_the_grid_of_the_edit(place: Path, film: str, session: Session) -> None:
    gone = (Media("/gone/take.mov", RATE, 9999, 160, 90),)
    path = place / "marked.otio"
    marked = timeline(CUTS, gone)
    otio.save(
        Timeline(
            **{f: getattr(marked, f) for f in marked.__slots__} | {"markers": tuple(Marker(b, "beat") for b in BEATS)}
        ),
        path,
    )
    found = review(ReviewOptions(film, timeline=str(path)), session)
    assert "'plain'" in found.music
    assert found.aspect("cutting").figure("kappa_second") is not None


def test_against_itself_a_film_is_not_slow(film: str, session: Session) -> None:
    found = review(ReviewOptions(film, against=(film,)), session)
    assert found.aspect("runtime").stars == 5.0


# --- the music's place ------------------------------------------------------------------------------------------


class _Piece:
    def __init__(self, start: float, end: float, song: float, stretch: float) -> None:
        self.start, self.end, self.song, self.stretch = start, end, song, stretch

    def film_time(self, t: float) -> float:
        return self.start + (t - self.song) / self.stretch

    def song_time(self, t: float) -> float:
        return self.song + (t - self.start) * self.stretch


def test_a_song_laid_over_pieces() -> None:
    heard = Song(
        "s", 40.0, tuple(Beat(float(t), 1 + t % 4, 1.0) for t in range(40)),
        sections=(Section(0, 20, "A", 0.2), Section(20, 40, "B", 0.9)), energy=(0.2,) * 40 + (0.9,) * 40,
    )  # fmt: skip
    got = laid_over(heard, [_Piece(1.0, 5.0, 10.0, 1.0), _Piece(5.0, 9.0, 30.0, 2.0)], 10.0)  # type: ignore[list-item]
    assert [round(b.time, 3) for b in got.beats] == [1, 2, 3, 4, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5]
    assert [(s.label, s.start, s.end) for s in got.sections] == [("A", 1.0, 5.0), ("B", 5.0, 9.0)]
    assert got.energy[:2] == (0.0, 0.0)
    assert got.energy[4] == 0.2
    assert got.energy[12] == 0.9


def test_agreement_and_shift() -> None:
    assert agreement([1.0, 2.0, 3.0], [1.02, 2.0, 2.95]) == 1.0
    assert agreement([1.0, 2.0], []) == 0.0
    assert agreement([1.0, 1.5, 2.0, 2.5], [1.0, 2.0]) == pytest.approx(2 / 3)
    moved = shifted(Song("s", 4.0, (Beat(1.0, 1, 1.0),), energy=(0.1, 0.2, 0.3)), 0.5)
    assert moved.beats[0].time == 1.5
    assert moved.energy == (0.0, 0.1, 0.2, 0.3)
    assert Span(0, 1).length == 1


def test_a_cut_inside_the_music_breaks_its_beat() -> None:
    rng = np.random.default_rng(1)
    steady = np.arange(60) * 0.5 + rng.normal(0, 0.004, 60)
    cut = np.concatenate([steady[:30], steady[30:] - 0.2])
    assert phase_breaks(steady.tolist()) == []
    assert phase_breaks(cut.tolist()) == [cut[30]]
    whole_bars = np.concatenate([steady[:30], steady[34:] - 2.0])
    assert phase_breaks(whole_bars.tolist()) == []  # a good seam keeps the step
    rubato = np.cumsum(0.5 + 0.05 * np.sin(np.arange(80) / 5))
    assert phase_breaks(rubato.tolist()) == []


def test_joins_that_a_timeline_plans() -> None:
    one = Cue("a.wav", 0.0, 20.0, song_in=5.0, seams=(Seam(12.0, 30.0), Seam(33.0, 60.0)))
    two = Cue("b.wav", 19.0, 40.0)
    planned = planned_joins(replace(timeline(CUTS), cues=(one, two)))
    assert [t for t, _ in planned] == [7.0, 10.0, 19.0]


# --- the street door ---------------------------------------------------------------------------------------------

RUN = CliRunner()


def test_json_on_stdout_and_a_report(
    tmp_path: Path, place: Path, film: str, beats: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKBEAT_CACHE", str(place / "cache"))
    name = tmp_path / "<img src=x onerror=alert(1)>.mp4"
    name.symlink_to(film)
    report = tmp_path / "report.html"
    done = RUN.invoke(app, ["review", str(name), "--beats", beats, "--json", "-o", str(report), "--progress", "none"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["schema"] == "backbeat.review/1"
    assert set(told["aspects"]) == {
        "cutting", "action", "pace", "weave", "dialogue", "picture", "characters", "runtime", "technique",
    }  # fmt: skip
    assert {"stars", "n", "rate", "chance", "kappa", "low", "p"} <= set(told["aspects"]["cutting"])
    assert told["aspects"]["dialogue"]["stars"] is None
    assert told["aspects"]["dialogue"]["reason"]
    assert "<img src=x" not in report.read_text(encoding="utf-8")
    again = RUN.invoke(app, ["review", str(name), "--beats", beats, "-o", str(report), "--progress", "none"])
    assert again.exit_code == 2
    assert "exists" in again.stderr


def test_fail_under(place: Path, film: str, beats: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBEAT_CACHE", str(place / "cache"))
    base = ["review", film, "--beats", beats, "--progress", "none"]
    assert RUN.invoke(app, [*base, "--fail-under", "1"]).exit_code == 0
    failed = RUN.invoke(app, [*base, "--fail-under", "5", "--json"])
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["stars"] < 5
    assert RUN.invoke(app, [*base, "--fail-under", "9"]).exit_code == 2


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["/nowhere/film.mp4"], 3),
        (["FILM", "--beats", "/nowhere/x.beats"], 2),
        (["FILM", "--timeline", "/nowhere/x.otio"], 2),
        (["FILM", "--timeline", "x.xml"], 2),
        (["FILM", "-o", "FILM"], 2),
        (["FILM", "--open"], 2),
    ],
)
def test_errors_are_one_json_object(
    film: str, place: Path, more: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKBEAT_CACHE", str(place / "cache"))
    words = [film if w == "FILM" else w for w in more]
    done = RUN.invoke(app, ["review", *words, "--json", "--progress", "none"])
    assert done.exit_code == code, done.output
    assert {"error", "try", "exit_code"} <= set(json.loads(done.stdout))
