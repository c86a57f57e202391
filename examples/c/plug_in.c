/* From item features and interactions to refined item embeddings, in C. */
#include <graft.h>
#include <stdio.h>

static int failed(graft_status status) {
  if (status != GRAFT_OK) fprintf(stderr, "%s: %s\n", graft_status_name(status), graft_last_error());
  return status != GRAFT_OK;
}

int main(void) {
  graft_matrix* text = NULL;
  graft_matrix* embeddings = NULL;
  graft_interactions* train = NULL;
  graft_graph* graph = NULL;
  graft_matrix_view features;
  graft_matrix_view refined;
  graft_csr_view csr;
  graft_inter_options rows;
  graft_refine_options options;
  int status = 1;

  if (failed(graft_read_npy("text_feat.npy", &text))) goto done;
  if (failed(graft_matrix_get(text, &features))) goto done;
  if (failed(graft_inter_options_init(&rows, sizeof rows))) goto done;
  rows.items = features.rows;
  if (failed(graft_read_inter("demo.inter", &rows, &train))) goto done;

  if (failed(graft_refine_options_init(&options, sizeof options))) goto done;
  options.threshold = 0.5F;
  if (failed(graft_refine(&features, train, &options, NULL, NULL, &graph))) goto done;
  if (failed(graft_propagate(graph, &features, 1, GRAFT_AGGREGATION_SUM, NULL, &embeddings))) goto done;

  if (failed(graft_graph_save_npz(graph, "graph_c.npz", NULL))) goto done;
  if (failed(graft_matrix_get(embeddings, &refined))) goto done;
  if (failed(graft_write_npy("embeddings_c.npy", &refined))) goto done;
  if (failed(graft_graph_get(graph, &csr))) goto done;
  printf("%lld items, %lld edges\n", (long long)csr.items, (long long)csr.edges);
  status = 0;

done: /* freeing NULL does nothing */
  graft_graph_free(graph);
  graft_interactions_free(train);
  graft_matrix_free(embeddings);
  graft_matrix_free(text);
  return status;
}
