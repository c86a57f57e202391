"""Exit codes, help and messages of a command line that cannot be run."""

import json

import pytest

from conftest import refine_arguments


def one_line(done):
    """The message: exactly one line on standard error, nothing on standard output."""
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


COMMANDS = [[], ["refine"], ["inspect"], ["train"], ["evaluate"], ["recommend"], ["version"]]


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(["graft", *command]) for command in COMMANDS])
def test_help_goes_to_standard_output(graft, command):
    done = graft(*command, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Example" in done.stdout
    assert "graft" in done.stdout


def test_help_of_refine_names_every_option_and_default(graft):
    text = graft("refine", "--help").stdout
    for option in (
        "--features --graph --interactions --split --preset --knn-k --threshold --jaccard-k --min-support --weights "
        "--symmetrize --add-self-loops --normalization --epsilon --normalize-parts --enhancement-weight --backend "
        "--threads --memory-budget --out --json --quiet"
    ).split():
        assert option in text
    for default in ["=noself", "=10", "=0.5", "=64MiB", "=train", "=symmetric", "=binary"]:
        assert default in text


def test_no_command_prints_help_and_is_a_usage_error(graft):
    done = graft()
    assert done.returncode == 2
    assert done.stdout == ""
    assert "refine" in done.stderr and "version" in done.stderr


@pytest.mark.parametrize("arguments", [["inspect"], ["train", "--help-me"], ["--frobnicate"], ["refine", "version"]])
def test_unknown_commands_and_options(graft, arguments):
    done = graft(*arguments)
    assert done.returncode == 2
    assert arguments[-1] in done.stderr or arguments[0] in done.stderr


BAD_OPTIONS = [
    (["--knn-k", "0"], "--knn-k = 0"),
    (["--knn-k", "-3"], "--knn-k = -3"),
    (["--knn-k", "ten"], "--knn-k = ten"),
    (["--knn-k", "10.5"], "--knn-k = 10.5"),
    (["--knn-k", "10 "], "--knn-k = 10 "),
    (["--knn-k", "99999999999999999999"], "--knn-k = 99999999999999999999"),
    (["--knn-k", "1", "--knn-k", "2"], "--knn-k = 1, 2: may be given only once"),
    (["--jaccard-k", "-1"], "--jaccard-k = -1"),
    (["--jaccard-k", ""], "--jaccard-k = "),
    (["--min-support", "0"], "--min-support = 0"),
    (["--min-support", "1.5"], "--min-support = 1.5"),
    (["--threshold", "1.5"], "--threshold = 1.5"),
    (["--threshold", "-1.01"], "--threshold = -1.01"),
    (["--threshold", "nan"], "--threshold = nan"),
    (["--threshold", "inf"], "--threshold = inf"),
    (["--threshold", "0,5"], "--threshold = 0,5"),
    (["--epsilon", "-1"], "--epsilon = -1"),
    (["--epsilon", "1e99"], "--epsilon = 1e99"),
    (["--enhancement-weight", "-1"], "--enhancement-weight = -1"),
    (["--preset", "sane"], "--preset = sane"),
    (["--split", "training"], "--split = training"),
    (["--weights", "cosine"], "--weights = cosine"),
    (["--symmetrize", "sum"], "--symmetrize = sum"),
    (["--normalization", "both"], "--normalization = both"),
    (["--backend", "tpu"], "--backend = tpu"),
    (["--threads", "-1"], "--threads = -1"),
    (["--threads", "99999999"], "--threads = 99999999"),
    (["--threads", "two"], "--threads = two"),
    (["--memory-budget", "0"], "--memory-budget = 0"),
    (["--memory-budget", "1.5GiB"], "--memory-budget = 1.5GiB"),
    (["--memory-budget", "-5MiB"], "--memory-budget = -5MiB"),
    (["--memory-budget", "64 MiB"], "--memory-budget = 64 MiB"),
    (["--memory-budget", "64MiBs"], "--memory-budget = 64MiBs"),
    (["--memory-budget", "MiB"], "--memory-budget = MiB"),
    (["--memory-budget", "9223372036854775807GiB"], "--memory-budget = 9223372036854775807GiB"),
    (["--features", "x.npy:-1"], "--features = x.npy:-1: weight = -1"),
    (["--features", "x.npy:nan"], "--features = x.npy:nan: weight = nan"),
    (["--features", "x.npy:inf"], "--features = x.npy:inf: weight = inf"),
    (["--features", "x.npy:1e39"], "--features = x.npy:1e39: weight = 1e39"),
    (["--features", "x.npy:1:2"], "--features = x.npy:1:2: threshold = 2"),
    (["--features", "x.npy:1:nan"], "--features = x.npy:1:nan: threshold = nan"),
    (["--graph", "x.npz:1:-1.5"], "--graph = x.npz:1:-1.5: threshold = -1.5"),
    (["--features", ":1"], "--features = ':1'"),
    (["--features", ""], "--features = ''"),
    (["--verbose"], "--verbose: unknown option"),
    (["--knnk", "3"], "--knnk: unknown option"),
    (["-k", "3"], "-k: unknown option"),
    (["stray"], "stray: unexpected argument"),
    (["--knn-k"], "--knn-k: needs a value"),
    (["--quiet=perhaps"], "--quiet = perhaps"),
    (["--json", "--quiet"], "--json: got --quiet where a value is needed"),
]


@pytest.mark.parametrize("extra, expected", BAD_OPTIONS, ids=[" ".join(extra) for extra, _ in BAD_OPTIONS])
def test_bad_values_name_the_option_and_the_value(graft, toy, tmp_path, extra, expected):
    out = tmp_path / "out.npz"
    done = graft(*refine_arguments(out, toy.interactions, [toy.features]), *extra)
    assert done.returncode == 2
    message = one_line(done)
    assert message.startswith("graft refine: error: ")
    assert expected in message
    assert not out.exists()


def test_options_are_checked_before_any_file_is_read(graft):
    done = graft(*refine_arguments("out.npz", "missing.inter", ["missing.npy"], knn_k=0))
    assert done.returncode == 2
    assert "--knn-k = 0" in one_line(done)


@pytest.mark.parametrize(
    "arguments, missing",
    [
        (["--interactions", "x.inter", "--out", "x.npz"], "--features: is required"),
        (["--features", "x.npy", "--out", "x.npz"], "--interactions: is required"),
        (["--features", "x.npy", "--interactions", "x.inter"], "--out: is required"),
    ],
)
def test_missing_arguments(graft, arguments, missing):
    done = graft("refine", *arguments)
    assert done.returncode == 2
    assert missing in one_line(done)


def test_weights_that_are_all_zero(graft, toy):
    done = graft(*refine_arguments("out.npz", toy.interactions, [f"{toy.features}:0", f"{toy.features}:0"]))
    assert done.returncode == 2
    assert "weight = 0" in one_line(done)


def test_outputs_must_not_be_other_files_of_the_command(graft, toy, tmp_path):
    before = toy.features.read_bytes()
    (tmp_path / "link.npy").symlink_to(toy.features)
    for out in [toy.features, tmp_path / "." / "features.npy", tmp_path / "link.npy", toy.interactions]:
        done = graft(*refine_arguments(out, toy.interactions, [toy.features]))
        assert done.returncode == 2
        assert f"--out = {out}" in one_line(done)
    done = graft(*refine_arguments("out.npz", toy.interactions, [toy.features], json=toy.interactions))
    assert done.returncode == 2
    assert f"--json = {toy.interactions}" in one_line(done)
    done = graft(*refine_arguments("out.npz", toy.interactions, [toy.features], json="./out.npz"))
    assert done.returncode == 2
    assert "--json = ./out.npz" in one_line(done)
    assert toy.features.read_bytes() == before


def test_a_colon_without_a_number_belongs_to_the_path(graft, toy, tmp_path):
    strange = tmp_path / "a:b"
    strange.mkdir()
    path = strange / "x:1:y.npy"
    path.write_bytes(toy.features.read_bytes())
    for argument in [f"{path}", f"{path}:2", f"{path}:2:0.5"]:
        done = graft(*refine_arguments("out.npz", toy.interactions, [argument]))
        assert done.returncode == 0, done.stderr
    done = graft(*refine_arguments("out.npz", toy.interactions, [f"{path}:high"]))
    assert done.returncode == 1
    assert f"{path}:high: no such file" in one_line(done)


def test_cuda_says_what_is_missing(graft, toy, tmp_path):
    missing = json.loads(graft("version", "--json", "-").stdout)["cuda"]
    if not missing.startswith("none: "):
        pytest.skip("there is a CUDA device here")
    done = graft(*refine_arguments("out.npz", toy.interactions, [toy.features], backend="cuda"))
    assert done.returncode == 1
    assert "--backend = cuda: " + missing.removeprefix("none: ") in one_line(done)
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("size", ["67108864", "64MiB", "65536KiB", "64000KB", "1GB", "1gib", "67108864B"])
def test_sizes_with_units(graft, toy, size):
    done = graft(*refine_arguments("out.npz", toy.interactions, [toy.features], memory_budget=size))
    assert done.returncode == 0, done.stderr
