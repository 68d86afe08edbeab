# SPDX-License-Identifier: Apache-2.0
"""AAF for Avid Media Composer: cuts only, through OpenTimelineIO's own adapter where it is installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from backbeat.errors import MissingPartError
from backbeat.exchange.otio_write import build, text, urls_of
from backbeat.model.timeline import Timeline


def aaf(timeline: Timeline) -> bytes:
    """Return an AAF file of the cuts; speeds, levels, dissolves and markers are not in it.

    Raises
    ------
    MissingPartError
        If the adapter is not installed, or fails on this edit.
    """
    import opentimelineio as otio

    if "AAF" not in otio.adapters.available_adapter_names():
        raise MissingPartError("AAF needs an extra part that is not installed", "pip install 'backbeat[aaf]'")
    words = text(build(timeline, urls_of(timeline, Path("/nowhere"))))
    plain = otio.adapters.read_from_string(words, adapter_name="otio_json")
    plain.metadata.clear()
    plain.tracks.markers.clear()
    for track in list(plain.tracks):
        # The adapter takes no dissolve but Avid's own, no effect, no clip that is off and no generator.
        for index in range(len(track) - 1, -1, -1):
            item = track[index]
            if isinstance(item, otio.schema.Transition):
                del track[index]
            elif isinstance(item, otio.schema.Clip):
                gone = not item.enabled or not isinstance(item.media_reference, otio.schema.ExternalReference)
                if gone:
                    track[index] = otio.schema.Gap(source_range=otio.opentime.TimeRange(duration=item.duration()))
                else:
                    item.effects.clear()
                    item.metadata.clear()
        if not track.enabled or not any(isinstance(i, otio.schema.Clip) for i in track):
            plain.tracks.remove(track)
        track.metadata.clear()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "film.aaf"
        try:
            otio.adapters.write_to_file(plain, str(place), adapter_name="AAF", use_empty_mob_ids=True)
        except Exception as error:
            raise MissingPartError(
                f"{timeline.name}: OpenTimelineIO's AAF adapter cannot write this edit ({error})",
                "use --to edl or --to fcpxml, which Media Composer reads too",
            ) from error
        return place.read_bytes()
