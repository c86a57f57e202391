// JSON as the program writes it.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace graft::report {

/// Two blanks a level, U+FFFD for bytes that are no UTF-8, a newline at the end.
std::string json_text(const nlohmann::ordered_json& json);

}  // namespace graft::report
