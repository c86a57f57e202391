#include "interrupt.hpp"

#include <atomic>
#include <csignal>

#include <graft/core/error.hpp>

namespace graft::cli {
namespace {

std::atomic<const CancelToken*> token_of_signals{nullptr};
static_assert(std::atomic<const CancelToken*>::is_always_lock_free, "a signal handler may not lock");

void on_signal(int /*signal*/) { token_of_signals.load()->cancel(); }

}  // namespace

const CancelToken& cancel_on_signals() {
  static const CancelToken token;
  token_of_signals.store(&token);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before{};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  return token;
}

void throw_if_cancelled(const CancelToken& token) {
  if (token.cancelled()) throw Cancelled("cancelled");
}

}  // namespace graft::cli
