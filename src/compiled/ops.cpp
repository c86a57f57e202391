// The compiled bodies of include/graft/ops.
#include <graft/detail/device_graph_impl.hpp>
#include <graft/detail/device_memory_impl.hpp>
#include <graft/detail/device_operators_impl.hpp>
#include <graft/detail/elementwise_impl.hpp>
#include <graft/detail/explain_impl.hpp>
#include <graft/detail/filter_impl.hpp>
#include <graft/detail/jaccard_impl.hpp>
#include <graft/detail/knn_impl.hpp>
#include <graft/detail/merge_top_k_impl.hpp>
#include <graft/detail/mix_impl.hpp>
#include <graft/detail/normalize_impl.hpp>
#include <graft/detail/on_device_impl.hpp>
#include <graft/detail/propagate_impl.hpp>
#include <graft/detail/refine_impl.hpp>
#include <graft/detail/symmetrize_impl.hpp>
#include <graft/detail/top_k_impl.hpp>
#include <graft/detail/top_k_scores_impl.hpp>
