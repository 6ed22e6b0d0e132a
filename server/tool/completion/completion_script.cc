#include "server/tool/completion/completion_script.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace pollux::tool {

namespace {

/// {"csv", "jsonl"} of "csv|jsonl"; nothing of "DURATION|none|max" and "FILE".
std::vector<std::string> values_of(const std::string& type_name) {
  if (type_name.find('|') == std::string::npos) return {};
  const bool words = std::all_of(type_name.begin(), type_name.end(),
                                 [](char c) { return (c >= 'a' && c <= 'z') || c == '|'; });
  return words ? CLI::detail::split(type_name, '|') : std::vector<std::string>{};
}

void add_commands(const CLI::App& app, const std::string& path,
                  std::vector<CommandWords>& commands) {
  CommandWords words{.path = path, .subcommands = {}, .options = {}, .values = {}};
  const auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* subcommand : subcommands) {
    words.subcommands.push_back({subcommand->get_name(), subcommand->get_description(), {}, false});
  }
  for (const CLI::Option* option : app.get_options()) {
    const std::vector<std::string> values = values_of(option->get_type_name());
    if (option->get_positional()) words.values = values;
    for (const std::string& name : option->get_lnames()) {
      words.options.push_back(
          {"--" + name, option->get_description(), values, option->get_items_expected_max() > 0});
    }
  }
  commands.push_back(std::move(words));
  for (const CLI::App* subcommand : subcommands) {
    add_commands(*subcommand, path + " " + subcommand->get_name(), commands);
  }
}

std::string joined(const std::vector<CompletionWord>& words) {
  std::string text;
  for (const CompletionWord& word : words) text += (text.empty() ? "" : " ") + word.text;
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// For single quotes of a shell: bash and zsh want '\'' for a quote, fish \'.
std::string quoted(const std::string& text, const char* quote) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? quote : std::string(1, c);
  return result + "'";
}

/// The body of a `case` over "COMMAND" that sets `subcommands` and `words`.
std::string command_cases(const std::vector<CommandWords>& commands) {
  std::string text;
  for (const CommandWords& command : commands) {
    text += "    '" + command.path + "') subcommands='" + joined(command.subcommands) +
            "'; options='" + joined(command.options) + "'; values='" + joined(command.values) +
            "' ;;\n";
  }
  return text;
}

/// A `case` over "COMMAND OPTION" that sets `values`; file for those that take anything.
std::string option_cases(const std::vector<CommandWords>& commands) {
  std::string text;
  for (const CommandWords& command : commands) {
    for (const CompletionWord& option : command.options) {
      if (!option.takes_value) continue;
      text += "    '" + command.path + " " + option.text + "') of_option=yes; values='" +
              joined(option.values) + "' ;;\n";
    }
  }
  return text;
}

// bash and zsh take the same steps: find the command that the words before name, then offer what
// can follow it. `WORDS` is an array of the words before the one that is being typed.
std::string shared_steps(const std::vector<CommandWords>& commands) {
  return "  for word in \"${before[@]}\"; do\n"
         "    case \" $subcommands \" in\n"
         "      *\" $word \"*) command=\"$command $word\" ;;\n"
         "    esac\n"
         "    case \"$command\" in\n" +
         command_cases(commands) +
         "    esac\n"
         "  done\n"
         "  case \"$command $last\" in\n" +
         option_cases(commands) + "  esac\n";
}

std::string bash_script(const std::vector<CommandWords>& commands) {
  return "# bash completion for pollux; made by `pollux completion bash`.\n"
         "_pollux() {\n"
         "  local word command=pollux subcommands='" +
         joined(commands.front().subcommands) + "' options='" + joined(commands.front().options) +
         "' values='' of_option=no\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" last=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  local before=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n" +
         shared_steps(commands) +
         "  if [ \"$of_option\" = no ] && [ \"${current#-}\" != \"$current\" ]; then\n"
         "    values=\"$options\"\n"
         "  elif [ \"$of_option\" = no ]; then\n"
         "    values=\"$subcommands $values\"\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$values\" -- \"$current\"))\n"
         "  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- \"$current\")); fi\n"
         "}\n"
         "complete -o filenames -F _pollux pollux\n";
}

std::string zsh_script(const std::vector<CommandWords>& commands) {
  return "#compdef pollux\n"
         "# zsh completion for pollux; made by `pollux completion zsh`.\n"
         "_pollux() {\n"
         "  local word command=pollux subcommands='" +
         joined(commands.front().subcommands) + "' options='" + joined(commands.front().options) +
         "' values='' of_option=no\n"
         "  local current=\"${words[CURRENT]}\" last=\"${words[CURRENT-1]}\"\n"
         "  local -a before=(\"${(@)words[2,CURRENT-1]}\")\n" +
         shared_steps(commands) +
         "  if [[ $of_option == no && $current == -* ]]; then\n"
         "    values=\"$options\"\n"
         "  elif [[ $of_option == no ]]; then\n"
         "    values=\"$subcommands $values\"\n"
         "  fi\n"
         "  if [[ -n ${values// /} ]]; then compadd -- ${=values}; else _files; fi\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _pollux ]; then _pollux \"$@\"; else compdef _pollux pollux; "
         "fi\n";
}

/// True when the words so far name exactly this command.
std::string fish_condition(const CommandWords& command) {
  return "'test (__pollux_command) = \"" + command.path + "\"'";
}

std::string fish_script(const std::vector<CommandWords>& commands) {
  std::string known;
  for (const CommandWords& command : commands) known += " '" + command.path + "'";
  std::string text =
      "# fish completion for pollux; made by `pollux completion fish`.\n"
      "function __pollux_command\n"
      "  set -l command pollux\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    if contains -- \"$command $word\"" +
      known +
      "\n"
      "      set command \"$command $word\"\n"
      "    end\n"
      "  end\n"
      "  echo $command\n"
      "end\n";
  for (const CommandWords& command : commands) {
    const std::string begin = "complete -c pollux -n " + fish_condition(command);
    for (const CompletionWord& word : command.subcommands) {
      text += begin + " -f -a " + word.text + " -d " + quoted(word.description, "\\'") + "\n";
    }
    if (!command.values.empty()) text += begin + " -f -a '" + joined(command.values) + "'\n";
    for (const CompletionWord& option : command.options) {
      text += begin + " -l " + option.text.substr(2) + " -d " + quoted(option.description, "\\'");
      if (!option.values.empty()) {
        text += " -x -a '" + joined(option.values) + "'";
      } else if (option.takes_value) {
        text += " -r";
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace

std::vector<CommandWords> command_words(const CLI::App& app) {
  std::vector<CommandWords> commands;
  add_commands(app, "pollux", commands);
  return commands;
}

std::string completion_script(const std::vector<CommandWords>& commands, const std::string& shell) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") return zsh_script(commands);
  return fish_script(commands);
}

}  // namespace pollux::tool
