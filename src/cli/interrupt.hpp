// Signals of the process.
#pragma once

#include <graft/core/context.hpp>

namespace graft::cli {

/// From now on the first SIGINT, SIGTERM or SIGHUP cancels the returned token (a signal that was ignored at the start
/// stays ignored); a second one of the same kind ends the process at once. A closed pipe and a file over the limit of
/// the system become errors of the write instead of ending the process.
const CancelToken& cancel_on_signals();

/// @throws Cancelled if the token is
void throw_if_cancelled(const CancelToken& token);

}  // namespace graft::cli
