// The compiled bodies of include/graft/core.
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/detail/context_impl.hpp>
#include <graft/detail/cuda_backend_impl.hpp>
#include <graft/detail/graph_impl.hpp>
#include <graft/detail/interactions_impl.hpp>
#include <graft/detail/parallel_impl.hpp>
