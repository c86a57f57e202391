// graft: parses the command line, runs the subcommand, maps what went wrong to an exit code.
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <graft/core/error.hpp>
#include <graft/core/version.hpp>

#include "command.hpp"
#include "console.hpp"
#include "exit_code.hpp"

namespace graft::cli {
namespace {

/// Words that the parser could not place. @throws UsageError naming the first
void refuse_unknown(const CLI::App& parser, const std::string& command) {
  const std::vector<std::string> unknown = parser.remaining();
  if (unknown.empty()) return;
  const char* kind = unknown.front().starts_with("-") ? "unknown option" : "unexpected argument";
  throw UsageError(fmt::format("{}: {}; see {} --help", unknown.front(), kind, command));
}

/// The parser's words for an option without its value or given twice do not say what was typed.
UsageError reworded(const CLI::App& parser, const CLI::ArgumentMismatch& error) {
  const std::string what = error.what();
  const std::string name = what.substr(0, what.find(':'));
  const CLI::Option* option = parser.get_option_no_throw(name);
  if (option == nullptr) return UsageError(what);
  if (option->count() > 1) {
    return UsageError(fmt::format("{} = {}: may be given only once", name, fmt::join(option->results(), ", ")));
  }
  return UsageError(fmt::format("{}: needs a value", name));
}

/// The deepest subcommand on the command line; `command` becomes its full name.
CLI::App& innermost_parsed(CLI::App& graft, std::string& command) {
  CLI::App* parser = &graft;
  command = graft.get_name();
  while (!parser->get_subcommands().empty()) {
    parser = parser->get_subcommands().back();
    command += " " + parser->get_name();
  }
  return *parser;
}

int parse_and_run(CLI::App& graft, const std::vector<Command>& commands, int argc, char** argv, std::string& command) {
  try {
    graft.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print_output(graft.help());
    return kDone;
  } catch (const CLI::CallForVersion&) {
    print_output(fmt::format("graft {}\n", kVersion));
    return kDone;
  } catch (const CLI::ParseError& error) {
    const CLI::App* parser = &innermost_parsed(graft, command);
    const auto* mismatch = dynamic_cast<const CLI::ArgumentMismatch*>(&error);
    throw mismatch != nullptr ? reworded(*parser, *mismatch) : UsageError(error.what());
  }
  const CLI::App& parser = innermost_parsed(graft, command);
  for (const CLI::App* named = &parser; named != nullptr; named = named->get_parent()) {
    refuse_unknown(*named, command);
  }
  for (const Command& candidate : commands) {
    if (candidate.parser == &parser) return candidate.run();
  }
  print_error_stream(graft.help());  // a group of commands, or no word at all
  return kUsage;
}

int run(int argc, char** argv) {
  std::string command = "graft";
  try {
    CLI::App graft("graft refines the item-item graph of a multimodal recommender.", "graft");
    graft.set_version_flag("--version", kVersion, "Print the version and exit");
    graft.set_help_flag("--help", "Print this help message and exit");
    graft.require_subcommand(0, 1);
    graft.allow_extras();
    graft.footer("Example: graft refine --help");
    std::vector<Command> commands{add_refine(graft),   add_inspect(graft),   add_train(graft),
                                  add_evaluate(graft), add_recommend(graft), add_audit(graft)};
    add_prepare(graft, commands);
    commands.push_back(add_version(graft));
    for (const Command& added : commands) added.parser->allow_extras();
    return parse_and_run(graft, commands, argc, argv, command);
  } catch (const UsageError& error) {
    print_message(command, "error", error.what());
    return kUsage;
  } catch (const Cancelled&) {
    print_message(command, "error", "interrupted; nothing was written");
    return kInterrupted;
  } catch (const std::bad_alloc&) {
    print_message(command, "error", "the system has not enough memory");
    return kFailed;
  } catch (const std::exception& error) {
    print_message(command, "error", error.what());
    return kFailed;
  }
}

}  // namespace
}  // namespace graft::cli

int main(int argc, char** argv) { return graft::cli::run(argc, argv); }
