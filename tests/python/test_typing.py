"""The types that the package promises."""

import subprocess
import sys

import pytest

from conftest import REPOSITORY
from typed_usage import results


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Runs mypy --strict."""
    pytest.importorskip("mypy")
    cache = tmp_path_factory.mktemp("mypy")

    def run(*arguments):
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), *arguments]
        command += ["--config-file", str(REPOSITORY / "pyproject.toml")]
        return subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=REPOSITORY / "tests" / "python")

    return run


def test_typed_code_runs(tmp_path):
    assert all(isinstance(number, float) for number in results(tmp_path))


def test_the_package_and_typed_code_pass_mypy_strict(checked):
    done = checked("-p", "graft", "-m", "typed_usage")
    assert done.returncode == 0, done.stdout


def test_mistakes_are_seen(checked, tmp_path):
    source = tmp_path / "mistakes.py"
    source.write_text("import graft\ngraft.knn_graph([[1.0]], metric='angle')\ngraft.top_k(graft.Graph(1), 'x')\n")
    done = checked(str(source))
    assert done.stdout.count("[arg-type]") == 2, done.stdout


def test_the_stub_says_what_the_module_has(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "graft._core", "--concise"]
    command += ["--mypy-config-file", str(REPOSITORY / "pyproject.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=tmp_path)
    # pybind11's classes have a metaclass of their own, which is nobody's business
    findings = [line for line in done.stdout.splitlines() if not line.endswith("metaclass differs")]
    assert findings == []
