/* The worked example of main.cpp through the C API. */
#include <graft.h>
#include <math.h>
#include <stdio.h>

static const float features[] = {2, 0, 0, 4, 3, 0, 3, 4, 0, 0, 3, 4};
static const int32_t users[] = {0, 0, 0, 1, 1, 1, 2, 3, 4, 4};
static const int32_t items[] = {0, 1, 2, 0, 1, 2, 1, 1, 1, 3};
static const int32_t columns[] = {1, 2, 0, 2, 0, 1, 1};
static const float weights[] = {0.453743F, 0.588235F, 0.453743F, 0.453743F, 0.588235F, 0.453743F, 0.267261F};

int main(void) {
  graft_matrix_view matrix;
  graft_interactions* train = NULL;
  graft_graph* graph = NULL;
  graft_refine_options options;
  graft_csr_view csr;
  int equal = 0;
  int64_t edge;

  matrix.data = features;
  matrix.rows = 4;
  matrix.cols = 3;
  matrix.stride = 3;
  if (graft_refine_options_init(&options, sizeof options) == GRAFT_OK &&
      graft_interactions_from_coo(-1, -1, 10, users, items, &train) == GRAFT_OK) {
    options.knn_k = 2;
    options.jaccard_k = 2;
    if (graft_refine(&matrix, train, &options, NULL, NULL, &graph) == GRAFT_OK &&
        graft_graph_get(graph, &csr) == GRAFT_OK) {
      equal = csr.items == 4 && csr.edges == 7;
      for (edge = 0; equal && edge < csr.edges; ++edge) {
        equal = csr.columns[edge] == columns[edge] && fabsf(csr.weights[edge] - weights[edge]) < 2e-6F;
      }
    }
  }
  printf("graft %s: %s %s\n", graft_version(), equal ? "as expected" : "NOT the golden graph", graft_last_error());
  graft_graph_free(graph);
  graft_interactions_free(train);
  return equal ? 0 : 1;
}
