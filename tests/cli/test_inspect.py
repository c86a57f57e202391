"""graft inspect: figures against SciPy, the page, bad inputs and outputs."""

import json
import os
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from conftest import save_graph, write_inter
from test_real_data import data_set

SVG = "http://www.w3.org/2000/svg"


@pytest.fixture
def inspect(graft, tmp_path):
    """Inspects and gives the figures; the run must succeed."""

    def run(*arguments, **options):
        done = graft("inspect", *arguments, "--json", "facts.json", "--quiet", *given(options))
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        return json.loads((tmp_path / "facts.json").read_text())

    return run


def given(options):
    return [word for name, value in options.items() for word in ("--" + name, str(value))]


class Sample:
    """Random graphs before and after, interactions with empty audiences, and labels, in files and in memory."""

    ITEMS, USERS = 400, 90

    def __init__(self, folder, seed=5):
        random = np.random.default_rng(seed)
        self.graph, self.graph_file = self.random_graph(random, folder / "graph.npz")
        self.before, self.before_file = self.random_graph(random, folder / "before.npz")
        pairs = np.unique(random.integers(0, self.USERS * (self.ITEMS - 40), 1500))
        users, items = pairs // (self.ITEMS - 40), pairs % (self.ITEMS - 40)
        split = random.choice([0, 0, 0, 1, 2], len(pairs))
        self.inter_file = write_inter(folder / "sample.inter", users, items, split)
        train = split == 0
        shape = (self.USERS, self.ITEMS)
        self.interactions = sp.csr_array((np.ones(train.sum()), (users[train], items[train])), shape=shape)
        self.labels = random.choice(["red", "green", "blue", ""], self.ITEMS)
        self.label_file = folder / "labels.txt"
        self.label_file.write_text("".join(label + "\n" for label in self.labels))

    def random_graph(self, random, path):
        """Sparse enough for several components; some pairs are mutual, some items have themselves."""
        graph = sp.random_array((self.ITEMS, self.ITEMS), density=0.0025, rng=random, format="csr", dtype=np.float32)
        mutual = sp.csr_array(graph.T).multiply(random.random((self.ITEMS, 1)) < 0.3)
        loops = sp.diags_array((random.random(self.ITEMS) < 0.1).astype(np.float32))
        graph = sp.csr_array(graph + mutual + loops).astype(np.float32)
        graph.eliminate_zeros()
        graph.data = np.clip(graph.data, 0.001, 1.0)
        graph.sort_indices()
        save_graph(path, graph)
        return graph, path


@pytest.fixture
def sample(tmp_path):
    return Sample(tmp_path)


def between(graph):
    """Rows, columns and weights of the edges between two items."""
    rows, columns = graph.nonzero()
    weights = np.asarray(graph[rows, columns]).ravel()
    keep = rows != columns
    return rows[keep], columns[keep], weights[keep]


def common_users(interactions, rows, columns):
    """Common users and Jaccard of pairs of items."""
    counts = np.asarray((interactions.T @ interactions).todense())
    degrees = counts.diagonal()
    common = counts[rows, columns]
    joint = degrees[rows] + degrees[columns] - common
    return common, np.divide(common, joint, out=np.zeros(len(rows)), where=joint > 0)


def test_structure_equals_scipy(inspect, sample):
    facts = inspect(sample.graph_file)
    graph = sample.graph
    rows, columns, _ = between(graph)
    pattern = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=graph.shape)
    assert facts["items"] == 400 and facts["edges"] == graph.nnz
    assert facts["self_loops"] == graph.nnz - len(rows) > 0
    assert facts["density"] == pytest.approx(len(rows) / (400 * 399))
    count, labels = connected_components(graph, directed=True, connection="weak")
    sizes = np.bincount(labels)
    assert count > 1
    assert facts["components"] == {
        "count": count,
        "largest": sizes.max(),
        "largest_share": pytest.approx(sizes.max() / 400),
        "singletons": (sizes == 1).sum(),
    }
    mutual = pattern.multiply(sp.csr_array(pattern.T)).nnz
    assert 0 < mutual < len(rows)
    assert facts["mutual_edges"] == mutual
    assert facts["reciprocity"] == pytest.approx(mutual / len(rows))
    assert facts["symmetric"] is False
    lonely = (pattern.sum(axis=0) == 0) & (pattern.sum(axis=1) == 0)
    assert facts["isolated_items"] == lonely.sum() > 0
    assert facts["empty_rows"] == (np.diff(graph.indptr) == 0).sum()


def test_degrees_equal_numpy(inspect, sample):
    facts = inspect(sample.graph_file)
    used_by = np.bincount(sample.graph.indices, minlength=400)
    for key, degrees in {"neighbours": np.diff(sample.graph.indptr), "used_by": used_by}.items():
        quartiles = np.percentile(degrees, [0, 25, 50, 75, 100])
        names = ["min", "first_quartile", "median", "third_quartile", "max"]
        assert [facts[key][name] for name in names] == pytest.approx(quartiles)
        assert facts[key]["mean"] == pytest.approx(degrees.mean())
        assert facts[key]["items_without"] == (degrees == 0).sum()
        histogram = facts[key]["histogram"]
        assert histogram["counts"] == np.histogram(degrees, histogram["bounds"])[0].tolist()
    order = np.lexsort((np.arange(400), -used_by))[:10]
    assert [hub["item"] for hub in facts["hubs"]] == order.tolist()
    assert [hub["used_by"] for hub in facts["hubs"]] == used_by[order].tolist()
    assert facts["top_items"] == 4
    assert facts["top_items_share"] == pytest.approx(used_by[order][:4].sum() / sample.graph.nnz)
    differences = np.abs(used_by[:, None] - used_by[None, :]).mean()
    assert facts["gini"] == pytest.approx(differences / (2 * used_by.mean()))


def test_weights_equal_numpy(inspect, sample):
    facts = inspect(sample.graph_file)
    data = sample.graph.data
    weights = facts["weights"]
    assert weights["meaning"] == "unknown" and weights["all_equal"] is False
    assert weights["median"] == pytest.approx(np.median(data.astype(float)))
    assert weights["third_quartile"] == pytest.approx(np.percentile(data.astype(float), 75))
    assert weights["mean"] == pytest.approx(data.astype(float).mean())
    histogram = weights["histogram"]
    assert histogram["counts"] == np.histogram(data.astype(float), histogram["bounds"])[0].tolist()
    assert sum(histogram["counts"]) == len(data)
    assert [below["threshold"] for below in weights["below"]] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    for below in weights["below"]:
        assert below["edges"] == (data < np.float32(below["threshold"])).sum()
    sums = sample.graph.astype(float).sum(axis=1)
    assert facts["row_sums"]["mean"] == pytest.approx(sums.mean())
    assert facts["row_sums"]["max"] == pytest.approx(sums.max())


def test_common_users_equal_numpy(inspect, sample):
    facts = inspect(sample.graph_file, interactions=sample.inter_file)["interactions"]
    rows, columns, weights = between(sample.graph)
    common, jaccard = common_users(sample.interactions, rows, columns)
    counts = np.asarray((sample.interactions.T @ sample.interactions).todense())
    np.fill_diagonal(counts, 0)
    assert facts["users"] == 90 and facts["pairs"] == sample.interactions.nnz
    assert facts["base_rate"] == pytest.approx((counts > 0).sum() / (400 * 399))
    assert facts["base_rate_items"] == 400
    assert facts["common_user_share"] == pytest.approx((common > 0).mean())
    assert facts["mean_jaccard"] == pytest.approx(jaccard.mean())
    assert sum(group["edges"] for group in facts["by_weight"]) == len(rows)
    assert len(facts["by_weight"]) == 4
    for group in facts["by_weight"]:
        inside = (weights >= group["min_weight"]) & (weights <= group["max_weight"])
        assert group["edges"] == inside.sum()
        assert group["common_user_share"] == pytest.approx((common[inside] > 0).mean())
    degrees = np.asarray(sample.interactions.sum(axis=0)).ravel()
    assert facts["by_popularity"][0]["max_audience"] == 0
    assert sum(group["items"] for group in facts["by_popularity"]) == 400
    for group in facts["by_popularity"]:
        items = (degrees >= group["min_audience"]) & (degrees <= group["max_audience"])
        inside = items[rows]
        assert group["items"] == items.sum() and group["edges"] == inside.sum()
        assert group["common_user_share"] == pytest.approx((common[inside] > 0).mean())
        assert group["mean_neighbours"] == pytest.approx(inside.sum() / items.sum())


def test_comparison_equals_sets(inspect, sample):
    facts = inspect(sample.graph_file, compare=sample.before_file, interactions=sample.inter_file)["comparison"]
    after = set(zip(*between(sample.graph)[:2]))
    before = set(zip(*between(sample.before)[:2]))
    sets = {"kept": before & after, "added": after - before, "removed": before - after}
    for key, edges in sets.items():
        assert facts[key]["edges"] == len(edges)
        if edges:
            common, _ = common_users(sample.interactions, *np.array(sorted(edges)).T)
            assert facts[key]["common_user_share"] == pytest.approx((common > 0).mean())
    assert facts["removed"]["share"] == pytest.approx(len(sets["removed"]) / len(before))
    assert facts["added"]["share"] == pytest.approx(len(sets["added"]) / len(after))
    weights = [sample.graph[i, j] for i, j in sets["added"]]
    assert facts["added"]["mean_weight_after"] == pytest.approx(np.mean(weights))
    assert facts["added"]["mean_weight_before"] is None
    overlaps, first, lost = [], 0, 0
    for item in range(400):
        old = {j for i, j in before if i == item}
        new = {j for i, j in after if i == item}
        if old | new:
            overlaps.append(len(old & new) / len(old | new))
        first += not old and bool(new)
        lost += bool(old) and not new
    assert facts["mean_overlap"] == pytest.approx(np.mean(overlaps))
    assert facts["first_neighbour"] == first > 0
    assert facts["lost_all"] == lost > 0
    assert facts["before"]["edges"] == sample.before.nnz


def test_homophily_equals_numpy(inspect, sample):
    facts = inspect(sample.graph_file, labels=sample.label_file)["labels"]
    rows, columns, _ = between(sample.graph)
    known = (sample.labels[rows] != "") & (sample.labels[columns] != "")
    within = (sample.labels[rows] == sample.labels[columns])[known].mean()
    _, counts = np.unique(sample.labels[sample.labels != ""], return_counts=True)
    chance = ((counts / counts.sum()) ** 2).sum()
    assert facts["labels"] == 3 and facts["edges"] == known.sum()
    assert facts["homophily"] == pytest.approx(within)
    assert facts["baseline"] == pytest.approx(chance)
    assert facts["adjusted"] == pytest.approx((within - chance) / (1 - chance))
    assert [group["items"] for group in facts["largest"]] == sorted(counts, reverse=True)


def test_labels_in_any_form_say_the_same(inspect, sample, tmp_path):
    names = {"red": 3, "green": 1, "blue": 2, "": 0}
    numbers = np.array([names[label] for label in sample.labels])
    np.save(tmp_path / "labels.npy", numbers)
    rows = [f"{item}\t{number}" for item, number in enumerate(numbers)]
    (tmp_path / "labels.tsv").write_text("\n".join(["itemID\tlabel", *rows[::-1]]) + "\n")
    from_array = inspect(sample.graph_file, labels="labels.npy")["labels"]
    assert from_array["labels"] == 4
    assert inspect(sample.graph_file, labels="labels.tsv")["labels"] == from_array


@pytest.mark.parametrize(
    "graph, shares, base",
    [("text", [0.054, 0.079, 0.126, 0.172], 0.018), ("image", [0.027, 0.037, 0.049, 0.080], 0.018)],
)
def test_published_neighbours_of_baby(inspect, graph, shares, base):
    folder = data_set("baby")
    facts = inspect(folder / f"knn10_{graph}.npz", interactions=folder / "baby.inter")["interactions"]
    assert [group["common_user_share"] for group in facts["by_weight"]] == pytest.approx(shares, abs=5e-4)
    assert facts["base_rate"] == pytest.approx(base, abs=5e-4)


def all_options(sample):
    return given({"interactions": sample.inter_file, "compare": sample.before_file, "labels": sample.label_file})


def test_text_is_aligned_and_says_the_figures(graft, sample):
    done = graft("inspect", sample.graph_file, *all_options(sample))
    assert done.returncode == 0 and done.stderr == ""
    lines = {line[:24].strip(): line[24:] for line in done.stdout.splitlines()}
    assert lines["graph"] == "graph.npz"
    assert lines["items"] == "400"
    assert lines["edges"] == f"{sample.graph.nnz:,}"
    assert "sample.inter, train: 90 users" in lines["interactions"]
    assert lines["compared with"] == "before.npz"
    assert lines["labels"].startswith("labels.txt: 3 labels")


def test_json_on_standard_output_moves_the_text_aside(graft, sample):
    done = graft("inspect", sample.graph_file, "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["command"] == "inspect"
    assert "components" in done.stderr


def test_the_same_bytes_for_any_number_of_threads(graft, sample, tmp_path):
    written = []
    for threads in [1, 4, 1]:
        done = graft("inspect", sample.graph_file, *all_options(sample), "--threads", threads, "--html", "page.html",
                     "--json", "facts.json")  # fmt: skip
        assert done.returncode == 0, done.stderr
        files = [(tmp_path / name).read_bytes() for name in ["page.html", "facts.json"]]
        written.append([done.stdout, *files])
    assert written[0] == written[1] == written[2]


class Tags(HTMLParser):
    """Checks that tags close in order and collects what a page could load."""

    def __init__(self):
        super().__init__()
        self.open, self.names, self.references = [], [], []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.handle_startendtag(tag, attributes)

    def handle_startendtag(self, tag, attributes):
        self.names.append(tag)
        self.references += [value for name, value in attributes if name in {"href", "src", "srcset", "action"}]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page_of(graft, tmp_path, *arguments):
    done = graft("inspect", *arguments, "--html", "page.html", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_page_is_well_formed_and_stands_alone(graft, sample, tmp_path):
    page = page_of(graft, tmp_path, sample.graph_file, *all_options(sample))
    assert len(page.encode()) < 100_000
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.open == [] and tags.references == []
    assert not {"script", "link", "img", "iframe", "object"} & set(tags.names)
    assert "@import" not in page and "url(" not in page
    assert "http" not in page.replace(f'xmlns="{SVG}"', "")
    assert 'name="viewport"' in page and "prefers-color-scheme:dark" in page
    tree = ElementTree.fromstring(page)
    drawings = tree.findall(f".//{{{SVG}}}svg")
    assert len(drawings) == 9
    for drawing in drawings:
        assert drawing.get("role") == "img" and drawing.get("viewBox")
        assert drawing.find(f"{{{SVG}}}title").text and drawing.find(f"{{{SVG}}}desc").text
    assert len(tree.findall(".//figure/details")) == len(drawings)


def test_page_holds_the_figures(graft, inspect, sample, tmp_path):
    page = page_of(graft, tmp_path, sample.graph_file, *all_options(sample))
    facts = inspect(sample.graph_file, *all_options(sample))
    assert "<h1>graph.npz</h1>" in page
    assert f"<dd>{facts['edges']:,}</dd>" in page
    for share in [facts["reciprocity"], facts["labels"]["homophily"], facts["interactions"]["common_user_share"]]:
        assert f"{100 * share:.1f}%" in page
    for hub in facts["hubs"]:
        assert f'<td class="n">{hub["item"]}</td><td class="n">{hub["used_by"]}</td>' in page
    for key in ["kept", "added", "removed"]:
        assert f'<td>{key}</td><td class="n">{facts["comparison"][key]["edges"]:,}</td>' in page


def test_page_escapes_what_files_say(graft, sample, tmp_path):
    evil = "<script>alert(1)</script>&'\""
    hostile = tmp_path / "<script>x&.npz"
    with np.load(sample.graph_file) as members:
        np.savez(hostile, graft_note=np.array(evil), **members)
    os.rename(sample.inter_file, tmp_path / "<b>.inter")
    sample.label_file.write_text((evil + "\n") * 200 + "other\n" * 200)
    options = {"interactions": "<b>.inter", "labels": sample.label_file, "compare": hostile}
    page = page_of(graft, tmp_path, hostile, *given(options))
    ElementTree.fromstring(page)
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.names and "b" not in tags.names
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;&quot;" in page
    assert "<h1>&lt;script&gt;x&amp;.npz</h1>" in page


def test_names_that_are_no_text(graft, sample, tmp_path):
    name = os.fsdecode(b"\xff\x01.npz")
    os.rename(sample.graph_file, tmp_path / name)
    page = page_of(graft, tmp_path, name, "--json", "facts.json")
    ElementTree.fromstring(page)
    json.loads((tmp_path / "facts.json").read_text(encoding="utf-8"))


def test_provenance_tells_what_weights_are(inspect, refine, graft, sample, tmp_path):
    refine(sample.inter_file, graphs=[sample.graph_file])
    facts = inspect("refined-1.npz")
    assert facts["provenance"]["operator"] == "refine"
    assert facts["weights"]["meaning"] == "symmetric_normalized"
    refine(sample.inter_file, graphs=[sample.graph_file], weights="similarity", normalization="none", jaccard_k=0)
    assert inspect("refined-2.npz")["weights"]["meaning"] == "cosine"
    refine(sample.inter_file, graphs=[sample.graph_file], normalization="none", jaccard_k=0)
    assert inspect("refined-3.npz")["weights"]["meaning"] == "equal"
    page = page_of(graft, tmp_path, "refined-1.npz")
    assert "<td>operator</td><td>refine</td>" in page


def test_notices(graft, sample, tmp_path):
    plain = write_inter(tmp_path / "plain.inter", [0, 0], [1, 1])
    done = graft("inspect", sample.graph_file, "--interactions", plain, "--json", "facts.json")
    assert done.returncode == 0
    assert "notice:" in done.stderr and "repeated" in done.stderr
    assert any("repeated" in notice for notice in json.loads((tmp_path / "facts.json").read_text())["notices"])
    done = graft("inspect", sample.graph_file, "--interactions", plain, "--split", "test")
    assert "no interactions in split test" in done.stderr


@pytest.fixture
def refused(graft, sample, tmp_path):
    """A run that must fail with these words and leave the folder as it was."""

    def run(code, *words, graph=sample.graph_file, **options):
        before = sorted(tmp_path.rglob("*"))
        content = [path.read_bytes() for path in before if path.is_file()]
        done = graft("inspect", *([graph] if graph else []), *given(options))
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
        lines = done.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith("graft inspect: error: "), done.stderr
        for word in words:
            assert word in lines[0]
        assert sorted(tmp_path.rglob("*")) == before
        assert [path.read_bytes() for path in before if path.is_file()] == content

    return run


def test_sizes_that_differ_name_both_numbers(refused, tmp_path):
    save_graph(tmp_path / "small.npz", sp.identity(7, format="csr"))
    refused(1, "--compare = ", "small.npz: 7 items", "400 items", compare=tmp_path / "small.npz")
    write_inter(tmp_path / "large.inter", [0, 1], [0, 499], [0, 1])
    refused(1, "--interactions = ", "500 items", "400 items", interactions=tmp_path / "large.inter", html="page.html")
    (tmp_path / "few.txt").write_text("a\nb\n")
    refused(1, "few.txt", "labels = 2", "400", labels=tmp_path / "few.txt", json="facts.json")


def test_inputs_that_cannot_be_read(refused, tmp_path):
    refused(1, "graph = no.npz", "no such file", graph="no.npz")
    refused(1, f"graph = {tmp_path}", "is a directory", graph=tmp_path)
    (tmp_path / "bad.npz").write_text("no archive")
    refused(1, "bad.npz", graph="bad.npz", html="page.html")
    refused(1, "--labels = no.txt", "no such file", labels="no.txt")
    refused(1, "--interactions = no.inter", "no such file", interactions="no.inter")
    refused(1, "--compare = no.npz", "no such file", compare="no.npz")
    rectangle = sp.csr_matrix((3, 4), dtype=np.float32)
    sp.save_npz(tmp_path / "rectangle.npz", rectangle)
    refused(1, "rectangle.npz", "square", graph="rectangle.npz")


def test_outputs_that_cannot_be_written(refused, tmp_path):
    refused(1, "--html", str(tmp_path), html=tmp_path)
    refused(1, "--json", str(tmp_path), json=tmp_path)
    refused(1, "--html", "missing", html="missing/page.html")
    refused(1, "--html", "missing", html="missing/page.html", json="facts.json")


def test_outputs_that_are_other_files_of_the_run(refused, sample):
    refused(2, "--html = ", "is the file of graph", html=sample.graph_file)
    refused(2, "--json = ", "is the file of --compare", compare=sample.before_file, json=sample.before_file)
    refused(2, "--html = ", "is the file of --interactions", interactions=sample.inter_file, html=sample.inter_file)
    refused(2, "--html = ", "is the file of --labels", labels=sample.label_file, html=sample.label_file)
    refused(2, "--html = page", "must not be the file of --json", html="page", json="./page")


def test_usage(refused, graft):
    refused(2, "graph: is required", graph=None)
    refused(2, "--split = best", "train, valid, test, all", split="best")
    refused(2, "--threads = -1", threads=-1)
    help_text = graft("inspect", "--help")
    assert help_text.returncode == 0
    for option in ["--interactions", "--compare", "--labels", "--html", "--json", "Example:"]:
        assert option in help_text.stdout


def test_empty_graphs(graft, inspect, tmp_path):
    for items in [0, 1, 5]:
        save_graph(tmp_path / "empty.npz", sp.csr_matrix((items, items), dtype=np.float32))
        facts = inspect("empty.npz", html="page.html")
        assert facts["edges"] == 0 and facts["reciprocity"] is None and facts["isolated_items"] == items
        ElementTree.fromstring((tmp_path / "page.html").read_text(encoding="utf-8"))
        assert graft("inspect", "empty.npz").returncode == 0
