/* graft in C99: refinement of the item-item graph of a multimodal recommender.
 *
 * Conventions
 *   Status      Functions that can fail return a graft_status: 0 is success, errors are negative, and
 *               graft_last_error() then tells operator, argument, value and what is allowed. A failed call changes
 *               nothing and sets its handle output to NULL. No exception leaves the library.
 *   Handles     Results are opaque and immutable. Who creates one frees it, once; freeing NULL does nothing. Pointers
 *               taken from a handle (graft_csr_view and the like) are borrowed: they live as long as the handle.
 *   Inputs      Arrays are copied unless a comment says "borrowed"; matrices (graft_matrix_view) are borrowed for the
 *               length of the call and never copied.
 *   Options     Structs whose first field is their size, filled by their ..._init function; NULL means the defaults.
 *               A program compiled with an older header works with a newer library.
 *   Threads     Every function may be called from any thread at the same time, on the same handles too, but for
 *               freeing. Errors are kept per thread.
 *   Choices     32-bit integers with named values; another value is refused.
 *   Strings     UTF-8; paths are the bytes of the system's file names.
 *   Graphs      Square, weighted, directed CSR: row = the receiving item, columns ascending, weights finite.
 *
 * The operators' definitions, costs and sources are in the C++ headers of the same names: graft/ops/NAME.hpp.
 */
#ifndef GRAFT_H
#define GRAFT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define GRAFT_API __attribute__((visibility("default")))
#else
#define GRAFT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ------------------------------------------------------------------------------------------------- */

typedef int32_t graft_status;
enum {
  GRAFT_OK = 0,
  GRAFT_INVALID_ARGUMENT = -1,    /* an argument has a value that is not accepted */
  GRAFT_IO_ERROR = -2,            /* a file cannot be opened, read, written or renamed */
  GRAFT_FORMAT_ERROR = -3,        /* a file's content is not what its format allows */
  GRAFT_BACKEND_UNAVAILABLE = -4, /* numeric path, CUDA library, driver, device or operator is not there */
  GRAFT_OUT_OF_MEMORY = -5,       /* the memory budget is too small (the message names the least), or the system's */
  GRAFT_CANCELLED = -6,           /* by graft_context_cancel or by the progress callback */
  GRAFT_INTERNAL_ERROR = -7       /* a defect of the library: please report the message */
};

/* Message of the calling thread's last failed call, "" if none failed. Valid until its next call that fails. */
GRAFT_API const char* graft_last_error(void);
/* "GRAFT_OK", "GRAFT_INVALID_ARGUMENT", ...; "unknown status" for other numbers. */
GRAFT_API const char* graft_status_name(graft_status status);
/* Version of the library that is loaded, e.g. "0.1.0". */
GRAFT_API const char* graft_version(void);

/* ---- Choices ------------------------------------------------------------------------------------------------ */

typedef int32_t graft_metric;
enum { GRAFT_METRIC_COSINE = 0, GRAFT_METRIC_DOT = 1, GRAFT_METRIC_L2 = 2 };
typedef int32_t graft_self;
enum { GRAFT_SELF_DROP = 0, GRAFT_SELF_KEEP = 1 };
typedef int32_t graft_weights;
enum { GRAFT_WEIGHTS_SIMILARITY = 0, GRAFT_WEIGHTS_BINARY = 1 };
typedef int32_t graft_measure;
enum {
  GRAFT_MEASURE_JACCARD = 0,
  GRAFT_MEASURE_COSINE = 1,
  GRAFT_MEASURE_OVERLAP = 2,
  GRAFT_MEASURE_PMI = 3,
  GRAFT_MEASURE_LOG_LIKELIHOOD = 4
};
typedef int32_t graft_identical;
enum { GRAFT_IDENTICAL_KEEP = 0, GRAFT_IDENTICAL_DROP = 1, GRAFT_IDENTICAL_REFERENCE = 2 };
typedef int32_t graft_normalization;
enum { GRAFT_NORMALIZATION_SYMMETRIC = 0, GRAFT_NORMALIZATION_ROW = 1, GRAFT_NORMALIZATION_NONE = 2 };
typedef int32_t graft_symmetrization;
enum {
  GRAFT_SYMMETRIZE_NOT = -1, /* leaves the graph directed; for graft_refine only */
  GRAFT_SYMMETRIZE_MAX = 0,
  GRAFT_SYMMETRIZE_MEAN = 1,
  GRAFT_SYMMETRIZE_MIN = 2
};
typedef int32_t graft_aggregation;
enum { GRAFT_AGGREGATION_SUM = 0, GRAFT_AGGREGATION_MEAN = 1 };
typedef int32_t graft_preset;
enum { GRAFT_PRESET_NOSELF = 0, GRAFT_PRESET_REFERENCE = 1, GRAFT_PRESET_PAPER = 2 };
typedef int32_t graft_split;
enum { GRAFT_SPLIT_TRAIN = 0, GRAFT_SPLIT_VALID = 1, GRAFT_SPLIT_TEST = 2, GRAFT_SPLIT_ALL = 3 };
typedef int32_t graft_unsorted;
enum {
  GRAFT_UNSORTED_REFUSE = 0,      /* unsorted or repeated columns are an error */
  GRAFT_UNSORTED_SORT_AND_SUM = 1 /* they are sorted, and weights of repeated columns summed */
};
typedef int32_t graft_numeric_path;
enum { GRAFT_PATH_AUTOMATIC = 0, GRAFT_PATH_BASELINE = 1, GRAFT_PATH_AVX2 = 2, GRAFT_PATH_AVX512 = 3 };
typedef int32_t graft_backend;
enum {
  GRAFT_BACKEND_CPU = 0,
  GRAFT_BACKEND_CUDA = 1,     /* a CUDA device; where one is missing, or for a plan: GRAFT_BACKEND_UNAVAILABLE */
  GRAFT_BACKEND_AUTOMATIC = 2 /* the device where it is there and the work is big enough */
};

/* ---- Context: where and how a call runs --------------------------------------------------------------------- */

/* Executor, memory budget, progress and cancellation; NULL in its place means the defaults. */
typedef struct graft_context graft_context;

/* Called at most about 10 times a second, never concurrently, from any thread. A result other than 0 cancels. */
typedef int (*graft_progress_callback)(void* data, const char* operation, int64_t done, int64_t total);

typedef struct graft_context_options {
  size_t size;
  int32_t threads;                  /* 0 = one a core; never changes a result */
  graft_numeric_path path;          /* forces the numeric path */
  int64_t memory_budget;            /* bytes of workspace beyond inputs and outputs; default 64 MiB */
  graft_progress_callback progress; /* or NULL */
  void* progress_data;              /* handed to the callback */
  graft_backend backend;            /* where operators run; default GRAFT_BACKEND_CPU */
  int32_t device;                   /* CUDA ordinal; default 0 */
  int64_t device_memory_budget;     /* bytes on the device, inputs too; default 4 GiB */
} graft_context_options;

GRAFT_API graft_status graft_context_options_init(graft_context_options* options, size_t size);
GRAFT_API graft_status graft_context_create(const graft_context_options* options, graft_context** out);
/* Ends running calls of the context, and later ones until it is reset, with GRAFT_CANCELLED. Safe in signal handlers.
 */
GRAFT_API void graft_context_cancel(const graft_context* context);
GRAFT_API void graft_context_reset(const graft_context* context);
GRAFT_API void graft_context_free(graft_context* context);

/* ---- Dense matrices ----------------------------------------------------------------------------------------- */

/* Row-major float32: element (r, c) is data[r * stride + c]. Borrowed for the length of the call. */
typedef struct graft_matrix_view {
  const float* data;
  int64_t rows;
  int64_t cols;
  int64_t stride; /* elements between the starts of two rows, >= cols */
} graft_matrix_view;

/* The same in a CUDA device's memory. What fills it may still be queued: operators wait for the stream that is named,
 * or where none is for all that the device has to do. */
typedef struct graft_device_matrix_view {
  const float* device_data;
  int64_t rows;
  int64_t cols;
  int64_t stride;
  int32_t device;       /* ordinal; the context's must be the same */
  int32_t stream_known; /* not 0: `stream` fills the matrix */
  void* stream;         /* cudaStream_t; NULL is the default stream */
} graft_device_matrix_view;

typedef struct graft_matrix graft_matrix;

/* Views a matrix. */
GRAFT_API graft_status graft_matrix_get(const graft_matrix* matrix, graft_matrix_view* out);
GRAFT_API void graft_matrix_free(graft_matrix* matrix);
/* Reads a 1- or 2-dimensional .npy of float16, float32 or float64 as float32. */
GRAFT_API graft_status graft_read_npy(const char* path, graft_matrix** out);
/* Writes float32, whole or not at all. */
GRAFT_API graft_status graft_write_npy(const char* path, const graft_matrix_view* matrix);

struct DLManagedTensor;
/* Views a DLPack tensor: 2 dimensions, float32, on the host, elements of a row side by side. Borrows it: the tensor
 * must outlive the view, and stays the caller's to delete. */
GRAFT_API graft_status graft_matrix_view_from_dlpack(const struct DLManagedTensor* tensor, graft_matrix_view* out);

/* ---- Interactions ------------------------------------------------------------------------------------------- */

/* Who interacted with what: a binary user x item matrix. Repeated pairs are merged and counted. */
typedef struct graft_interactions graft_interactions;

/* From pairs (user_ids[e], item_ids[e]), in any order. users, items: sizes; -1 takes the largest id + 1. */
GRAFT_API graft_status graft_interactions_from_coo(int64_t users, int64_t items, int64_t pairs, const int32_t* user_ids,
                                                   const int32_t* item_ids, graft_interactions** out);
/* From a user x item CSR: row_offsets [users + 1], columns [row_offsets[users]] in any order within a row. */
GRAFT_API graft_status graft_interactions_from_csr(int64_t users, int64_t items, const int64_t* row_offsets,
                                                   const int32_t* columns, graft_interactions** out);
GRAFT_API graft_status graft_interactions_from_csr32(int64_t users, int64_t items, const int32_t* row_offsets,
                                                     const int32_t* columns, graft_interactions** out);

typedef struct graft_inter_options {
  size_t size;
  graft_split split; /* rows to take; default train */
  int64_t users;     /* number of users, -1: the largest userID of all splits + 1 */
  int64_t items;     /* number of items, e.g. rows of the features; -1: the largest itemID of all splits + 1 */
} graft_inter_options;

GRAFT_API graft_status graft_inter_options_init(graft_inter_options* options, size_t size);
/* Reads a .inter file: tab-separated, with a header, userID, itemID and, optionally, x_label. */
GRAFT_API graft_status graft_read_inter(const char* path, const graft_inter_options* options, graft_interactions** out);

typedef struct graft_interactions_view {
  int64_t users;
  int64_t items;
  int64_t pairs;               /* distinct */
  int64_t duplicates;          /* pairs that were given more than once and merged */
  const int64_t* user_offsets; /* [users + 1] */
  const int32_t* user_items;   /* [pairs], ascending within a user */
  const int64_t* item_offsets; /* [items + 1] */
  const int32_t* item_users;   /* [pairs], ascending within an item */
} graft_interactions_view;

GRAFT_API graft_status graft_interactions_get(const graft_interactions* interactions, graft_interactions_view* out);
GRAFT_API void graft_interactions_free(graft_interactions* interactions);

/* ---- Graphs ------------------------------------------------------------------------------------------------- */

typedef struct graft_graph graft_graph;

typedef struct graft_csr_view {
  int64_t items;
  int64_t edges;
  const int64_t* row_offsets; /* [items + 1] */
  const int32_t* columns;     /* [edges], ascending within a row */
  const float* weights;       /* [edges] */
} graft_csr_view;

/* Copies arrays: row_offsets [items + 1], columns and weights [row_offsets[items]]. */
GRAFT_API graft_status graft_graph_from_csr(int64_t items, const int64_t* row_offsets, const int32_t* columns,
                                            const float* weights, graft_unsorted unsorted, graft_graph** out);
GRAFT_API graft_status graft_graph_from_csr32(int64_t items, const int32_t* row_offsets, const int32_t* columns,
                                              const float* weights, graft_unsorted unsorted, graft_graph** out);
/* The same without a copy: the arrays are borrowed and must stay as they are while the graph lives. Checked once. */
GRAFT_API graft_status graft_graph_borrow_csr(int64_t items, const int64_t* row_offsets, const int32_t* columns,
                                              const float* weights, graft_graph** out);
/* From edges (rows[e], columns[e], weights[e]) in any order; weights of repeated edges are summed. */
GRAFT_API graft_status graft_graph_from_coo(int64_t items, int64_t edges, const int32_t* rows, const int32_t* columns,
                                            const float* weights, graft_graph** out);
GRAFT_API graft_status graft_graph_get(const graft_graph* graph, graft_csr_view* out);
/* 1 if both have equal structure and equal weight bits, 0 if not or if one is NULL. */
GRAFT_API int graft_graph_equal(const graft_graph* a, const graft_graph* b);
GRAFT_API void graft_graph_free(graft_graph* graph);

/* Reads a square CSR matrix as scipy.sparse.save_npz writes it, and the facts stored with it. */
GRAFT_API graft_status graft_graph_load_npz(const char* path, graft_unsorted unsorted, graft_graph** out);

typedef struct graft_npz_options {
  size_t size;
  int32_t compressed; /* default 1 */
  int32_t facts;      /* entries of keys and values */
  const char* const* keys;
  const char* const* values; /* kept in the file beside the graph */
} graft_npz_options;

GRAFT_API graft_status graft_npz_options_init(graft_npz_options* options, size_t size);
/* Writes what scipy.sparse.load_npz reads, whole or not at all. The same arguments give the same bytes. */
GRAFT_API graft_status graft_graph_save_npz(const graft_graph* graph, const char* path,
                                            const graft_npz_options* options);
/* Facts that graft_graph_load_npz found, by ascending key; NULL outside [0, count). */
GRAFT_API int64_t graft_graph_fact_count(const graft_graph* graph);
GRAFT_API const char* graft_graph_fact_key(const graft_graph* graph, int64_t index);
GRAFT_API const char* graft_graph_fact_value(const graft_graph* graph, int64_t index);

/* ---- Operators ---------------------------------------------------------------------------------------------- */

/* Cost of a call, known without running it. */
typedef struct graft_plan {
  int64_t workspace_bytes; /* peak beyond inputs and outputs; at most the memory budget */
  int64_t output_bytes;    /* upper bound */
  double flops;
  int64_t tiles; /* independent pieces of work */
} graft_plan;

typedef struct graft_knn_options {
  size_t size;
  int64_t k;            /* neighbours a row keeps, >= 1; default 10 */
  float min_similarity; /* inclusive, in [-1, 1] for cosine; default -infinity: none */
  graft_metric metric;  /* default cosine */
  graft_weights weights;
  graft_self self;
  int64_t row_begin; /* rows [row_begin, row_end) are computed, the others stay empty; default all */
  int64_t row_end;
  int64_t column_begin; /* candidate columns */
  int64_t column_end;
} graft_knn_options;

GRAFT_API graft_status graft_knn_options_init(graft_knn_options* options, size_t size);
/* Joins every item to its k most similar items. features [items, dims]. */
GRAFT_API graft_status graft_knn_graph(const graft_matrix_view* features, const graft_knn_options* options,
                                       const graft_context* context, graft_graph** out);
/* The same of features on the device of the context, which must be a CUDA one. */
GRAFT_API graft_status graft_knn_graph_on_device(const graft_device_matrix_view* features,
                                                 const graft_knn_options* options, const graft_context* context,
                                                 graft_graph** out);
GRAFT_API graft_status graft_knn_plan(int64_t items, int64_t dims, const graft_knn_options* options,
                                      const graft_context* context, graft_plan* out);

typedef struct graft_jaccard_options {
  size_t size;
  int64_t k;           /* >= 1; default 10 */
  int64_t min_support; /* least common audience of an edge, >= 1; default 1 */
  graft_self self;
  graft_identical identical;
  graft_measure measure;
  int64_t row_begin;
  int64_t row_end;
} graft_jaccard_options;

GRAFT_API graft_status graft_jaccard_options_init(graft_jaccard_options* options, size_t size);
/* Joins every item to the k items whose audiences overlap its own most. */
GRAFT_API graft_status graft_jaccard_graph(const graft_interactions* interactions, const graft_jaccard_options* options,
                                           const graft_context* context, graft_graph** out);
GRAFT_API graft_status graft_jaccard_plan(const graft_interactions* interactions, const graft_jaccard_options* options,
                                          const graft_context* context, graft_plan* out);

/* Ranked ids, row after row, best first. */
typedef struct graft_ranking graft_ranking;

typedef struct graft_ranking_view {
  int64_t rows;
  int64_t entries;
  const int64_t* row_offsets; /* [rows + 1]; rows may hold fewer than k */
  const int32_t* ids;
  const float* scores;
} graft_ranking_view;

typedef struct graft_top_k_scores_options {
  size_t size;
  int64_t k;           /* >= 1; default 10 */
  graft_metric metric; /* default dot */
  float min_score;     /* inclusive; default -infinity */
  /* Items that a query must not get, as CSR: exclude_offsets [queries + 1], exclude_columns ascending within a row;
   * NULL excludes nothing. */
  const int64_t* exclude_offsets;
  const int32_t* exclude_columns;
  int64_t row_begin; /* queries to compute */
  int64_t row_end;
} graft_top_k_scores_options;

GRAFT_API graft_status graft_top_k_scores_options_init(graft_top_k_scores_options* options, size_t size);
/* The best k items for every query. queries [queries, dims], items [items, dims]. */
GRAFT_API graft_status graft_top_k_scores(const graft_matrix_view* queries, const graft_matrix_view* items,
                                          const graft_top_k_scores_options* options, const graft_context* context,
                                          graft_ranking** out);
/* The same of matrices on the device of the context, which must be a CUDA one. */
GRAFT_API graft_status graft_top_k_scores_on_device(const graft_device_matrix_view* queries,
                                                    const graft_device_matrix_view* items,
                                                    const graft_top_k_scores_options* options,
                                                    const graft_context* context, graft_ranking** out);
GRAFT_API graft_status graft_top_k_scores_plan(int64_t queries, int64_t items, int64_t dims,
                                               const graft_top_k_scores_options* options, const graft_context* context,
                                               graft_plan* out);
GRAFT_API graft_status graft_ranking_get(const graft_ranking* ranking, graft_ranking_view* out);
GRAFT_API void graft_ranking_free(graft_ranking* ranking);

/* Keeps the edges with weight >= min_similarity. */
GRAFT_API graft_status graft_threshold(const graft_graph* graph, float min_similarity, const graft_context* context,
                                       graft_graph** out);
/* Gives every edge weight 1. */
GRAFT_API graft_status graft_binarize(const graft_graph* graph, const graft_context* context, graft_graph** out);
GRAFT_API graft_status graft_scale(const graft_graph* graph, float factor, const graft_context* context,
                                   graft_graph** out);
GRAFT_API graft_status graft_drop_self_loops(const graft_graph* graph, const graft_context* context, graft_graph** out);
/* Keeps the k heaviest edges of every row. */
GRAFT_API graft_status graft_top_k(const graft_graph* graph, int64_t k, const graft_context* context,
                                   graft_graph** out);
GRAFT_API graft_status graft_symmetrize(const graft_graph* graph, graft_symmetrization how,
                                        const graft_context* context, graft_graph** out);
/* Union of the edges with weights summed. */
GRAFT_API graft_status graft_add(const graft_graph* left, const graft_graph* right, const graft_context* context,
                                 graft_graph** out);
/* sum_m coefficients[m] * graphs[m]. */
GRAFT_API graft_status graft_mix(const graft_graph* const* graphs, const float* coefficients, size_t count,
                                 const graft_context* context, graft_graph** out);
/* Divides by row sums + epsilon; epsilon >= 0. */
GRAFT_API graft_status graft_normalize(const graft_graph* graph, graft_normalization normalization, float epsilon,
                                       const graft_context* context, graft_graph** out);
/* Joins parts over disjoint rows or columns, cut to the k best edges of every row. */
GRAFT_API graft_status graft_merge_top_k(const graft_graph* const* parts, size_t count, int64_t k,
                                         const graft_context* context, graft_graph** out);
/* Graph convolution without parameters: sum (or mean) over l = 0..layers of A^l E. features [items, dims]. */
GRAFT_API graft_status graft_propagate(const graft_graph* graph, const graft_matrix_view* features, int64_t layers,
                                       graft_aggregation aggregation, const graft_context* context, graft_matrix** out);

/* ---- Refinement --------------------------------------------------------------------------------------------- */

typedef struct graft_refine_options {
  size_t size;
  graft_preset preset;               /* default noself */
  float threshold;                   /* alpha, inclusive, in [-1, 1]; -1 switches denoising off; default 0.5 */
  int64_t knn_k;                     /* K_s >= 1; default 10 */
  int64_t jaccard_k;                 /* K_c >= 0; 0 switches enhancement off; default 10 */
  graft_weights weights;             /* of similarity edges; default binary */
  graft_symmetrization symmetrize;   /* default GRAFT_SYMMETRIZE_NOT */
  int32_t add_self_loops;            /* default 0 */
  graft_normalization normalization; /* default symmetric */
  float epsilon;                     /* added to row sums; default 0 */
  int32_t normalize_parts;           /* normalises both graphs apart, then adds; default 0 */
  float enhancement_weight;          /* factor of the audience graph, >= 0; default 1 */
  int64_t min_support;               /* least common audience of an edge by audience, >= 1; default 1 */
} graft_refine_options;

/* What a refinement did. Counts are of directed edges. */
typedef struct graft_refine_summary {
  int64_t edges_before;     /* similarity edges before the threshold, self loops left out */
  int64_t edges_after;      /* and after it */
  int64_t similarity_edges; /* stored edges of the denoised graph */
  int64_t jaccard_edges;    /* stored edges of the enhancement graph */
  int64_t edges;            /* of the result */
  int64_t self_loops;       /* of the result */
  int64_t isolated_items;   /* of the result */
} graft_refine_summary;

/* One source of similarity: features or a ready similarity graph, exactly one of the two. */
typedef struct graft_modality {
  const graft_matrix_view* features;
  const graft_graph* similarity;
  float weight;          /* share in the sum, >= 0; scaled so that all sum to 1 */
  int32_t own_threshold; /* 0: the options' threshold holds */
  float threshold;       /* of this modality, if own_threshold is not 0 */
} graft_modality;

GRAFT_API graft_status graft_refine_options_init(graft_refine_options* options, size_t size);
/* W = S~ + C~, normalised (MLLMRec, Eq. 7-11), from TRAINING interactions. `summary` may be NULL. */
GRAFT_API graft_status graft_refine(const graft_matrix_view* features, const graft_interactions* interactions,
                                    const graft_refine_options* options, const graft_context* context,
                                    graft_refine_summary* summary, graft_graph** out);
/* The same from a ready similarity graph. */
GRAFT_API graft_status graft_refine_graph(const graft_graph* similarity, const graft_interactions* interactions,
                                          const graft_refine_options* options, const graft_context* context,
                                          graft_refine_summary* summary, graft_graph** out);
/* The same from several modalities. */
GRAFT_API graft_status graft_refine_modalities(const graft_modality* modalities, size_t count,
                                               const graft_interactions* interactions,
                                               const graft_refine_options* options, const graft_context* context,
                                               graft_refine_summary* summary, graft_graph** out);

/* The rule that decided over an edge of one of the two graphs. */
typedef int32_t graft_edge_rule;
enum {
  GRAFT_EDGE_KEPT = 0,
  GRAFT_EDGE_SWITCHED_OFF = 1,
  GRAFT_EDGE_SELF_DROPPED = 2,
  GRAFT_EDGE_ZERO_NORM = 3,
  GRAFT_EDGE_NO_COMMON_AUDIENCE = 4,
  GRAFT_EDGE_IDENTICAL_DROPPED = 5,
  GRAFT_EDGE_BELOW_RANK = 6,
  GRAFT_EDGE_BELOW_THRESHOLD = 7,
  GRAFT_EDGE_BELOW_SUPPORT = 8
};

/* Facts about the directed pair i <- j. Ranks count from 1; 0 is none. */
typedef struct graft_explanation {
  float cosine;
  graft_edge_rule similarity_rule;
  int64_t cosine_rank;
  int64_t degree_i;
  int64_t degree_j;
  int64_t common_audience;
  int64_t jaccard_rank;
  float jaccard;
  graft_edge_rule audience_rule;
  float weight; /* of the pair before normalisation */
} graft_explanation;

/* Why the edge i <- j is, or is not, in the refined graph. */
GRAFT_API graft_status graft_explain(const graft_matrix_view* features, const graft_interactions* interactions,
                                     int64_t i, int64_t j, const graft_refine_options* options,
                                     const graft_context* context, graft_explanation* out);
/* The rule in words, e.g. "below the threshold"; "unknown rule" for other numbers. */
GRAFT_API const char* graft_edge_rule_text(graft_edge_rule rule);

/* ---- On a CUDA device --------------------------------------------------------------------------------------- */

/* Results that stay on the device: nothing is copied back before graft_device_graph_to_host. Definitions, errors and
 * bits are those of the functions without "device" in their names; the context must be a CUDA one, of the device that
 * the arguments lie on. Results are complete when a call returns, and are not counted under the context's budget. */
typedef struct graft_device_graph graft_device_graph;
typedef struct graft_device_matrix graft_device_matrix;

/* Addresses on the device, which the graph keeps. */
typedef struct graft_device_csr_view {
  int64_t items;
  int64_t edges;
  const int64_t* device_row_offsets; /* [items + 1] */
  const int32_t* device_columns;     /* [edges], ascending within a row */
  const float* device_weights;       /* [edges] */
  int32_t device;                    /* ordinal */
} graft_device_csr_view;

GRAFT_API graft_status graft_device_graph_get(const graft_device_graph* graph, graft_device_csr_view* out);
GRAFT_API void graft_device_graph_free(graft_device_graph* graph);
GRAFT_API graft_status graft_graph_to_device(const graft_graph* graph, const graft_context* context,
                                             graft_device_graph** out);
/* Copies a graph back, bit for bit. */
GRAFT_API graft_status graft_device_graph_to_host(const graft_device_graph* graph, graft_graph** out);

/* Views a matrix: rows without padding between them. */
GRAFT_API graft_status graft_device_matrix_get(const graft_device_matrix* matrix, graft_device_matrix_view* out);
GRAFT_API void graft_device_matrix_free(graft_device_matrix* matrix);
GRAFT_API graft_status graft_matrix_to_device(const graft_matrix_view* matrix, const graft_context* context,
                                              graft_device_matrix** out);
GRAFT_API graft_status graft_device_matrix_to_host(const graft_device_matrix* matrix, graft_matrix** out);

GRAFT_API graft_status graft_device_knn_graph(const graft_device_matrix_view* features,
                                              const graft_knn_options* options, const graft_context* context,
                                              graft_device_graph** out);
GRAFT_API graft_status graft_device_jaccard_graph(const graft_interactions* interactions,
                                                  const graft_jaccard_options* options, const graft_context* context,
                                                  graft_device_graph** out);
/* `summary` may be NULL; where it is not, the result is copied to the host to be counted. */
GRAFT_API graft_status graft_device_refine(const graft_device_matrix_view* features,
                                           const graft_interactions* interactions, const graft_refine_options* options,
                                           const graft_context* context, graft_refine_summary* summary,
                                           graft_device_graph** out);
/* From features and graphs of the host, which are streamed to the device. */
GRAFT_API graft_status graft_device_refine_modalities(const graft_modality* modalities, size_t count,
                                                      const graft_interactions* interactions,
                                                      const graft_refine_options* options, const graft_context* context,
                                                      graft_refine_summary* summary, graft_device_graph** out);

GRAFT_API graft_status graft_device_threshold(const graft_device_graph* graph, float min_similarity,
                                              const graft_context* context, graft_device_graph** out);
GRAFT_API graft_status graft_device_binarize(const graft_device_graph* graph, const graft_context* context,
                                             graft_device_graph** out);
GRAFT_API graft_status graft_device_scale(const graft_device_graph* graph, float factor, const graft_context* context,
                                          graft_device_graph** out);
GRAFT_API graft_status graft_device_drop_self_loops(const graft_device_graph* graph, const graft_context* context,
                                                    graft_device_graph** out);
GRAFT_API graft_status graft_device_top_k(const graft_device_graph* graph, int64_t k, const graft_context* context,
                                          graft_device_graph** out);
GRAFT_API graft_status graft_device_symmetrize(const graft_device_graph* graph, graft_symmetrization how,
                                               const graft_context* context, graft_device_graph** out);
/* A^T, for what must multiply by it often, such as the gradient of a propagation. */
GRAFT_API graft_status graft_device_transpose(const graft_device_graph* graph, const graft_context* context,
                                              graft_device_graph** out);
GRAFT_API graft_status graft_device_normalize(const graft_device_graph* graph, graft_normalization normalization,
                                              float epsilon, const graft_context* context, graft_device_graph** out);
GRAFT_API graft_status graft_device_add(const graft_device_graph* left, const graft_device_graph* right,
                                        const graft_context* context, graft_device_graph** out);
/* left_coefficient * left + right_coefficient * right. */
GRAFT_API graft_status graft_device_mix(const graft_device_graph* left, float left_coefficient,
                                        const graft_device_graph* right, float right_coefficient,
                                        const graft_context* context, graft_device_graph** out);
GRAFT_API graft_status graft_device_propagate(const graft_device_graph* graph, const graft_device_matrix_view* features,
                                              int64_t layers, graft_aggregation aggregation,
                                              const graft_context* context, graft_device_matrix** out);

#ifdef __cplusplus
}
#endif

#endif /* GRAFT_H */
