"""Ctrl-C and progress, seen through a terminal."""

import os
import pty
import select
import signal
import subprocess
import time

import numpy as np
import pytest

from conftest import default_signals, refine_arguments, write_inter

SECONDS_TO_WAIT = 120


@pytest.fixture
def long_run(binary, tmp_path):
    """Starts a refinement of many items with standard error on a terminal; gives the process and the terminal."""
    random = np.random.default_rng(3)
    np.save(tmp_path / "large.npy", random.standard_normal((30000, 384), dtype=np.float32))
    write_inter(tmp_path / "large.inter", [0, 0, 1], [0, 1, 2], [0, 0, 0])
    started = []

    def start(**options):
        screen, terminal = pty.openpty()
        process = subprocess.Popen(
            [binary, *refine_arguments("out.npz", "large.inter", ["large.npy"], threads=1, **options)],
            stdout=subprocess.PIPE,
            stderr=terminal,
            cwd=tmp_path,
            env=os.environ | {"TERM": "xterm"},
            preexec_fn=default_signals,
        )
        os.close(terminal)
        started.append((process, screen))
        return process, screen

    yield start
    for process, screen in started:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(screen)


def read_until(screen, wanted):
    """What the terminal shows until `wanted`, or until the program closes it."""
    shown = b""
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while wanted is None or wanted not in shown:
        ready, _, _ = select.select([screen], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, shown
        try:
            piece = os.read(screen, 4096)
        except OSError:  # closed by the program's end
            return shown
        if not piece:
            return shown
        shown += piece
    return shown


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_nothing(long_run, tmp_path, how):
    (tmp_path / "out.npz").write_bytes(b"old")
    process, screen = long_run(json="summary.json")
    shown = read_until(screen, b"%")
    assert process.poll() is None
    before = time.monotonic()
    process.send_signal(how)
    shown += read_until(screen, None)
    assert process.wait(SECONDS_TO_WAIT) == 130
    assert time.monotonic() - before < 5
    assert b"interrupted; nothing was written" in shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.inter", "large.npy", "out.npz"]
    assert (tmp_path / "out.npz").read_bytes() == b"old"
    assert process.stdout.read() == b""


def test_the_bar_stays_on_one_line_and_is_cleared(long_run):
    process, screen = long_run()
    shown = read_until(screen, b"left")
    assert b"knn_graph" in shown and b"[" in shown and b"%" in shown
    assert b"\n" not in shown
    process.send_signal(signal.SIGINT)
    rest = read_until(screen, None)
    bar, message = rest.rsplit(b"\r\x1b[K", 1)
    assert message.strip() == b"graft refine: error: interrupted; nothing was written"


def test_quiet_draws_no_bar(long_run):
    process, screen = long_run(quiet=True)
    ready, _, _ = select.select([screen], [], [], 1.0)
    assert not ready
    process.send_signal(signal.SIGINT)
    shown = read_until(screen, None)
    assert shown.strip() == b"graft refine: error: interrupted; nothing was written"


def test_a_short_run_without_a_terminal_prints_no_progress(graft, toy):
    done = graft(*refine_arguments("out.npz", toy.interactions, [toy.features]))
    assert done.returncode == 0
    assert done.stderr == ""
