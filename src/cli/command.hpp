// The subcommands of `graft`: each file adds one to the parser.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

namespace graft::cli {

/// A subcommand: its part of the parser, and what runs it once the command line is parsed.
struct Command {
  CLI::App* parser = nullptr;
  std::function<int()> run;
};

Command add_refine(CLI::App& graft);
Command add_version(CLI::App& graft);

}  // namespace graft::cli
