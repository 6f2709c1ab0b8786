import io
import os
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from fusion.data import modalities
from fusion.data.child import Inspector
from fusion.data.modalities import BrokenFile, Inspection, audio, image, series, sniff, text


def photo(width=60, height=40, **options):
    values = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(values).save(out, **{"format": "PNG", **options})
    return out.getvalue()


def saved(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def sound(folder: Path, samples, rate=8000, name="a.wav", **options) -> Path:
    path = folder / name
    soundfile.write(path, np.asarray(samples), rate, **options)
    return path


def tone(seconds=0.5, rate=8000, level=0.5):
    return level * np.sin(np.arange(int(seconds * rate)) / 5)


def bomb(width: int, height: int) -> bytes:
    """A grey PNG of many pixels in few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b"\0" * (width + 1)) for _ in range(height)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )


def broken(path: Path, kind: str) -> str:
    with pytest.raises(BrokenFile) as error:
        modalities.inspect(path, kind)
    return error.value.reason


def test_importing_the_package_loads_no_decoder():
    code = (
        "import sys, fusion.data.modalities; print(sorted({'numpy', 'PIL', 'soundfile', "
        "'scipy', 'pyarrow'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_every_image_format_is_recognised_by_content_not_by_name(tmp_path, format):
    found = modalities.inspect(saved(tmp_path, "x.wav", photo(format=format)), "image")
    assert (found.kind, found.facts["width"], found.facts["height"]) == ("image", 60, 40)
    assert found.media_type == f"image/{format.lower()}"


@pytest.mark.parametrize(
    ("format", "share"), [("PNG", 0.5), ("JPEG", 0.5), ("GIF", 0.6), ("WEBP", 0.5)]
)
def test_an_image_cut_in_half_is_broken_and_the_reason_says_how(tmp_path, format, share):
    whole = photo(format=format)
    cut = whole[: int(len(whole) * share)]
    assert (
        broken(saved(tmp_path, "x.png", cut), "image")
        == f"ends in the middle of its data ({len(cut):,} bytes, no end mark)"
    )


def test_a_pickle_named_png_is_refused_as_a_pickle(tmp_path):
    assert broken(saved(tmp_path, "x.png", pickle.dumps({"a": 1})), "image").startswith(
        "is a Python pickle"
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (pickle.dumps([1], protocol=2), "a Python pickle"),
        (b"cos\nsystem\n(S'x'\ntR.", "a Python pickle"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'", "a NumPy file"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 20, "an HDF5 file"),
        (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0", "an ONNX model"),
        (b"PK\x03\x04" + b"\0" * 26 + b"archive/data.pkl", "a PyTorch file"),
        (b"PK\x03\x04" + b"\0" * 26 + b"notes.txt", "an archive"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 60, "a program"),
    ],
)
def test_files_that_can_run_code_are_named_and_have_no_kind(content, what):
    assert modalities.forbidden(content) == what
    assert sniff(content) is None


def test_a_sound_in_an_image_column_is_called_a_sound(tmp_path):
    assert broken(sound(tmp_path, tone()), "image").startswith("is audio, not image")


def test_a_picture_of_one_colour_is_flagged_blank(tmp_path):
    out = io.BytesIO()
    Image.new("L", (9, 9), 7).save(out, "PNG")
    assert modalities.inspect(saved(tmp_path, "x.png", out.getvalue()), "image").flags == ["blank"]


def test_a_photo_with_gps_is_flagged_and_its_thumbnail_carries_no_metadata(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    path = saved(tmp_path, "x.jpg", photo(format="JPEG", exif=exif))
    assert "location" in modalities.inspect(path, "image").flags
    assert not Image.open(io.BytesIO(image.thumbnail(path, 32))).getexif()


def test_a_thumbnail_keeps_the_shape_and_never_enlarges(tmp_path):
    wide = Image.open(io.BytesIO(image.thumbnail(saved(tmp_path, "a.png", photo(600, 300)), 100)))
    assert (wide.format, wide.size) == ("WEBP", (100, 50))
    assert Image.open(
        io.BytesIO(image.thumbnail(saved(tmp_path, "b.png", photo(28, 28)), 100))
    ).size == (28, 28)


def test_sixteen_bit_grey_is_stretched_to_its_own_range(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(np.linspace(100, 4000, 64).reshape(8, 8).astype(np.uint16)).save(path)
    decoded = image.decode(path, 8)
    assert (decoded.shape, decoded.dtype, decoded.min(), decoded.max()) == (
        (8, 8, 3),
        np.uint8,
        0,
        255,
    )


def test_transparency_becomes_white(tmp_path):
    path = tmp_path / "x.png"
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(path)
    assert image.decode(path, 4).min() == 255


def test_a_good_recording_is_described(tmp_path):
    found = modalities.inspect(sound(tmp_path, tone(0.5)), "audio")
    assert (found.facts["seconds"], found.facts["rate"], found.facts["channels"], found.flags) == (
        0.5,
        8000,
        1,
        [],
    )


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("a.flac", "audio/flac"),
        ("a.ogg", "audio/ogg"),
        ("a.aiff", "audio/aiff"),
        ("a.mp3", "audio/mpeg"),
    ],
)
def test_other_sound_formats_are_read(tmp_path, name, media):
    found = modalities.inspect(sound(tmp_path, tone(1, 16000), 16000, name=name), "audio")
    assert found.media_type == media
    assert found.facts["seconds"] == pytest.approx(1, abs=0.2)


def test_a_wav_cut_in_its_header_is_broken(tmp_path):
    content = sound(tmp_path, tone()).read_bytes()[:30]
    assert (
        broken(saved(tmp_path, "b.wav", content), "audio")
        == "ends in the middle of its header (30 bytes)"
    )


def test_a_wav_cut_in_its_data_is_broken(tmp_path):
    content = sound(tmp_path, tone()).read_bytes()[:1044]
    assert (
        broken(saved(tmp_path, "b.wav", content), "audio")
        == "ends in the middle of its data (1,000 of 8,000 bytes)"
    )


def test_a_flac_cut_in_half_is_broken(tmp_path):
    content = sound(
        tmp_path, np.random.default_rng(0).normal(0, 0.1, 30000), name="a.flac"
    ).read_bytes()
    assert broken(saved(tmp_path, "b.flac", content[: len(content) // 2]), "audio")


def test_silence_and_clipping_are_flags_not_faults(tmp_path):
    assert modalities.inspect(sound(tmp_path, np.zeros(4000)), "audio").flags == ["silent"]
    assert modalities.inspect(sound(tmp_path, np.clip(tone(level=3.0), -1, 1)), "audio").flags == [
        "clipped"
    ]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_recordings_with_values_that_are_no_numbers_are_broken(tmp_path, value):
    path = sound(tmp_path, np.where(np.arange(4000) == 2000, value, 0.1), subtype="FLOAT")
    assert broken(path, "audio") == "holds values that are no numbers (NaN or infinite)"


def test_an_empty_recording_and_an_odd_rate_are_broken(tmp_path):
    assert broken(sound(tmp_path, np.zeros(0)), "audio") == "holds no sound (0 samples)"
    assert broken(sound(tmp_path, tone(), rate=1), "audio").startswith(
        "says it has 1 samples a second"
    )


def test_a_waveform_rises_where_the_sound_does(tmp_path):
    path = sound(tmp_path, np.concatenate([np.zeros(4000), tone(0.5)]))
    drawn = audio.waveform(path, 10)
    assert drawn[:5] == [0] * 5
    assert all(45 <= v <= 50 for v in drawn[5:])


def test_stereo_at_another_rate_becomes_mono_at_the_asked_one(tmp_path):
    path = sound(tmp_path, np.stack([tone(1, 44100), tone(1, 44100)], 1), 44100)
    assert audio.decode(path, 16000).shape == (16000,)
    assert audio.decode(path, 16000, seconds=0.25).shape == (4000,)


def test_text_must_be_utf8_without_nul(tmp_path):
    assert text.decode(saved(tmp_path, "a.txt", "\ufeffgrün".encode())) == "grün"
    assert "not UTF-8" in broken(saved(tmp_path, "b.txt", "grün".encode("latin-1")), "text")
    assert "NUL" in broken(saved(tmp_path, "c.txt", b"a\0b"), "text")


def test_a_series_is_read_from_a_cell_or_a_file(tmp_path):
    assert (
        series.parse("1; 2.5; 3")
        == [1, 2.5, 3]
        == series.parse("[1, 2.5, 3]")
        == series.parse([1, 2.5, 3])
    )
    assert series.decode(saved(tmp_path, "a.csv", b"t,value\n0,1\n1,2.5\n")) == [1, 2.5]
    with pytest.raises(BrokenFile, match="'x', which is no number"):
        series.parse("1 x 3")


def test_a_bomb_of_400_megapixels_is_refused_in_the_child_with_little_memory(tmp_path):
    path = saved(tmp_path, "bomb.png", bomb(20_000, 20_000))
    with Inspector() as inspector:
        found = inspector.inspect(path, "image")
        assert isinstance(found, BrokenFile)
        assert found.reason == "has too many pixels (at most 100 million)"
        status = Path(f"/proc/{inspector.child.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 150_000


def test_one_child_inspects_good_and_broken_files_in_turn(tmp_path):
    good, bad = saved(tmp_path, "a.png", photo()), saved(tmp_path, "b.png", photo()[:500])
    with Inspector(thumbnail_px=32, waveform_points=8) as inspector:
        found = [
            inspector.inspect(p, k)
            for p, k in ((good, "image"), (bad, "image"), (sound(tmp_path, tone()), "audio"))
        ]
        assert inspector.restarts == 0
    assert isinstance(found[0], Inspection)
    assert Image.open(io.BytesIO(found[0].thumbnail)).width == 32
    assert isinstance(found[1], BrokenFile)
    assert len(found[2].waveform) == 8


def test_a_file_that_ends_the_child_is_broken_and_the_next_one_is_read_by_a_new_child(tmp_path):
    good = saved(tmp_path, "a.png", photo())
    with Inspector() as inspector:
        inspector.inspect(good, "image")
        os.kill(inspector.child.pid, 9)
        assert "crash" in inspector.inspect(good, "image").reason
        assert isinstance(inspector.inspect(good, "image"), Inspection)
        assert inspector.restarts == 1


def test_a_file_that_takes_too_long_is_given_up(tmp_path):
    fifo = tmp_path / "slow.png"
    fifo.write_bytes(photo())
    with Inspector(seconds=0.3) as inspector:
        inspector.inspect(fifo, "image")
        os.kill(inspector.child.pid, 19)  # stopped: it will never answer
        assert inspector.inspect(fifo, "image").reason == "took more than 0.3 seconds to decode"
        assert isinstance(inspector.inspect(fifo, "image"), Inspection)


def test_the_child_sees_no_secret_of_the_parent(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    with Inspector() as inspector:
        inspector.inspect(saved(tmp_path, "a.png", photo()), "image")
        assert b"secret" not in Path(f"/proc/{inspector.child.pid}/environ").read_bytes()


def test_every_file_of_the_study_is_told_good_from_broken(spoken_digits):
    files = [(p, "image") for p in sorted((spoken_digits / "images").iterdir())] + [
        (p, "audio") for p in sorted((spoken_digits / "speech").iterdir())
    ]
    with Inspector() as inspector:
        found = {path.name: inspector.inspect(path, kind) for path, kind in files}
    bad = sorted(name for name, f in found.items() if isinstance(f, BrokenFile))
    assert bad == sorted(
        [f"D00{n}.png" for n in (215, 244, 559, 596)]
        + [f"D00{n}.wav" for n in (109, 547, 556, 687, 778)]
    )
    assert sum("silent" in f.flags for f in found.values() if isinstance(f, Inspection)) == 6
