// Words that the text and the page of an inspection share.
#pragma once

#include <string>

#include "report/inspection.hpp"
#include "report/inspection_report.hpp"

namespace graft::report {

/// The name of a weight on an axis: "cosine", "normalised weight", "weight".
std::string weight_word(WeightMeaning meaning);

/// What the weights are, as far as it is known, in a sentence.
std::string weight_sentence(const WeightFacts& facts);

/// "a common train user"
std::string common_user_words(const InspectionNames& names);

/// "0.3541 to 0.4502"
std::string range_text(const WeightGroup& group);

/// "no user", "3 users", "5 to 8 users"
std::string range_text(const PopularityGroup& group);

/// How the base rate was found.
std::string base_rate_sentence(const AudienceFacts& facts, std::int64_t items);

/// "yes", "no", or "in structure only".
std::string symmetry_text(const Structure& facts);

}  // namespace graft::report
