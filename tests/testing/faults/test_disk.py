"""What a cut may leave on a disk."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from azcn_events.testing.faults.disk import (
    SECTOR_BYTES,
    Acknowledged,
    Created,
    Cut,
    Deleted,
    DirectorySynced,
    Image,
    Operation,
    Survival,
    Synced,
    Written,
    images,
)

NAMES = ("a", "b")


@st.composite
def recordings(draw: st.DrawFn) -> list[Operation]:
    """Draw what might be done to two files, in an order that is possible."""
    there: set[str] = set()
    done: list[Operation] = []
    for number in range(draw(st.integers(1, 10))):
        name = draw(st.sampled_from(NAMES))
        if name not in there:
            there.add(name)
            done.append(Created(name))
            continue
        written = st.builds(
            Written,
            st.just(name),
            st.integers(0, 2 * SECTOR_BYTES),
            st.binary(min_size=1, max_size=3).map(lambda piece: piece * SECTOR_BYTES),
        )
        cut = st.builds(Cut, st.just(name), st.integers(0, SECTOR_BYTES))
        others: list[Operation] = [
            Synced(name),
            Deleted(name),
            DirectorySynced(),
            Acknowledged(number),
        ]
        operation: Operation = draw(written | cut | st.sampled_from(others))
        there -= {name} if isinstance(operation, Deleted) else set()
        done.append(operation)
    return done


def plainly(done: list[Operation]) -> dict[str, bytes]:
    """Do the operations to files that lose nothing."""
    files: dict[str, bytearray] = {}
    for operation in done:
        match operation:
            case Created(name):
                files[name] = bytearray()
            case Deleted(name):
                del files[name]
            case Cut(name, size):
                files[name] = files[name][:size]
            case Written(name, offset, data):
                content = files[name].ljust(offset, b"\0")
                files[name] = content[:offset] + data + content[offset + len(data) :]
            case _:
                pass
    return {name: bytes(content) for name, content in files.items()}


def every_image(done: list[Operation]) -> list[Image]:
    """Draw as many images as are worth looking at."""
    return list(images(done, count=30))


@given(recordings())
def test_a_disk_that_keeps_everything_is_a_plain_disk(done: list[Operation]) -> None:
    """If everything survives, the files are as the program saw them."""
    for image in every_image(done):
        if image.survival is Survival.EVERYTHING:
            assert plainly(done[: image.cut]) == image.files


@given(recordings())
def test_what_was_synced_is_always_there(done: list[Operation]) -> None:
    """After a sync of every file and of the directory, no cut changes anything."""
    there = plainly(done)
    safe = [*done, *map(Synced, there), DirectorySynced(), Acknowledged(99)]
    after = [image for image in every_image(safe) if 99 in image.acknowledged]
    assert [there] == [image.files for image in after]


@given(recordings())
def test_images_differ_and_can_be_drawn_again(done: list[Operation]) -> None:
    """No image comes twice, and the same seed gives the same ones."""
    drawn = every_image(done)
    keys = [(image.files, image.acknowledged) for image in drawn]
    assert all(key not in keys[:n] for n, key in enumerate(keys))
    assert drawn == every_image(done)


@given(recordings(), st.integers(1, 20))
def test_no_more_images_than_asked_for(done: list[Operation], count: int) -> None:
    """The number of images is kept, and the acknowledged are those before the cut."""
    drawn = list(images(done, count=count))
    assert 1 <= len(drawn) <= count
    for image in drawn:
        before = [one for one in done[: image.cut] if isinstance(one, Acknowledged)]
        assert tuple(one.number for one in before) == image.acknowledged


@given(recordings())
def test_every_acknowledgement_is_looked_at(done: list[Operation]) -> None:
    """However few images: one with nothing surviving, after every acknowledgement."""
    done.append(Acknowledged(99))
    told = [n for n, one in enumerate(done, 1) if isinstance(one, Acknowledged)]
    drawn = images(done, count=len(told) + 1)
    nothing = {image.cut for image in drawn if image.survival is Survival.NOTHING}
    assert set(told) <= nothing


def contents(*done: Operation) -> set[bytes | None]:
    """Give all that may be in file ``a`` at the end; None if there is none."""
    drawn = images([*done, Acknowledged(0)], count=400)
    return {image.files.get("a") for image in drawn if image.acknowledged}


MADE = (Created("a"), DirectorySynced())
OLD, NEW = b"o" * SECTOR_BYTES, b"n" * SECTOR_BYTES


def test_a_name_needs_the_directory() -> None:
    """A new file whose content was synced may be missing all the same."""
    done = (Created("a"), Written("a", 0, b"1"), Synced("a"))
    assert {None, b"1"} == contents(*done)
    assert {b"1"} == contents(*done, DirectorySynced())


def test_a_deleted_file_may_come_back() -> None:
    """Until the directory was synced, with what was synced in it."""
    done = (*MADE, Written("a", 0, b"1"), Synced("a"), Deleted("a"))
    assert {None, b"1"} == contents(*done)
    assert {None} == contents(*done, DirectorySynced())


def test_a_file_made_again_may_be_the_old_one() -> None:
    """A name stands for the old file, for none, or for the new one."""
    done = (*MADE, Written("a", 0, b"1"), Synced("a"), Deleted("a"), Created("a"))
    assert {None, b"1", b""} == contents(*done)


def test_writes_arrive_in_any_order() -> None:
    """A later write may be there without an earlier one."""
    done = (*MADE, Written("a", 0, b"1"), Written("a", 1, b"2"))
    assert {b"", b"1", b"12", b"\x002"} <= contents(*done)


def test_a_write_is_torn_at_sectors() -> None:
    """Each sector of a write is new or old; nothing else is touched."""
    old, new = OLD * 3, NEW * 3
    done = (*MADE, Written("a", 0, old), Synced("a"), Written("a", 0, new))
    due = {a + b + c for a in (OLD, NEW) for b in (OLD, NEW) for c in (OLD, NEW)}
    assert due == contents(*done)


def test_a_file_that_grew_may_hold_garbage() -> None:
    """Where there was nothing, a sector may be neither old nor new."""
    found = contents(*MADE, Written("a", 0, OLD), Synced("a"), Written("a", 512, NEW))
    garbage = [one for one in found if one not in (OLD, OLD + NEW)]
    assert garbage
    assert all(one and one.startswith(OLD) and len(one) == 1024 for one in garbage)


def test_a_cut_may_not_have_happened() -> None:
    """A file that was cut is long or short until it is synced."""
    done = (*MADE, Written("a", 0, b"123"), Synced("a"), Cut("a", 1))
    assert {b"1", b"123"} == contents(*done)
    assert {b"1"} == contents(*done, Synced("a"))
