"""Objects without a row are swept after a day; those with one never."""

from __future__ import annotations

from pathlib import Path

from kivuko.records.ids import IdSource
from kivuko.records.payloads import ObjectFolder, Payloads
from kivuko.records.rows import Dataclip, Message, MessageVersion
from kivuko.records.states import DataclipKind
from kivuko.records.sweeping import SWEPT_AFTER_US, sweep_objects
from records.scenes import Scene

LARGE = bytes(range(256)) * 8192


def test_what_belongs_to_nothing_is_swept_after_a_day(scene: Scene, tmp_path: Path) -> None:
    objects = ObjectFolder(tmp_path / "objects")
    payloads = Payloads(objects)
    source = IdSource(lambda: scene.now_us * 1000)
    orphan, of_message, of_clip = source.new(), source.new(), source.new()
    for key in (orphan, of_message, of_clip):
        objects.put(key, b"large")
    intent = scene.message()
    large = payloads.store(of_message, LARGE)
    connection = scene.database.connect()
    connection.begin()
    connection.write([Message(of_message, scene.project_id)])
    connection.write([MessageVersion(of_message, 1, scene.project_id, large.encoding, None, of_message, large.size_bytes, 0)])
    clip = payloads.store(of_clip, LARGE)
    connection.write(
        [Dataclip(of_clip, scene.project_id, DataclipKind.SAVED_INPUT, None, None, clip.encoding, None, of_clip, clip.size_bytes)]
    )
    connection.commit()
    connection.close()
    scene.do(intent)
    assert sweep_objects(scene.reader, objects, scene.now_us + SWEPT_AFTER_US - 10_000) == 0
    assert sweep_objects(scene.reader, objects, scene.now_us + SWEPT_AFTER_US + 10_000) == 1
    assert set(objects.keys()) == {of_message, of_clip}
