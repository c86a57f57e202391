#include "json_text.hpp"

#include <nlohmann/json.hpp>

namespace graft::report {

std::string json_text(const nlohmann::ordered_json& json) {
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace graft::report
