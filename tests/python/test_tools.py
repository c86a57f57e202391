"""Data sets and inspection."""

import json

import numpy as np
import pytest
import scipy.sparse as sp

import graft

SMALL = {"users": 60, "items": 50, "interactions": 600, "text_dims": 16, "image_dims": 8}


def test_synth_makes_a_whole_data_set(tmp_path):
    facts = graft.prepare.synth(tmp_path / "toy", seed=3, **SMALL)
    assert facts == json.loads((tmp_path / "toy" / "dataset.json").read_text())
    features = graft.read_npy(tmp_path / "toy" / "text_feat.npy")
    assert features.shape == (50, 16)
    train = graft.read_inter(tmp_path / "toy" / "toy.inter", items=50)
    assert graft.read_inter(tmp_path / "toy" / "toy.inter", split="all").size == 600
    truth = graft.load_npz(tmp_path / "toy" / "truth.npz")
    assert graft.refine(features, train).items == truth.items


def test_synth_is_a_function_of_its_arguments(tmp_path):
    for name, seed, threads in (("a", 3, 1), ("b", 3, 2), ("c", 4, 1)):
        (tmp_path / name).mkdir()
        graft.prepare.synth(tmp_path / name / "toy", seed=seed, threads=threads, **SMALL)
    a, b, c = ((tmp_path / name / "toy" / "toy.inter").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_synth_refuses_by_name_and_leaves_nothing(tmp_path):
    with pytest.raises(graft.InvalidArgument, match="noise"):
        graft.prepare.synth(tmp_path / "toy", noise=2.0)
    with pytest.raises(graft.InvalidArgument, match="shape"):
        graft.prepare.synth(tmp_path / "toy", shape="huge")
    with pytest.raises(TypeError, match="prepare.synth: seed = 'x': must be an int"):
        graft.prepare.synth(tmp_path / "toy", seed="x")
    with pytest.raises(graft.InvalidArgument, match="prepare.synth: seed = -1"):
        graft.prepare.synth(tmp_path / "toy", seed=-1)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def ratings(tmp_path):
    random = np.random.default_rng(0)
    rows = {(f"u{u}", f"i{i}") for u, i in zip(random.integers(0, 20, 400), random.integers(0, 15, 400))}
    path = tmp_path / "ratings.csv"
    lines = [f"{user},{item},{1 + n % 5},{1000 + n}" for n, (user, item) in enumerate(sorted(rows))]
    path.write_text("user,item,rating,timestamp\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.filterwarnings("ignore::graft.Notice")
@pytest.mark.parametrize("protocol", ["random", "temporal", "temporal-user", "cold-item"])
def test_split_makes_a_data_set_by_every_protocol(tmp_path, ratings, protocol):
    facts = graft.prepare.split(tmp_path / "shop", ratings, protocol=protocol, k_core=3)
    assert facts == json.loads((tmp_path / "shop" / "dataset.json").read_text())
    table = graft.read_inter_table(tmp_path / "shop" / "shop.inter")
    assert set(table.labels.tolist()) == {0, 1, 2}
    assert len(table.users) == len(ratings.read_text().splitlines()) - 1


@pytest.mark.filterwarnings("ignore::graft.Notice")
def test_split_takes_several_files_and_options(tmp_path, ratings):
    other = tmp_path / "more.tsv"
    other.write_text("who\twhat\tscore\twhen\nu0\tx\t5\t1\nu1\tx\t1\t2\n")
    graft.prepare.split(
        str(tmp_path / "one"), [ratings], k_core=0, min_rating=3, time="none", duplicates="pair", name="data"
    )
    assert (tmp_path / "one" / "data.inter").exists()
    with pytest.raises(graft.FormatError, match=r"more\.tsv"):
        graft.prepare.split(tmp_path / "two", [ratings, other])
    with pytest.raises(graft.InvalidArgument, match="protocol = 'magic': must be one of"):
        graft.prepare.split(tmp_path / "two", ratings, protocol="magic")
    with pytest.raises(graft.IoError, match="absent"):
        graft.prepare.split(tmp_path / "two", tmp_path / "absent.csv")
    assert not (tmp_path / "two").exists()


def test_split_tells_notices_as_warnings(tmp_path):
    path = tmp_path / "padded.csv"
    path.write_text("user,item\n" + "".join(f" u{n % 5},i{n % 7}\n" for n in range(35)))
    with pytest.warns(graft.Notice, match="begin or end with|blanks"):
        graft.prepare.split(tmp_path / "shop", path, k_core=0)


def test_inspect_counts(shop):
    refined = graft.refine(shop.features, shop.train)
    labels = [None if item % 10 == 0 else "even" if item % 2 == 0 else "odd" for item in range(shop.ITEMS)]
    result = graft.inspect(refined, interactions=shop.matrix, before=shop.graph.to_scipy(), labels=labels)
    facts = result.facts
    matrix = refined.to_scipy()
    assert facts["items"] == shop.ITEMS
    assert facts["edges"] == refined.edges
    assert facts["self_loops"] == np.count_nonzero(matrix.diagonal())
    mutual = matrix.astype(bool).multiply(matrix.T.astype(bool)).nnz
    assert facts["mutual_edges"] == mutual
    assert str(refined.edges) in str(result).replace(",", "")
    assert result._repr_html_() == result.html
    assert result.html.startswith("<!DOCTYPE html>")
    assert "facts" in repr(result) and "<!DOCTYPE" not in repr(result)
    alone = graft.inspect(refined, provenance={"k": "7"})
    assert alone.facts["provenance"] == {"k": "7"}
    assert set(alone.facts) < set(facts)


def test_inspect_refuses_other_sizes(shop):
    for arguments in ({"before": graft.Graph(3)}, {"interactions": sp.csr_array((2, 3))}, {"labels": ["a"]}):
        with pytest.raises(graft.InvalidArgument, match="200"):
            graft.inspect(shop.graph, **arguments)
