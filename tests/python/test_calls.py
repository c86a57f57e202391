"""How calls run: off the calling thread, with progress, and until they are cancelled."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import graft


@pytest.fixture(scope="module")
def large():
    return np.random.default_rng(0).standard_normal((60000, 512), dtype=np.float32)


def run_python(code, **options):
    return subprocess.Popen(
        [sys.executable, "-c", "import graft, numpy as np\n" + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **options,
    )


def interrupted(code):
    """Runs code until it says that it has begun, interrupts it, and gives its output and the seconds it then took."""
    process = run_python(code)
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.3)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return out, err, time.monotonic() - begin


def test_ctrl_c_ends_a_call_with_keyboard_interrupt():
    out, err, seconds = interrupted(
        "x = np.random.default_rng(0).standard_normal((60000, 512), dtype=np.float32)\n"
        "print('begun', flush=True)\n"
        "try: graft.knn_graph(x, threads=1)\n"
        "except KeyboardInterrupt: print('interrupted', graft.knn_graph(x[:100], k=1).edges)"
    )
    assert (out, err) == ("interrupted 100\n", "")
    assert seconds < 5


def test_what_a_signal_handler_raises_reaches_the_caller():
    out, _, seconds = interrupted(
        "import signal\n"
        "def handler(*_): raise LookupError('from the handler')\n"
        "signal.signal(signal.SIGINT, handler)\n"
        "x = np.random.default_rng(0).standard_normal((60000, 512), dtype=np.float32)\n"
        "print('begun', flush=True)\n"
        "try: graft.knn_graph(x, threads=1)\n"
        "except LookupError as error: print(error)"
    )
    assert out == "from the handler\n"
    assert seconds < 5


def test_a_token_ends_a_call_from_another_thread(large):
    token = graft.CancelToken()
    timer = threading.Timer(0.3, token.cancel)
    timer.start()
    begin = time.monotonic()
    with pytest.raises(graft.Cancelled, match="knn_graph"):
        graft.knn_graph(large, context=graft.Context(cancel=token))
    assert time.monotonic() - begin < 10
    timer.join()
    assert token.cancelled
    with pytest.raises(graft.Cancelled):
        graft.knn_graph(large[:50], context=graft.Context(cancel=token))
    token.reset()
    assert graft.knn_graph(large[:50], k=1, context=graft.Context(cancel=token)).edges == 50


def test_python_runs_while_a_call_does(large):
    counted = 0
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(graft.knn_graph, large[:8000], threads=1)
        begin = time.monotonic()
        while not call.done():
            counted += 1
            time.sleep(0.001)
        seconds = time.monotonic() - begin
    assert call.result().items == 8000
    assert counted > 100 * seconds  # a held GIL would let a few through


def test_calls_from_many_threads_give_equal_graphs(shop):
    with ThreadPoolExecutor(8) as pool:
        graphs = list(pool.map(lambda _: graft.refine(shop.features, shop.train), range(40)))
    assert all(graph == graphs[0] for graph in graphs)


def test_threads_and_budget_change_no_bit(shop):
    for threads in (1, 2, 5):
        for budget in (1 << 20, 256 << 20):
            context = graft.Context(threads=threads, memory_budget=budget)
            assert graft.knn_graph(shop.features, k=7, context=context) == shop.graph


def test_progress_is_told_on_the_calling_thread(large):
    told = []

    def note(operation, done, total):
        told.append((operation, done, total, threading.get_ident()))

    graft.knn_graph(large[:12000], threads=1, progress=note)
    assert len(told) >= 2
    assert {(name, thread) for name, _, _, thread in told} == {("knn_graph", threading.get_ident())}
    dones = [done for _, done, _, _ in told]
    assert dones == sorted(dones)
    assert all(0 < done <= total for _, done, total, _ in told)


def test_what_progress_raises_ends_the_call(large):
    def fail(operation, done, total):
        raise LookupError("enough")

    begin = time.monotonic()
    with pytest.raises(LookupError, match="enough"):
        graft.knn_graph(large, context=graft.Context(progress=fail))
    assert time.monotonic() - begin < 10


CODE_WITH_BAR = (
    "x = np.random.default_rng(0).standard_normal((12000, 512), dtype=np.float32)\n"
    "import graft._progress\n"
    "graft._progress.Lines.INTERVAL = 0.0\n"
    "graft.knn_graph(x, threads=1, progress=True)"
)


def test_progress_shows_a_tqdm_bar_where_it_is_installed():
    pytest.importorskip("tqdm")
    process = run_python(CODE_WITH_BAR)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out == ""
    assert "knn_graph" in err
    assert "tile" in err


def test_progress_prints_lines_without_tqdm():
    process = run_python("import sys\nsys.modules['tqdm'] = sys.modules['tqdm.auto'] = None\n" + CODE_WITH_BAR)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    lines = err.splitlines()
    assert lines
    assert all(line.startswith("knn_graph: ") and line.endswith("%") for line in lines)


def test_a_child_process_that_was_forked_can_work(shop):
    read, write = os.pipe()
    graft.knn_graph(shop.features, threads=2)  # the parent has worker threads, the child will not
    child = os.fork()
    if child == 0:
        ok = graft.knn_graph(shop.features, k=7, threads=1) == shop.graph
        os.write(write, b"y" if ok else b"n")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(read, 1) == b"y"
