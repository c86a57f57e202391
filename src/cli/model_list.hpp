// graft train --list: the models and their settings.
#pragma once

#include <filesystem>
#include <string>

namespace graft::cli {

/// Prints all models, or `model` alone with all its settings. @param json  file for the same as JSON; "-": standard
/// output, in place of the text; empty: none
/// @throws UsageError for an unknown model, IoError
void print_models(const std::string& model, const std::filesystem::path& json, bool quiet);

}  // namespace graft::cli
