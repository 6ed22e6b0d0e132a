#include "server/settings/settings_text.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "server/settings/setting_table.h"

namespace pollux {

namespace {

constexpr size_t kColumnsMax = 96;

/// `text` in lines that begin with `lead`, broken between words.
std::string wrapped(std::string_view text, const std::string& lead) {
  std::string out;
  std::string line = lead;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (line.size() > lead.size() && line.size() + 1 + word.size() > kColumnsMax) {
      out += std::exchange(line, lead) + "\n";
    }
    if (line.size() > lead.size()) line += ' ';
    line += word;
  }
  return out + line + "\n";
}

/// Each line of `text` behind `lead`.
std::string indented(std::string_view text, const std::string& lead) {
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    out += lead;
    out += text.substr(0, end + 1);
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string_view section_of(const Setting& setting) {
  const size_t dot = setting.name.find('.');
  return dot == std::string_view::npos ? std::string_view() : setting.name.substr(0, dot);
}

std::string_view key_of(const Setting& setting) {
  return setting.name.substr(setting.name.find('.') + 1);  // npos + 1 == 0
}

std::string range_sentence(const Setting& setting) {
  std::string text = "(" + type_text(setting);
  if (setting.secret) text += "; secret";
  if (setting.reloadable) text += "; reloadable";
  return text + ")";
}

/// Calls `begin` where a section begins, and `each` for each setting.
template <class Begin, class Each>
void for_each_setting(const Begin& begin, const Each& each) {
  std::string_view current;
  for (const Setting& setting : setting_table()) {
    const std::string_view name = section_of(setting);
    if (name != std::exchange(current, name)) {
      for (const SettingsSection& section : settings_sections()) {
        if (section.name == name) begin(section);
      }
    }
    each(setting);
  }
}

std::string yaml_value(const Setting& setting) {
  const std::string text(setting.default_text);
  return text.empty() ? "\"\"" : text;
}

}  // namespace

std::string defaults_file() {
  std::string out =
      "# Settings of polluxd, each with its default: delete what you do not change.\n"
      "# `polluxd --check --config FILE` tells all that is wrong with a file. A variable of the\n"
      "# environment wins over it: POLLUX__HTTP__PORT=9000 for http.port. Reloadable settings are\n"
      "# taken over on SIGHUP, all others at the next start.\n\n";
  for_each_setting(
      [&](const SettingsSection& section) {
        out += wrapped(section.doc, "# ") + std::string(section.name) + ":\n";
      },
      [&](const Setting& setting) {
        const std::string indent = section_of(setting).empty() ? "" : "  ";
        out += wrapped(std::string(setting.doc) + " " + range_sentence(setting), indent + "# ");
        out += indent + std::string(key_of(setting)) + ": " + yaml_value(setting) + "\n";
        out += "\n";
      });
  for (const ComponentListInfo& list : component_lists()) {
    out += wrapped(std::string(list.doc) + " For example:", "# ");
    out += indented(list.example, "#   ") + std::string(list.name) + ": []\n\n";
  }
  for (const TextMapInfo& map : text_maps()) {
    out += wrapped(std::string(map.doc) + " For example:", "# ");
    out += indented(map.example, "#   ") + std::string(map.name) + ": {}\n\n";
  }
  out.pop_back();
  return out;
}

std::string settings_help() {
  std::string out;
  for (const Setting& setting : setting_table()) {
    const std::string text(setting.default_text);
    out += "  " + std::string(setting.name) + " = " + (text.empty() ? "\"\"" : text) + "  " +
           range_sentence(setting) + "\n" + wrapped(setting.doc, "      ");
  }
  for (const ComponentListInfo& list : component_lists()) {
    out += "  " + std::string(list.name) + "  (list of name, type" +
           (list.has_stream ? ", stream" : "") + ", options)\n" + wrapped(list.doc, "      ");
  }
  for (const TextMapInfo& map : text_maps()) {
    out +=
        "  " + std::string(map.name) + "  (names with a text each)\n" + wrapped(map.doc, "      ");
  }
  return out;
}

std::string reference_page() {
  std::string out =
      "# Settings\n\n"
      "Written by `polluxd --print-reference` from the table that the server checks settings by.\n"
      "[polluxd.md](polluxd.md) tells how they are given; `conf/pollux.yaml` holds the "
      "defaults.\n\n"
      "Durations need a unit: `250ms`, `30 s`, `15 min`, `2 h`, `7 days`. Sizes are in bytes, or\n"
      "have a unit: `64 KiB`, `16 MiB`, `1 GiB`. The variable of the environment for\n"
      "`section.key` is `POLLUX__SECTION__KEY`.\n\n"
      "## General\n\n";
  const std::string head =
      "| setting | default | | meaning |\n"
      "|---|---|---|---|\n";
  out += head;
  for_each_setting(
      [&](const SettingsSection& section) {
        out +=
            "\n## " + std::string(section.name) + "\n\n" + std::string(section.doc) + "\n\n" + head;
      },
      [&](const Setting& setting) {
        out += "| `" + std::string(setting.name) + "` | `" + yaml_value(setting) + "` | " +
               type_text(setting) + (setting.secret ? "; secret" : "") +
               (setting.reloadable ? "; reloadable" : "") + " | " + std::string(setting.doc) +
               " |\n";
      });
  out +=
      "\n## Lists\n\n"
      "Each item has a `name` (unique in its list), a `type`, a `stream` (but for datasources), "
      "and\n"
      "`options`, which depend on the type. An option whose name ends in `password`, `secret`, "
      "`token` or\n"
      "`authorization` is never shown; with `_file` behind its name it is the path of a file that\n"
      "holds the value.\n";
  for (const ComponentListInfo& list : component_lists()) {
    out += "\n" + std::string(list.doc) + "\n\n```yaml\n" + std::string(list.name) + ":\n" +
           indented(list.example, "  ") + "```\n";
  }
  for (const TextMapInfo& map : text_maps()) {
    out += "\n## " + std::string(map.name) + "\n\n" + std::string(map.doc) +
           "\nThe variable of the environment for one of them is `" + environment_name(map.name) +
           "__name`, with the name's own letter case.\n\n```yaml\n" + std::string(map.name) +
           ":\n" + indented(map.example, "  ") + "```\n";
  }
  return out;
}

}  // namespace pollux
