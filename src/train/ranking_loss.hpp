// What models share that learn from a positive and a sampled negative item of a user.
#pragma once

#include <cstdint>

#include "autodiff/tape.hpp"
#include "train/batch.hpp"
#include "train/model.hpp"

namespace graft::training {

/// The rows of a batch, [size, dims] each.
struct BatchRows {
  autodiff::Var users;
  autodiff::Var positives;
  autodiff::Var negatives;
};

/// The rows of a batch out of those of all users and all items.
BatchRows batch_rows(const Representations& all, const Batch& batch);

/// Mean of -log sigmoid(<u, i+> - <u, i->) over the batch: BPR with dot products as scores (Rendle et al., UAI 2009).
/// Sources that write -log(1e-10 + sigmoid(x)) differ from it beyond |x| of about 20 only.
autodiff::Var bpr_loss(const BatchRows& rows);

/// (|U|_F + |I+|_F + |I-|_F) / batch size, with unsquared Frobenius norms: the EmbLoss of the MMRec family.
autodiff::Var embedding_norms(const BatchRows& rows);

/// (|U|_F^2 + |I+|_F^2 + |I-|_F^2) / (2 batch_size).
/// @param batch_size  the configured one, also for a last batch that is shorter: so the LATTICE family has it
autodiff::Var embedding_squares(const BatchRows& rows, std::int64_t batch_size);

}  // namespace graft::training
