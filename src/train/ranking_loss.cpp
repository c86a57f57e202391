#include "train/ranking_loss.hpp"

namespace graft::training {

BatchRows batch_rows(const Representations& all, const Batch& batch) {
  const autodiff::Var items = rows(all.items, batch.items);
  return {.users = rows(all.users, batch.users),
          .positives = slice_rows(items, 0, batch.size),
          .negatives = slice_rows(items, batch.size, batch.size)};
}

autodiff::Var bpr_loss(const BatchRows& rows) {
  return autodiff::bpr_loss(row_dot(rows.users, rows.positives), row_dot(rows.users, rows.negatives));
}

autodiff::Var embedding_norms(const BatchRows& rows) {
  const autodiff::Var norms =
      frobenius_norm(rows.users) + frobenius_norm(rows.positives) + frobenius_norm(rows.negatives);
  return (1.0 / static_cast<double>(rows.negatives.rows())) * norms;
}

autodiff::Var embedding_squares(const BatchRows& rows, std::int64_t batch_size) {
  const auto squares = [](autodiff::Var x) { return sum(row_dot(x, x)); };
  const autodiff::Var total = squares(rows.users) + squares(rows.positives) + squares(rows.negatives);
  return (0.5 / static_cast<double>(batch_size)) * total;
}

}  // namespace graft::training
