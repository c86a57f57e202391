"""Exceptions: what they derive from, and that C++ ones arrive as such."""

import pickle

import pytest

import graft


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (graft.InvalidArgument, ValueError),
        (graft.IoError, OSError),
        (graft.FormatError, ValueError),
        (graft.BackendUnavailable, RuntimeError),
        (graft.OutOfMemory, MemoryError),
        (graft.Cancelled, graft.Error),
    ],
)
def test_exceptions_are_also_the_built_in_ones(error, base):
    assert issubclass(error, graft.Error)
    assert issubclass(error, base)
    assert str(pickle.loads(pickle.dumps(error("text")))) == "text"


def test_errors_of_files_arrive_as_their_class(tmp_path):
    with pytest.raises(graft.IoError, match="nothing.npz"):
        graft.load_npz(tmp_path / "nothing.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no zip")
    with pytest.raises(graft.FormatError, match=r"broken\.npz"):
        graft.load_npz(broken)
    with pytest.raises(OSError, match="nothing"):
        graft.read_npy(tmp_path / "nothing.npy")


def test_names_of_files_may_hold_any_bytes(tmp_path):
    name = bytes(tmp_path) + b"/\xff\xfe.npz"
    with pytest.raises(graft.IoError) as caught:
        graft.load_npz(name)
    assert "\udcff\udcfe.npz" in str(caught.value)


def test_a_numeric_path_that_is_absent_is_unavailable(monkeypatch, shop):
    available = graft.numeric_path()
    assert available in ("baseline", "avx2", "avx512")
    assert graft.numeric_path(graft.Context(path="baseline")) == "baseline"
    for path in ("avx2", "avx512"):
        try:
            assert graft.numeric_path(graft.Context(path=path)) == path
        except graft.BackendUnavailable as error:
            assert f"path = {path}" in str(error)
