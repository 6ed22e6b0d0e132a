// pollux config check|show: what a settings file is worth, without a server.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "server/daemon/settings_endpoints.h"
#include "server/formats/json_text.h"
#include "server/formats/output_buffer.h"
#include "server/settings/load.h"
#include "server/settings/text_maps.h"
#include "server/tool/commands.h"
#include "server/tool/console.h"

namespace pollux::tool {

namespace {

struct ConfigOptions {
  std::string file;
  bool json = false;
};

LoadedSettings load(const ConfigOptions& options) {
  LoadedSettings loaded = load_settings({options.file, process_environment()});
  if (loaded.errors.empty()) loaded.errors = check_endpoints(loaded.settings);
  return loaded;
}

std::string shown_option(const ComponentOption& option) {
  return option.secret ? "***" : option.value;
}

void write_errors_json(const LoadedSettings& loaded, OutputBuffer& out) {
  out.append(loaded.errors.empty() ? R"({"valid":true,"errors":[)"
                                   : R"({"valid":false,"errors":[)");
  for (size_t i = 0; i < loaded.errors.size(); ++i) {
    const SettingError& error = loaded.errors[i];
    if (i != 0) out.append(',');
    out.append("{\"place\":" + json_string(error.place.name) + ",\"line\":" +
               std::to_string(error.place.line) + ",\"key\":" + json_string(error.key) +
               ",\"message\":" + json_string(error.message) + "}");
  }
  out.append("]}\n");
}

void write_settings_json(const LoadedSettings& loaded, OutputBuffer& out) {
  out.append("{\"settings\":[");
  const SettingTable table = setting_table();
  for (size_t i = 0; i < table.size(); ++i) {
    const Setting& setting = table[i];
    if (i != 0) out.append(',');
    out.append("{\"name\":" + json_string(setting.name) +
               ",\"value\":" + json_string(shown_text(setting, setting.fetch(loaded.settings))) +
               ",\"origin\":" + json_string(to_text(loaded.places[i])) +
               ",\"reloadable\":" + (setting.reloadable ? "true" : "false") + "}");
  }
  out.append(']');
  for (const ComponentListInfo& list : component_lists()) {
    out.append("," + json_string(list.name) + ":[");
    const ComponentList& components = loaded.settings.*list.member;
    for (size_t i = 0; i < components.size(); ++i) {
      const ComponentSettings& component = components[i];
      if (i != 0) out.append(',');
      out.append("{\"name\":" + json_string(component.name) + ",\"type\":" +
                 json_string(component.type) + ",\"stream\":" + json_string(component.stream) +
                 ",\"origin\":" + json_string(to_text(component.place)) + ",\"options\":{");
      for (size_t j = 0; j < component.options.size(); ++j) {
        const ComponentOption& option = component.options[j];
        if (j != 0) out.append(',');
        out.append(json_string(option.name) + ":" + json_string(shown_option(option)));
      }
      out.append("}}");
    }
    out.append(']');
  }
  for (const TextMapInfo& map : text_maps()) {
    out.append("," + json_string(map.name) + ":{");
    bool first = true;
    for (const auto& [name, value] : loaded.settings.*map.member) {
      out.append((first ? "" : ",") + json_string(name) + ":" +
                 json_string(shown_text(name, value)));
      first = false;
    }
    out.append('}');
  }
  out.append("}\n");
}

void write_settings_text(const LoadedSettings& loaded, OutputBuffer& out) {
  const SettingTable table = setting_table();
  std::vector<std::string> lines;
  size_t width = 0;
  for (const Setting& setting : table) {
    const std::string value = shown_text(setting, setting.fetch(loaded.settings));
    lines.push_back(std::string(setting.name) + " = " + (value.empty() ? "\"\"" : value));
    width = std::max(width, lines.back().size());
  }
  for (size_t i = 0; i < table.size(); ++i) {
    lines[i].append(width - lines[i].size() + 2, ' ');
    out.append(lines[i] + "(" + to_text(loaded.places[i]) + ")\n");
  }
  for (const ComponentListInfo& list : component_lists()) {
    for (const ComponentSettings& component : loaded.settings.*list.member) {
      std::string line = std::string(list.name) + ": " + component.name + "  type " +
                         component.type + ", stream " + component.stream;
      for (const ComponentOption& option : component.options) {
        line += ", " + option.name + " " + shown_option(option);
      }
      out.append(line + "  (" + to_text(component.place) + ")\n");
    }
  }
  for (const TextMapInfo& map : text_maps()) {
    for (const auto& [name, value] : loaded.settings.*map.member) {
      out.append(std::string(map.name) + ": " + name + " = " + shown_text(name, value) + "\n");
    }
  }
}

ExitCode finish(OutputBuffer& out, Console& console, const LoadedSettings& loaded) {
  out.flush();
  if (out.status() == OutputBuffer::Status::kFailed) {
    console.message("standard output: " + out.error());
    return ExitCode::kFailed;
  }
  return loaded.errors.empty() ? ExitCode::kOk : ExitCode::kUsage;
}

ExitCode check(const ConfigOptions& options) {
  const LoadedSettings loaded = load(options);
  Console console;
  OutputBuffer out(STDOUT_FILENO);
  if (options.json) {
    write_errors_json(loaded, out);
  } else if (loaded.errors.empty()) {
    out.append("ok\n");
  } else {
    for (const SettingError& error : loaded.errors) console.message(to_text(error));
  }
  return finish(out, console, loaded);
}

ExitCode show(const ConfigOptions& options) {
  const LoadedSettings loaded = load(options);
  Console console;
  OutputBuffer out(STDOUT_FILENO);
  if (!loaded.errors.empty()) {
    for (const SettingError& error : loaded.errors) console.message(to_text(error));
  } else if (options.json) {
    write_settings_json(loaded, out);
  } else {
    write_settings_text(loaded, out);
  }
  return finish(out, console, loaded);
}

CLI::App* add_subcommand(CLI::App& config, const char* name, const char* what, const char* json,
                         const std::shared_ptr<ConfigOptions>& options) {
  CLI::App* command = config.add_subcommand(name, what);
  command->add_option("FILE", options->file, "Settings in YAML; without it, all are defaults");
  command->add_flag("--json", options->json, json);
  return command;
}

}  // namespace

void add_config_command(CLI::App& app, ExitCode& exit_code) {
  CLI::App* config = app.add_subcommand("config", "Work with the server's settings");
  config->require_subcommand(1);
  config->footer(
      "Variables POLLUX__SECTION__KEY of the environment count, as they do for polluxd. Ends with\n"
      "0 when all is right, 1 when there are errors.\n"
      "\n"
      "Examples:\n"
      "  pollux config check conf/pollux.yaml\n"
      "  POLLUX__HTTP__PORT=9000 pollux config show conf/pollux.yaml\n");
  auto options = std::make_shared<ConfigOptions>();
  add_subcommand(*config, "check", "Report all that is wrong: FILE:LINE: key: what, or ok",
                 "One JSON object on stdout: valid, errors (place, line, key, message)", options)
      ->callback([options, &exit_code] { exit_code = check(*options); });
  add_subcommand(*config, "show",
                 "Print the settings that would be used, each with where it comes from",
                 "One JSON object on stdout: settings (name, value, origin, reloadable), and each "
                 "list",
                 options)
      ->callback([options, &exit_code] { exit_code = show(*options); });
}

}  // namespace pollux::tool
