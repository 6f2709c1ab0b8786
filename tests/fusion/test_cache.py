import hashlib
import os
import subprocess
import sys
import zlib

import numpy as np
import pytest

from fusion.encoders.cache import Cache

FINGERPRINT = "f" * 64


def digests(n, start=0):
    return [hashlib.sha256(str(i).encode()).hexdigest() for i in range(start, start + n)]


def vectors(n, dim=8, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


@pytest.fixture
def heard():
    return []


@pytest.fixture
def cache(tmp_path, heard):
    return Cache(tmp_path / "embeddings", heard.append)


def shards(cache):
    return sorted(cache.folder.rglob("*.safetensors"))


def test_what_was_put_is_found_again_in_any_order_by_another_reader(cache):
    cache.store(FINGERPRINT, 8).put(digests(100), vectors(100))
    order = np.random.default_rng(1).permutation(100)
    out, known = cache.store(FINGERPRINT, 8).get([digests(100)[i] for i in order])
    assert known.all()
    assert np.array_equal(out, vectors(100)[order])


def test_what_was_never_put_is_not_found_and_zero(cache):
    store = cache.store(FINGERPRINT, 8)
    store.put(digests(2), vectors(2))
    out, known = store.get(digests(3))
    assert known.tolist() == [True, True, False]
    assert not out[2].any()


def test_two_fingerprints_never_mix(cache):
    cache.store(FINGERPRINT, 8).put(digests(1), vectors(1))
    assert not cache.store("e" * 64, 8).get(digests(1))[1].any()


def test_a_reader_sees_what_another_writes_meanwhile(cache):
    reader, writer = cache.store(FINGERPRINT, 8), cache.store(FINGERPRINT, 8)
    writer.put(digests(3), vectors(3))
    reader.refresh()
    assert reader.get(digests(3))[1].all()


def test_several_processes_write_at_once_and_nothing_is_lost(cache):
    code = (
        "import sys, hashlib, numpy as np; from fusion.encoders.cache import Cache\n"
        "n = int(sys.argv[2])\n"
        f"store = Cache(sys.argv[1]).store({FINGERPRINT!r}, 8)\n"
        "for i in range(n, n + 20):\n"
        "    digest = hashlib.sha256(str(i).encode()).hexdigest()\n"
        "    store.put([digest], np.full((1, 8), i, np.float32))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(cache.folder), str(20 * n)])
        for n in range(3)
    ]
    assert [w.wait() for w in writers] == [0, 0, 0]
    out, known = cache.store(FINGERPRINT, 8).get(digests(60))
    assert known.all()
    assert np.array_equal(out[:, 0], np.arange(60))


def test_a_cut_shard_is_set_aside_with_a_message_and_the_others_stay(cache, heard):
    store = cache.store(FINGERPRINT, 8)
    store.put(digests(5), vectors(5))
    [cut] = shards(cache)
    store.put(digests(5, 5), vectors(5))
    cut.write_bytes(cut.read_bytes()[:150])
    assert cache.store(FINGERPRINT, 8).get(digests(10))[1].tolist() == [False] * 5 + [True] * 5
    assert len(heard) == 1
    assert "is damaged" in heard[0]
    assert cut.with_suffix(".damaged").exists()


def test_a_flipped_bit_loses_one_vector_and_keeps_the_rest(cache, heard):
    cache.store(FINGERPRINT, 8).put(digests(5), vectors(5))
    [path] = shards(cache)
    content = bytearray(path.read_bytes())
    place = content.index(vectors(5)[2].tobytes())
    content[place + 3] ^= 1
    path.write_bytes(content)
    store = cache.store(FINGERPRINT, 8)
    out, known = store.get(digests(5))
    assert known.tolist() == [True, True, False, True, True]
    assert np.array_equal(out[3], vectors(5)[3])
    assert "1 of 5 vectors were changed" in heard[0]
    store.put([digests(5)[2]], vectors(5)[2:3])
    assert cache.store(FINGERPRINT, 8).get(digests(5))[1].all()


def test_a_shard_of_another_width_is_set_aside(cache, heard):
    cache.store(FINGERPRINT, 4).put(digests(1), vectors(1, 4))
    assert not cache.store(FINGERPRINT, 8).get(digests(1))[1].any()
    assert "not 8" in heard[0]


def test_a_half_written_file_is_never_read(cache, heard):
    store = cache.store(FINGERPRINT, 8)
    store.put(digests(1), vectors(1))
    (store.folder / "abc.tmp").write_bytes(b"half")
    assert cache.store(FINGERPRINT, 8).get(digests(1))[1].all()
    assert heard == []


@pytest.mark.parametrize("wrong", [np.full((1, 8), np.nan), np.zeros((1, 7)), np.zeros((2, 8))])
def test_vectors_that_are_not_finite_or_of_the_wrong_shape_are_refused(cache, wrong):
    with pytest.raises(ValueError, match="finite vectors of 8"):
        cache.store(FINGERPRINT, 8).put(digests(1), wrong)


def test_many_small_shards_become_few_and_nothing_is_lost(cache):
    store = cache.store(FINGERPRINT, 8)
    for start in range(0, 600, 3):
        store.put(digests(3, start), vectors(3, seed=start))
    assert len(shards(cache)) < 8 * 3
    for reader in (store, cache.store(FINGERPRINT, 8)):
        out, known = reader.get(digests(600))
        assert known.all()
        assert np.array_equal(
            out, np.concatenate([vectors(3, seed=start) for start in range(0, 600, 3)])
        )


def test_shards_are_merged_no_larger_than_fits_in_memory(cache, monkeypatch):
    monkeypatch.setattr("fusion.encoders.cache.MERGED_BYTES", 40 * 32)
    store = cache.store(FINGERPRINT, 8)
    for start in range(0, 300, 3):
        store.put(digests(3, start), vectors(3, seed=start))
    assert max(len(shard) for shard in store.shards.values()) <= 40
    assert len(store.shards) < 300 / 3
    assert store.get(digests(300))[1].all()


def test_a_reader_from_before_a_merge_still_answers_and_sees_it_when_it_looks(cache):
    writer = cache.store(FINGERPRINT, 8)
    for start in range(7):
        writer.put(digests(1, start), vectors(1, seed=start))
    reader = cache.store(FINGERPRINT, 8)
    writer.put(digests(1, 7), vectors(1, seed=7))
    assert len(shards(cache)) == 1
    assert reader.get(digests(7))[1].all()
    reader.refresh()
    assert reader.get(digests(8))[1].all()
    assert list(reader.shards) == [shards(cache)[0].name]


def test_a_damaged_shard_is_told_of_when_it_should_be_merged(cache, heard):
    writer = cache.store(FINGERPRINT, 8)
    for start in range(7):
        writer.put(digests(1, start), vectors(1, seed=start))
    path = shards(cache)[0]
    content = bytearray(path.read_bytes())
    content[content.index(writer.shards[path.name].vectors.tobytes())] ^= 1
    path.write_bytes(content)
    writer.put(digests(1, 7), vectors(1, seed=7))
    assert len(heard) == 1
    assert writer.get(digests(8))[1].sum() == 7


def test_shards_of_an_earlier_version_in_any_order_are_read_and_merged(cache):
    from safetensors.numpy import save_file

    store = cache.store(FINGERPRINT, 8)
    store.folder.mkdir(parents=True)
    raw = [bytes.fromhex(digest) for digest in digests(50)]
    assert raw != sorted(raw)
    checks = np.array([zlib.crc32(vector) for vector in vectors(50)], np.uint32)
    tensors = {
        "vectors": vectors(50),
        "digests": np.frombuffer(b"".join(raw), np.uint8).reshape(-1, 32),
        "checks": checks,
    }
    save_file(tensors, store.folder / "old.safetensors")
    store.refresh()
    assert np.array_equal(store.get(digests(50))[0], vectors(50))
    assert not store.get(digests(10, 50))[1].any()


def test_shards_are_readable_by_the_safetensors_library(cache):
    from safetensors.numpy import load_file

    cache.store(FINGERPRINT, 8).put(digests(3), vectors(3))
    assert os.path.getsize(shards(cache)[0])
    assert np.array_equal(load_file(shards(cache)[0])["vectors"], vectors(3))
