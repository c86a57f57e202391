// graft prepare: the commands that make dataset directories.
#include "command.hpp"

namespace graft::cli {

void add_prepare(CLI::App& graft, std::vector<Command>& commands) {
  CLI::App* prepare = graft.add_subcommand("prepare", "Makes dataset directories");
  prepare->require_subcommand(0, 1);
  prepare->allow_extras();
  prepare->footer("Example: graft prepare synth --help");
  commands.push_back(add_prepare_synth(*prepare));
  commands.push_back(add_prepare_split(*prepare));
}

}  // namespace graft::cli
