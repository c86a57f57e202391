#!/usr/bin/env python3
"""Makes the demo dataset: 300 items in 12 groups, 400 users who like two groups each.

Items of a group have similar text features, but every sixth item carries a text that has nothing to do with its
group: its nearest neighbours by text are wrong, and only its audience tells where it belongs. Needs nothing but the
standard library; the same seed gives the same files.

    make_demo.py [DIRECTORY]      writes demo.inter and text_feat.npy (default: demo/ beside this script)
    make_demo.py --check DIR      says whether the files there are what this script makes
"""

import argparse
import pathlib
import random
import struct
import sys

SEED = 20250
ITEMS, USERS, GROUPS, DIMS = 300, 400, 12, 16
NOISY_EVERY = 6
FEATURE_NOISE = 0.22
HISTORY = (5, 16)  # fewest and most items of a user
LIKED_GROUPS = 2
OFF_TASTE = 0.12  # share of interactions outside the liked groups


def direction(rng):
    """A random direction, of length about 1."""
    return [rng.gauss(0.0, 1.0) / DIMS**0.5 for _ in range(DIMS)]


def make_features(rng, groups):
    """[ITEMS, DIMS] rows: the group's direction and noise, or noise alone for every NOISY_EVERY-th item."""
    centres = [direction(rng) for _ in range(GROUPS)]
    rows = []
    for item, group in enumerate(groups):
        own = direction(rng)
        if item % NOISY_EVERY == NOISY_EVERY - 1:
            row = own
        else:
            row = [c + FEATURE_NOISE * DIMS**0.5 * o for c, o in zip(centres[group], own)]
        rows.append([round(value, 4) for value in row])  # rounded: the same on every C library
    return rows


def make_histories(rng, groups):
    """One list of distinct items a user, in random order. Early items of a group are the popular ones."""
    members = [[item for item in range(ITEMS) if groups[item] == group] for group in range(GROUPS)]
    histories = []
    for _ in range(USERS):
        liked = rng.sample(range(GROUPS), LIKED_GROUPS)
        length = rng.randint(*HISTORY)
        history = []
        while len(history) < length:
            group = rng.randrange(GROUPS) if rng.random() < OFF_TASTE else rng.choice(liked)
            place = int(len(members[group]) * rng.random() ** 1.7)
            item = members[group][place]
            if item not in history:
                history.append(item)
        rng.shuffle(history)
        histories.append(history)
    return histories


def labels(length):
    """x_label of a user's rows by the 8:1:1 rule: 0 train, 1 validation, 2 test."""
    if length < 10:
        return [0] * (length - 2) + [1, 2]
    held_out = length // 5
    valid = held_out // 2
    return [0] * (length - held_out) + [1] * valid + [2] * (held_out - valid)


def inter_bytes(histories):
    lines = ["userID\titemID\tx_label"]
    for user, history in enumerate(histories):
        lines += [f"{user}\t{item}\t{label}" for item, label in zip(history, labels(len(history)))]
    return ("\n".join(lines) + "\n").encode("ascii")


def npy_bytes(rows):
    """NumPy's format, version 1.0: magic, header padded to 64 bytes, row-major float32."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    values = [value for row in rows for value in row]
    return (
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", len(header))
        + header.encode("ascii")
        + struct.pack(f"<{len(values)}f", *values)
    )


def make():
    """File name -> bytes."""
    rng = random.Random(SEED)
    groups = [rng.randrange(GROUPS) for _ in range(ITEMS)]
    features = make_features(rng, groups)
    return {"text_feat.npy": npy_bytes(features), "demo.inter": inter_bytes(make_histories(rng, groups))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "directory", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent / "demo"
    )
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()

    files = make()
    if arguments.check:
        stale = [name for name, data in files.items() if (arguments.directory / name).read_bytes() != data]
        if stale:
            sys.exit(f"{arguments.directory}: not what make_demo.py makes: {', '.join(stale)}")
        return
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (arguments.directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
