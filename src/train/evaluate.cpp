#include <graft/core/context.hpp>
#include <graft/train/evaluation.hpp>

#include "train/dataset.hpp"
#include "train/evaluator.hpp"

namespace graft {

const char* name(Candidates candidates) { return candidates == Candidates::cold ? "cold" : "all"; }

Evaluation evaluate(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                    const std::filesystem::path& data, const EvaluationOptions& options, const Context& context) {
  const training::Dataset dataset = training::load_dataset(
      {.directory = data, .default_features = false, .items = item_vectors.rows(), .validation_required = false},
      context);
  return training::Evaluator(dataset, options).full(user_vectors, item_vectors, context);
}

}  // namespace graft
