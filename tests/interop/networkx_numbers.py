"""Prints the numbers that boost_graph_test.cpp expects, computed with NetworkX.

pip install networkx scipy
python tests/interop/networkx_numbers.py
"""

import networkx as nx

directed = nx.DiGraph()
directed.add_weighted_edges_from(
    [
        (0, 1, 0.875),
        (1, 2, 0.75),
        (2, 0, 0.5),
        (2, 3, 0.625),
        (3, 4, 0.5),
        (4, 3, 0.375),
        (4, 5, 1.0),
        (5, 4, 0.25),
        (0, 3, 0.125),
    ]
)
for _, _, data in directed.edges(data=True):
    data["distance"] = max(0.0, 1.0 - data["weight"])

# Boost starts from ranks that sum to the number of vertices, and follows edges without their weights.
rank = nx.pagerank(directed, alpha=0.85, weight=None, tol=1e-14, max_iter=10000)
print("page rank:", [round(len(rank) * rank[v], 9) for v in range(6)])
print("strong components:", sorted(sorted(c) for c in nx.strongly_connected_components(directed)))
distance = nx.single_source_dijkstra_path_length(directed, 0, weight="distance")
print("distances from 0:", [distance[v] for v in range(6)])

undirected = nx.Graph()
undirected.add_nodes_from(range(8))
undirected.add_weighted_edges_from(
    [(0, 1, 0.875), (1, 2, 0.75), (2, 0, 0.5), (3, 4, 0.5), (4, 5, 1.0), (5, 3, 0.25), (5, 5, 1.0), (7, 7, 0.5)]
)
for _, _, data in undirected.edges(data=True):
    data["distance"] = max(0.0, 1.0 - data["weight"])
print("edges:", undirected.number_of_edges())
print("components:", sorted(sorted(c) for c in nx.connected_components(undirected)))
tree = nx.minimum_spanning_tree(undirected, weight="distance")
print("spanning forest:", sorted(tuple(sorted(e)) for e in tree.edges), tree.size(weight="distance"))
distance = nx.single_source_dijkstra_path_length(undirected, 2, weight="distance")
print("distances from 2:", sorted(distance.items()))
