// What a preset of `refine` says of the diagonal and of equal audiences.
#pragma once

#include <graft/ops/jaccard.hpp>
#include <graft/ops/refine.hpp>
#include <graft/ops/types.hpp>

namespace graft::detail {

/// How a preset treats the diagonal, and pairs of identical audiences.
struct PresetRules {
  Self similarity_self;
  Self audience_self;
  Identical identical;
};

inline PresetRules rules_of(Preset preset) {
  switch (preset) {
    case Preset::reference:
      return {Self::keep, Self::drop, Identical::reference};
    case Preset::paper:
      return {Self::keep, Self::keep, Identical::keep};
    case Preset::noself:
      break;
  }
  return {Self::drop, Self::drop, Identical::keep};
}

/// How `refine` makes C~; for jaccard_k >= 1.
inline JaccardOptions audience_options(const RefineOptions& options) {
  const PresetRules rules = rules_of(options.preset);
  return {.k = options.jaccard_k,
          .min_support = options.min_support,
          .self = rules.audience_self,
          .identical = rules.identical};
}

}  // namespace graft::detail
