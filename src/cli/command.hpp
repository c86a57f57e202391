// The subcommands of `graft`: each file adds one to the parser.
#pragma once

#include <functional>
#include <vector>

#include <CLI/CLI.hpp>

namespace graft::cli {

/// A subcommand: its part of the parser, and what runs it once the command line is parsed.
struct Command {
  CLI::App* parser = nullptr;
  std::function<int()> run;
};

Command add_audit(CLI::App& graft);
Command add_evaluate(CLI::App& graft);
Command add_inspect(CLI::App& graft);
Command add_recommend(CLI::App& graft);
Command add_refine(CLI::App& graft);
Command add_train(CLI::App& graft);
Command add_version(CLI::App& graft);

/// Adds the group `prepare`, and its commands to `commands`.
void add_prepare(CLI::App& graft, std::vector<Command>& commands);
Command add_prepare_synth(CLI::App& prepare);
Command add_prepare_split(CLI::App& prepare);

}  // namespace graft::cli
