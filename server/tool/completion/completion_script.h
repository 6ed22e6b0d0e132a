// What can stand behind each command, and scripts of that for shells.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pollux::tool {

/// A word that can come next.
struct CompletionWord {
  std::string text;  ///< "deploy", "--replace"
  std::string description;
  std::vector<std::string> values;  ///< of an option that takes one of a few
  bool takes_value = false;
};

/// A command and what can follow it.
struct CommandWords {
  std::string path;  ///< "pollux plan deploy"
  std::vector<CompletionWord> subcommands;
  std::vector<CompletionWord> options;
  std::vector<std::string> values;  ///< of its first argument, where that is one of a few
};

/// All commands of the tree, each before its subcommands.
std::vector<CommandWords> command_words(const CLI::App& app);

/// `shell` is bash, zsh or fish.
std::string completion_script(const std::vector<CommandWords>& commands, const std::string& shell);

}  // namespace pollux::tool
