#include "report/inspection_words.hpp"

#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "report/format.hpp"

namespace graft::report {
namespace {

std::string edges_sentence(const Structure& facts) {
  std::string text = fmt::format("{} are joined by {}: an item receives from {} others on average.",
                                 counted(facts.items, "item"), counted(facts.edges, "edge"),
                                 fmt::format("{:.3g}", ratio(facts.edges - facts.self_loops, facts.items)));
  if (facts.isolated_items > 0) {
    text += fmt::format(" Without an edge from or to another: {} ({}).", counted(facts.isolated_items, "item"),
                        percent_text(ratio(facts.isolated_items, facts.items)));
  }
  if (facts.edges > facts.self_loops) {
    text += fmt::format(" {} of the edges between items are mutual, and {} of the items hang together in one piece.",
                        percent_text(facts.reciprocity), percent_text(facts.components.largest_share));
    text += fmt::format(" The most used 1% of the items serve {} of all edges.", percent_text(facts.top_share));
  }
  return text;
}

/// The lowest threshold that would prune a tenth, and the next above it.
std::string thresholds_sentence(const WeightFacts& facts) {
  if (facts.spread.mean != facts.spread.mean) return "";
  if (facts.all_equal) return fmt::format(" All weights equal {}.", number_text(facts.spread.least));
  constexpr double kWorthSaying = 0.1;
  for (std::size_t b = 0; b < facts.below.size(); ++b) {
    const Below& first = facts.below[b];
    if (first.share < kWorthSaying) continue;
    std::string text = fmt::format(" {} of the edges have a {} below {}", percent_text(first.share),
                                   weight_word(facts.meaning), number_text(first.threshold));
    if (b + 1 < facts.below.size() && facts.below[b + 1].share > first.share) {
      const Below& next = facts.below[b + 1];
      text += fmt::format(", {} below {}", percent_text(next.share), number_text(next.threshold));
    }
    return text + ".";
  }
  return "";
}

std::string audience_sentence(const AudienceFacts& facts, const InspectionNames& names) {
  std::string text =
      fmt::format(" {} of the edges join two items with {}", percent_text(facts.all.share()), common_user_words(names));
  const double lift = ratio(facts.all.share(), facts.base_rate);
  if (std::isfinite(lift)) {
    text += fmt::format(", {:.1f} times the {} of random pairs", lift, percent_text(facts.base_rate));
  }
  if (facts.by_weight.size() > 1) {
    text += fmt::format("; from the lowest to the highest weights the share goes from {} to {}",
                        percent_text(facts.by_weight.front().common.share()),
                        percent_text(facts.by_weight.back().common.share()));
  }
  return text + ".";
}

std::string comparison_sentence(const Comparison& facts, const InspectionNames& names) {
  std::string text = fmt::format(" Against {}, {} of its {} are kept, {} removed and {} added.", names.before,
                                 percent_text(facts.kept.share), counted(facts.edges_before, "edge"),
                                 count_text(facts.removed.edges), count_text(facts.added.edges));
  if (facts.before && facts.after) {
    text += fmt::format(" The share of edges with {} goes from {} to {}.", common_user_words(names),
                        percent_text(facts.before->share()), percent_text(facts.after->share()));
  }
  return text;
}

}  // namespace

std::string weight_word(WeightMeaning meaning) {
  switch (meaning) {
    case WeightMeaning::cosine:
      return "cosine";
    case WeightMeaning::symmetric_normalized:
    case WeightMeaning::row_normalized:
      return "normalised weight";
    case WeightMeaning::unknown:
    case WeightMeaning::equal:
      break;
  }
  return "weight";
}

std::string weight_sentence(const WeightFacts& facts) {
  if (facts.spread.mean != facts.spread.mean) return "There are no edges.";
  switch (facts.meaning) {
    case WeightMeaning::cosine:
      return "Weights are cosine similarities, as the file says.";
    case WeightMeaning::symmetric_normalized:
      return "Weights are normalised by the roots of both row sums, as the file says: they are no similarities, and "
             "thresholds on them are not thresholds on the cosine.";
    case WeightMeaning::row_normalized:
      return "Every row is normalised to the sum 1: weights are no similarities, and thresholds on them are not "
             "thresholds on the cosine.";
    case WeightMeaning::equal:
      return fmt::format("All weights equal {}: the graph says which edges there are and nothing more.",
                         number_text(facts.spread.least));
    case WeightMeaning::unknown:
      break;
  }
  return "The file does not say what its weights are: similarities, or something computed from them.";
}

std::string common_user_words(const InspectionNames& names) {
  return names.split.empty() || names.split == "all" ? "a common user" : fmt::format("a common {} user", names.split);
}

std::string range_text(const WeightGroup& group) {
  if (group.least == group.most) return number_text(group.least);
  return fmt::format("{} to {}", number_text(group.least), number_text(group.most));
}

std::string range_text(const PopularityGroup& group) {
  if (group.most_audience == 0) return "no user";
  if (group.least_audience == group.most_audience) return counted(group.most_audience, "user");
  return fmt::format("{} to {}", count_text(group.least_audience), counted(group.most_audience, "user"));
}

std::string base_rate_sentence(const AudienceFacts& facts, std::int64_t items) {
  if (facts.base_rate_rows == items) return "counted over all ordered pairs of two items";
  return fmt::format("counted over the pairs of {} evenly spaced items with all others",
                     count_text(facts.base_rate_rows));
}

std::string symmetry_text(const Structure& facts) {
  if (facts.symmetric) return "yes";
  if (facts.mutual_edges < facts.edges - facts.self_loops) return "no";
  return fmt::format("in structure only: weights differ by up to {}", number_text(facts.largest_asymmetry));
}

std::string inspection_reading(const Inspection& inspection, const InspectionNames& names) {
  std::string text = edges_sentence(inspection.structure) + thresholds_sentence(inspection.weights);
  if (inspection.audience && inspection.audience->all.edges > 0) {
    text += audience_sentence(*inspection.audience, names);
  }
  if (inspection.comparison) text += comparison_sentence(*inspection.comparison, names);
  if (inspection.labels && inspection.labels->edges > 0) {
    text += fmt::format(" {} of the edges stay within a label, where chance would give {}.",
                        percent_text(inspection.labels->homophily), percent_text(inspection.labels->baseline));
  }
  return text;
}

}  // namespace graft::report
