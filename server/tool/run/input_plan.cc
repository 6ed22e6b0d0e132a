#include "server/tool/run/input_plan.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/language/diagnostics.h"

namespace pollux::tool {

namespace {

using Names = std::vector<std::string>;

/// "; did you mean X?" or the list of what there is.
std::string advice(const std::string& wrong, const Names& right, std::string_view what) {
  std::string near = nearest_name(wrong, right);
  if (!near.empty()) return "; did you mean " + near + "?";
  if (right.empty()) return "; the plan has no " + std::string(what);
  std::string text = "; " + std::string(what) + ": ";
  for (size_t i = 0; i < right.size(); ++i) text += (i == 0 ? "" : ", ") + right[i];
  return text;
}

Names attribute_names(const Schema& schema) {
  Names names;
  for (const Attribute& attribute : schema.attributes()) names.push_back(attribute.name);
  return names;
}

class Resolver {
 public:
  Resolver(const RunOptions& options, const std::vector<StreamInfo>& streams)
      : options_(options), streams_(streams) {}

  InputPlan resolve() {
    for (const std::string& input : options_.inputs) add_input(input);
    check_standard_input();
    for (const std::string& constant : options_.constants) add_constant(constant);
    for (InputFile& file : plan_.files) {
      file.layout.timestamp_attribute = usual_timestamp_attribute(*file.layout.schema);
    }
    for (const std::string& timestamp : options_.timestamps) add_timestamp(timestamp);
    add_outputs();
    return std::move(plan_);
  }

 private:
  void fail(std::string text) { plan_.errors.push_back(std::move(text)); }

  Names input_names() const {
    Names names;
    for (const StreamInfo& stream : streams_) {
      if (stream.input) names.push_back(stream.schema->name());
    }
    return names;
  }

  void add_input(const std::string& input) {
    size_t equals = input.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == input.size()) {
      return fail("--in " + input + ": expected STREAM=FILE, or STREAM=- for standard input");
    }
    std::string name = input.substr(0, equals);
    for (const StreamInfo& stream : streams_) {
      if (!stream.input || stream.schema->name() != name) continue;
      plan_.files.push_back({input.substr(equals + 1), RowLayout(stream.schema)});
      return;
    }
    fail("--in " + input + ": the plan defines no stream " + name +
         advice(name, input_names(), "defined streams"));
  }

  void check_standard_input() {
    auto is_standard_input = [](const InputFile& file) { return file.path == "-"; };
    if (std::count_if(plan_.files.begin(), plan_.files.end(), is_standard_input) > 1) {
      fail("--in: standard input (-) can feed only one stream");
    }
  }

  /// The files whose stream is named before the first fitting dot of `path`; `rest` is what
  /// follows. Stream names may hold dots themselves.
  std::vector<InputFile*> files_of(std::string_view path, std::string& rest) {
    std::vector<InputFile*> found;
    for (InputFile& file : plan_.files) {
      const std::string& name = file.layout.schema->name();
      if (path.size() > name.size() && path.starts_with(name) && path[name.size()] == '.') {
        rest = path.substr(name.size() + 1);
        found.push_back(&file);
      }
    }
    return found;
  }

  void add_constant(const std::string& constant) {
    size_t equals = constant.find('=');
    if (equals == std::string::npos) {
      return fail("--set " + constant + ": expected STREAM.ATTRIBUTE=VALUE");
    }
    std::string path = constant.substr(0, equals);
    std::string_view value = std::string_view(constant).substr(equals + 1);
    std::string name;
    std::vector<InputFile*> files = files_of(path, name);
    if (files.empty()) {
      return fail("--set " + constant + ": no --in feeds the stream of " + path +
                  "; expected STREAM.ATTRIBUTE=VALUE");
    }
    for (InputFile* file : files) {
      const Schema& schema = *file->layout.schema;
      std::optional<size_t> attribute = schema.find(name);
      if (!attribute) {
        return fail("--set " + constant + ": stream " + schema.name() + " has no attribute " +
                    name + advice(name, attribute_names(schema), "attributes"));
      }
      RowError error;
      if (!set_constant(file->layout, *attribute, value, error)) {
        return fail("--set " + constant + ": " + error.reason);
      }
    }
  }

  void add_timestamp(const std::string& timestamp) {
    std::string name;
    std::vector<InputFile*> files = files_of(timestamp, name);
    if (files.empty()) {
      // Without a stream: every stream that has such an attribute.
      name = timestamp;
      Names all;
      for (InputFile& file : plan_.files) {
        Names names = attribute_names(*file.layout.schema);
        if (std::find(names.begin(), names.end(), name) != names.end()) files.push_back(&file);
        all.insert(all.end(), names.begin(), names.end());
      }
      if (files.empty()) {
        return fail("--timestamp " + timestamp + ": no stream with --in has an attribute " + name +
                    advice(name, all, "attributes"));
      }
    }
    for (InputFile* file : files) set_timestamp(*file, timestamp, name);
  }

  void set_timestamp(InputFile& file, const std::string& option, const std::string& name) {
    const Schema& schema = *file.layout.schema;
    std::optional<size_t> attribute = schema.find(name);
    if (!attribute) {
      return fail("--timestamp " + option + ": stream " + schema.name() + " has no attribute " +
                  name + advice(name, attribute_names(schema), "attributes"));
    }
    AttributeType type = schema[*attribute].type;
    if (type != AttributeType::kLong && type != AttributeType::kInt) {
      return fail("--timestamp " + option + ": attribute " + name + " is of type " +
                  std::string(name_of(type)) + "; expected a long of milliseconds since 1970");
    }
    file.layout.timestamp_attribute = attribute;
    file.layout.timestamp_named = true;
  }

  void add_outputs() {
    Names known;
    for (const StreamInfo& stream : streams_) {
      if (stream.output) known.push_back(stream.schema->name());
      if (stream.leaf && options_.outputs.empty()) {
        plan_.outputs.push_back(stream.schema->name());
      }
    }
    for (const std::string& output : options_.outputs) {
      if (std::find(known.begin(), known.end(), output) == known.end()) {
        fail("--out " + output + ": no query of the plan inserts into " + output +
             advice(output, known, "outputs"));
      } else {
        plan_.outputs.push_back(output);
      }
    }
  }

  const RunOptions& options_;
  const std::vector<StreamInfo>& streams_;
  InputPlan plan_;
};

}  // namespace

InputPlan resolve_options(const RunOptions& options, const std::vector<StreamInfo>& streams) {
  return Resolver(options, streams).resolve();
}

}  // namespace pollux::tool
