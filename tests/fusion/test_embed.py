import numpy as np
import pytest
import soundfile
from PIL import Image

from fusion.core.progress import Progress, Stopped
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.data.modalities import BrokenFile
from fusion.data.study import Study
from fusion.data.study_columns import align
from fusion.encoders import named
from fusion.encoders.base import EncoderError, sha256_of
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import embed

TINY = {"image": "tiny-image", "speech": "tiny-audio", "text": "tiny-text"}


class Heard(Progress):
    def __init__(self, stop_after=None):
        self.steps, self.lines, self.stop_after = [], [], stop_after

    def step(self, done, total, unit=""):
        self.steps.append((done, total))

    def log(self, text):
        self.lines.append(text)

    def check(self):
        if self.stop_after is not None and self.steps and self.steps[-1][0] >= self.stop_after:
            raise Stopped


@pytest.fixture
def aligned(tmp_path):
    """Twelve samples; each modality lacks some, one text occurs twice."""
    files, images, sounds = {}, [], []
    for n in range(12):
        Image.fromarray(np.random.default_rng(n).integers(0, 255, (20, 20), dtype=np.uint8)).save(
            tmp_path / f"{n}.png"
        )
        soundfile.write(
            tmp_path / f"{n}.wav", np.random.default_rng(n).normal(0, 0.1, 2000 + 1500 * n), 8000
        )
        for cells, path in ((images, tmp_path / f"{n}.png"), (sounds, tmp_path / f"{n}.wav")):
            digest = sha256_of(path)
            files[digest] = path
            cells.append(Cell(digest))
    images[3] = sounds[5] = None
    texts = [
        Cell.text(f"remark {n % 11} of the clerk" + " and more" * n * (n % 11 > 0))
        for n in range(12)
    ]
    texts[11] = texts[0]
    return Aligned(
        keys=[f"k{n}" for n in range(12)],
        labels=["yes", "no"] * 6,
        modalities={
            "image": Modality("image", images, media=files.__getitem__),
            "speech": Modality("audio", sounds, media=files.__getitem__),
            "text": Modality("text", texts),
        },
    )


def test_features_have_a_row_a_sample_and_zeros_where_a_modality_is_missing(aligned):
    features = embed(aligned, TINY, None, Progress())
    assert {name: x.shape for name, x in features.x.items()} == {
        "image": (12, 128),
        "speech": (12, 64),
        "text": (12, 64),
    }
    assert features.mask[3].tolist() == [False, True, True]
    assert not features.x["image"][3].any()
    assert not features.x["speech"][5].any()
    assert np.array_equal(features.x["text"][0], features.x["text"][11])


def test_each_content_is_computed_once_and_then_comes_from_the_cache(aligned, tmp_path):
    cache = Cache(tmp_path / "c")
    first = embed(aligned, TINY, cache, Progress())
    again = embed(aligned, TINY, cache, Progress())
    assert (first.n_computed, first.n_cached) == (33, 0)
    assert (again.n_computed, again.n_cached) == (0, 33)
    assert all(np.array_equal(first.x[name], again.x[name]) for name in first.names)


def test_a_new_sample_costs_only_itself(aligned, tmp_path):
    cache = Cache(tmp_path / "c")
    embed(aligned, TINY, cache, Progress())
    aligned.modalities["text"].cells[2] = Cell.text("something else")
    assert embed(aligned, TINY, cache, Progress()).n_computed == 1


def test_the_order_of_samples_changes_no_vector(aligned):
    order = [7, 3, 11, 0, 5, 1, 2, 4, 6, 8, 9, 10]
    modalities = {
        n: Modality(m.kind, [m.cells[i] for i in order], media=m.media)
        for n, m in aligned.modalities.items()
    }
    shuffled = Aligned(
        [aligned.keys[i] for i in order], [aligned.labels[i] for i in order], modalities
    )
    straight, mixed = (
        embed(aligned, TINY, None, Progress()),
        embed(shuffled, TINY, None, Progress()),
    )
    assert all(np.allclose(straight.x[n][order], mixed.x[n], atol=1e-5) for n in straight.names)


def test_progress_counts_every_content_and_says_what_is_read(aligned):
    heard = Heard()
    embed(aligned, TINY, None, heard)
    assert heard.steps[-1] == (33, 33)
    assert heard.lines == [
        "image: tiny-image reads 11 of 11",
        "speech: tiny-audio reads 11 of 11",
        "text: tiny-text reads 11 of 11",
    ]


def test_a_stopped_run_goes_on_where_it_was(aligned, tmp_path):
    cache = Cache(tmp_path / "c")
    with pytest.raises(Stopped):
        embed(aligned, TINY, cache, Heard(stop_after=25))
    assert embed(aligned, TINY, cache, Progress()).n_cached >= 22


def test_several_encoders_of_a_modality_stand_side_by_side(aligned):
    smaller = named("pixels")
    smaller.resolution = 8
    features = embed(aligned, TINY | {"image": ["tiny-image", smaller]}, None, Progress())
    assert [(p.name, p.start, p.dim) for p in features.parts["image"]] == [
        ("tiny-image", 0, 128),
        ("pixels", 128, 64),
    ]
    assert features.x["image"].shape == (12, 192)


def test_numbers_of_a_table_come_with_which_of_them_are_missing():
    cells = [Cell.numbers([1.5, None]), None, Cell.numbers([2, 3])]
    aligned = Aligned(
        ["a", "b", "c"], ["x", "y", "x"], {"scale": Modality("table", cells, fields=["d.p", "d.q"])}
    )
    features = embed(aligned, None, None, Progress())
    assert features.mask[:, 0].tolist() == [True, False, True]
    assert np.array_equal(
        features.x["scale"],
        np.float32([[1.5, np.nan, 0, 1], [0, 0, 0, 0], [2, 3, 0, 0]]),
        equal_nan=True,
    )


def test_a_file_that_broke_since_is_named_by_its_sample(aligned):
    aligned.modalities["image"].content(4).write_bytes(b"\x89PNG\r\n\x1a\n cut")
    with pytest.raises(BrokenFile, match="image of sample k4 ends in the middle of its data"):
        embed(aligned, TINY, None, Progress())


def test_an_encoder_of_another_kind_or_for_an_unknown_modality_is_refused(aligned):
    with pytest.raises(EncoderError, match="encoder tiny-text reads text, not image"):
        embed(aligned, {"image": "tiny-text"}, None, Progress())
    with pytest.raises(EncoderError, match="an encoder is chosen for smell"):
        embed(aligned, {"smell": "tiny-text"}, None, Progress())


@pytest.mark.study
def test_spoken_digits_is_embedded_with_the_tiny_encoders_from_its_files(spoken_digits, tmp_path):
    aligned = align(Study.load(spoken_digits))
    features = embed(aligned, TINY, Cache(tmp_path), Progress())
    assert features.mask.sum(0).tolist() == [1150, 1130, 1137]
    assert all(np.isfinite(x).all() for x in features.x.values())
