"""The page of refinement_campaign.py: tables of means over seeds, with paired tests."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import Any

import numpy as np
from scipy import stats

NO_GRAPH = "no item graph"
VANILLA = "the host's own graph"
DENOISED = "denoised only"
SUM = "the paper's sum"
ENHANCED = "enhanced only, parts normalised"
BOTH = "both, parts normalised"
LEAK = "own graph, leaking profiles"
LEARNED = "both, the learned graph, too"
RANDOM = "both, users at random"
GRID = "own graph, a point of the host's grid"

SEARCH_SEED = 999

HEAD = """# Does the refined graph help?

Made by [refinement_campaign.py](refinement_campaign.py) from the runs in
[refinement_results.jsonl](refinement_results.jsonl), a line each:

```sh
build/venv/bin/python benchmarks/refinement_campaign.py --data DATA --runs build/campaign
```

Every number is a test metric of the epoch that validation Recall@20 chose, mean over the seeds ± their standard
deviation. What is compared was chosen on validation Recall@20 with seed 999, which is not among the seeds of the
tables; the search asks one question after the other (threshold, then audience neighbours, then form) and is listed
whole below. *Change* is in Recall@20 against the host's own graph with the same seeds. *p, seeds*: paired t-test over
the seeds, two-sided. *p, users*: over the users of the split, the mean over the seeds of each seed's paired
difference with the standard error that one seed has (users are the same in every seed, so seeds add no users);
two-sided, normal. No correction for the number of comparisons.
"""

Result = Any  # refinement_campaign.Result


def arm_kind(arm: dict[str, str]) -> str:
    if not arm:
        return VANILLA
    if "leaking_profile" in arm:
        return LEAK
    if arm.keys() <= {"reg_weight", "learning_rate"}:
        return GRID
    if not any(key.startswith("gr_") for key in arm):
        return NO_GRAPH
    if "user_vectors" in arm:
        return RANDOM
    if "gr_learned" in arm:
        return LEARNED
    if arm.get("gr_jaccard_k") == "0":
        return DENOISED
    if "gr_normalize_parts" not in arm:
        return SUM
    return ENHANCED if arm.get("gr_threshold") == "-1" else BOTH


def settings_text(arm: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in arm.items() if key != "leaking_profile")


def spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"


def probability(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def seeds_test(runs: list[Result], own: dict[int, Result]) -> str:
    pairs = [(run.test["recall@20"], own[run.seed].test["recall@20"]) for run in runs if run.seed in own]
    if len(pairs) < 2:
        return "–"
    mine, vanilla = zip(*pairs, strict=True)
    return probability(float(stats.ttest_rel(mine, vanilla).pvalue))


def users_test(runs: list[Result]) -> str:
    found = [run.against_vanilla for run in runs if run.against_vanilla]
    if not found:
        return "–"
    mean = float(np.mean([pair["mean"] for pair in found]))
    error = float(np.mean([pair["standard_error"] for pair in found]))
    return probability(math.erfc(abs(mean) / error / math.sqrt(2))) if error > 0 else "–"


def host_table(results: list[Result]) -> list[str]:
    arms: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.seed != SEARCH_SEED:
            arms[json.dumps(result.arm)].append(result)
    own = {run.seed: run for run in arms.get("{}", [])}
    if not own:
        return ["The search is under way.", ""]
    base = float(np.mean([run.test["recall@20"] for run in own.values()]))
    lines = [
        "| item graph | settings | seeds | R@10 | R@20 | N@20 | change | p, seeds | p, users |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    order = [NO_GRAPH, VANILLA, DENOISED, SUM, ENHANCED, BOTH, LEARNED, RANDOM, LEAK]
    for key, runs in sorted(arms.items(), key=lambda entry: order.index(arm_kind(json.loads(entry[0])))):
        arm = json.loads(key)
        paired = [own[run.seed].test["recall@20"] for run in runs if run.seed in own]
        change = np.mean([run.test["recall@20"] for run in runs]) / np.mean(paired) - 1 if paired else math.nan
        cells = [arm_kind(arm), settings_text(arm) or "–", str(len(runs))]
        cells += [spread([run.test[name] for run in runs]) for name in ("recall@10", "recall@20", "ndcg@20")]
        cells += [f"{change:+.1%}", seeds_test(runs, own), users_test(runs)] if arm else ["–", "–", "–"]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", f"Seeds of the own graph: {len(own)}; its mean Recall@20 is {base:.4f}.", ""]


def search_table(results: list[Result]) -> list[str]:
    runs = [run for run in results if run.seed == SEARCH_SEED]
    lines = [
        "| host | graph | settings | valid R@20 | test R@20 | best epoch | minutes | item graphs |",
        "|---|---|---|---:|---:|---:|---:|---|",
    ]
    for run in runs:
        cells = [run.host, arm_kind(run.arm), settings_text(run.arm) or "–", f"{run.valid['recall@20']:.4f}"]
        cells += [f"{run.test['recall@20']:.4f}", str(run.best_epoch), f"{run.minutes:.1f}"]
        lines.append(f"| {' | '.join([*cells, run.graphs.replace(' | ', '<br>')])} |")
    return lines


def page(results: list[Result], remarks: str) -> str:
    """The whole page; `remarks` is what a person says of the tables."""
    hosts = list(dict.fromkeys(result.host for result in results))
    lines = [HEAD, remarks]
    for host in hosts:
        lines += [f"## {host}", "", *host_table([result for result in results if result.host == host])]
    minutes = sum(result.minutes for result in results)
    lines += ["## The search", "", f"All {len(results)} runs together: {minutes:.0f} minutes of training.", ""]
    return "\n".join([*lines, *search_table(results), ""])
