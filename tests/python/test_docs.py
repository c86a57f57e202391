"""The examples in the documentation run, and nothing public is without words."""

import doctest
import importlib
import importlib.metadata
import inspect
import pkgutil

import pytest

import graft
from conftest import REPOSITORY

MODULES = ["graft", *(f"graft.{module.name}" for module in pkgutil.iter_modules(graft.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("thing", [graft.Graph, graft.Interactions])
def test_examples_of_compiled_classes_run(thing):
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(exclude_empty=True).find(thing, thing.__name__):
        runner.run(test)
    assert runner.summarize().attempted > 0
    assert runner.summarize().failed == 0


@pytest.mark.parametrize("name", graft.__all__)
def test_everything_public_is_documented(name):
    thing = getattr(graft, name)
    if name == "__version__":
        return
    assert thing.__doc__
    if inspect.isclass(thing):
        members = [member for member in vars(thing) if not member.startswith("_") and callable(getattr(thing, member))]
        assert all(getattr(thing, member).__doc__ for member in members)


def test_the_version_is_that_of_the_headers():
    header = (REPOSITORY / "include" / "graft" / "core" / "version.hpp").read_text()
    assert f'GRAFT_VERSION_STRING "{graft.__version__}"' in header


def test_the_wheel_has_the_version_of_the_module():
    try:
        version = importlib.metadata.version("graft")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("graft is imported from a build tree")
    assert version == graft.__version__
