"""From item features and interactions to refined item embeddings, ready for a recommender.

pip install . && python examples/python/plug_in.py examples/data/demo
"""

import sys
from pathlib import Path

import numpy as np

import graft

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
features = np.load(folder / "text_feat.npy")
train = graft.read_inter(folder / "demo.inter", items=len(features))

graph = graft.refine(features, train, knn_k=10, threshold=0.5, jaccard_k=10)
embeddings = graft.propagate(graph, features, 1, "sum")

matrix = graph.to_scipy()  # a scipy.sparse.csr_array that shares the graph's memory
assert np.allclose(embeddings, features + matrix @ features, atol=1e-5)
print(f"{graph.items} items, {graph.edges} edges")
