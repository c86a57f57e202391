// The version of the headers.
#pragma once

#define GRAFT_VERSION_MAJOR 0
#define GRAFT_VERSION_MINOR 1
#define GRAFT_VERSION_PATCH 0
#define GRAFT_VERSION_STRING "0.1.0"

namespace graft {

/// Semantic version of the headers, "major.minor.patch".
inline constexpr const char* kVersion = GRAFT_VERSION_STRING;

}  // namespace graft
