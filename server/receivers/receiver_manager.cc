#include "server/receivers/receiver_manager.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/endpoints/option_reader.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

/// A file name of a receiver's name.
std::string file_name_of(const std::string& name) {
  std::string file;
  for (char c : name) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') {
      file += c;
    } else {
      absl::StrAppend(&file, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return file + ".place";
}

void read_format(const EndpointDefinition& source, OptionReader& options,
                 FileReceiverOptions& file) {
  using Format = FileReceiverOptions::Format;
  if (options.choice("format", {"json", "csv"}) == 1) file.format = Format::kCsv;
  if (!source.map) return;
  const EndpointMapping& map = *source.map;
  if (same_letters(map.type, "csv")) {
    file.format = Format::kCsv;
  } else if (same_letters(map.type, "json")) {
    file.format = Format::kJson;
  } else if (!map.type.empty()) {
    options.mistake(map.place,
                    absl::StrCat("unknown map type '", map.type, "'; there are json and csv"),
                    nearest_name(map.type, {"json", "csv"}));
  }
  if (map.payload) options.mistake(map.payload->place, "a source takes no @payload");
  for (const EndpointOption& option : map.options) {
    options.mistake(option.place,
                    absl::StrCat("unknown option '", option.key, "' of @map; it has a type"));
  }
}

}  // namespace

FileReceiverOptions check_receiver(const EndpointDefinition& source, const SchemaPtr& schema,
                                   EndpointMistakes& mistakes) {
  FileReceiverOptions file;
  file.name = source.name;
  file.stream = source.stream;
  if (!same_letters(source.type, "file")) {
    std::string what = source.type.empty()
                           ? std::string("a source needs a type")
                           : absl::StrCat("unknown type of source '", source.type, "'");
    mistakes.push_back({source.place,
                        absl::StrCat(what,
                                     "; there is file (events come to any stream by HTTP and "
                                     "gRPC without a source)"),
                        nearest_name(source.type, {"file"})});
    return file;
  }
  OptionReader options(source.options, source.place, mistakes);
  file.path = options.needed_text({"path", "file.uri"}, "the file to read");
  constexpr std::string_view kScheme = "file://";
  if (file.path.starts_with(kScheme)) file.path.erase(0, kScheme.size());
  read_format(source, options, file);
  file.header = options.flag("header", true);
  file.tailing = options.flag("tailing", true);
  file.from_end = options.choice("begin", {"start", "end"}) == 1;
  file.poll = options.duration("poll.interval", {file.poll, milliseconds(1), milliseconds(60'000)});
  if (std::optional<EndpointOption> time = options.take("timestamp")) {
    file.time_attribute = time->value;
    std::optional<size_t> found = schema == nullptr ? std::nullopt : schema->find(time->value);
    bool fits = found && ((*schema)[*found].type == AttributeType::kLong ||
                          (*schema)[*found].type == AttributeType::kInt);
    if (schema != nullptr && !fits) {
      options.mistake(time->place, absl::StrCat("stream '", source.stream, "' has no attribute ",
                                                in_quotes(time->value),
                                                " of type long or int, to be the event's time"));
    }
  }
  options.finish("a source of type file");
  return file;
}

EndpointMistakes ReceiverManager::set_settings(std::vector<EndpointDefinition> sources) {
  EndpointMistakes mistakes;
  for (const EndpointDefinition& source : sources) check_receiver(source, nullptr, mistakes);
  if (!mistakes.empty()) return mistakes;
  std::lock_guard lock(mutex_);
  for (EndpointDefinition& source : sources) start(std::move(source));
  return mistakes;
}

void ReceiverManager::start(EndpointDefinition definition) {
  EndpointMistakes ignored;
  FileReceiverOptions options = check_receiver(definition, nullptr, ignored);
  std::error_code error;
  std::filesystem::create_directories(environment_.folder, error);  // or each place says why not
  options.place_path = absl::StrCat(environment_.folder, "/", file_name_of(definition.name));
  std::string name = definition.name;
  auto running = std::make_unique<FileReceiver>(std::move(options), intake_, environment_.warn);
  receivers_.insert_or_assign(std::move(name), Receiver{std::move(definition), std::move(running)});
}

Diagnostics ReceiverManager::check(const PlanProposal& plan) const {
  EndpointMistakes mistakes;
  auto check = [&](const EndpointDefinition& source, bool of_plan) {
    auto input = std::find_if(plan.streams.begin(), plan.streams.end(), [&](const auto& stream) {
      return stream.input && stream.schema->name() == source.stream;
    });
    if (input != plan.streams.end()) {
      check_receiver(source, input->schema, mistakes);
    } else if (of_plan) {
      check_receiver(source, nullptr, mistakes);
    }
  };
  for (const auto& source :
       endpoints_of(plan.description, StreamEndpoint::Kind::kSource, mistakes)) {
    check(source, true);
  }
  std::lock_guard lock(mutex_);
  for (const auto& [name, receiver] : receivers_) {
    if (receiver.definition.plan.empty()) check(receiver.definition, false);
  }
  return to_diagnostics(mistakes);
}

void ReceiverManager::deployed(const PlanProposal& plan,
                               std::map<std::string, PlanOutput> /*outputs*/) {
  EndpointMistakes ignored;  // were check()'s to report
  std::vector<EndpointDefinition> wanted =
      endpoints_of(plan.description, StreamEndpoint::Kind::kSource, ignored);
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  std::erase_if(receivers_, [&](const auto& known) {
    const EndpointDefinition& old = known.second.definition;
    return old.plan == plan.description.name &&
           std::none_of(wanted.begin(), wanted.end(),
                        [&](const EndpointDefinition& source) { return source.same_as(old); });
  });
  for (EndpointDefinition& source : wanted) {
    if (!receivers_.contains(source.name)) start(std::move(source));
  }
}

void ReceiverManager::undeployed(const std::string& plan) {
  std::lock_guard lock(mutex_);
  std::erase_if(receivers_,
                [&](const auto& known) { return known.second.definition.plan == plan; });
}

std::vector<ReceiverInfo> ReceiverManager::states() const {
  std::vector<ReceiverInfo> infos;
  std::lock_guard lock(mutex_);
  for (const auto& [name, receiver] : receivers_) {
    const EndpointDefinition& definition = receiver.definition;
    infos.push_back(
        {name, definition.type, definition.stream, definition.plan, receiver.running->counts()});
  }
  return infos;
}

void ReceiverManager::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  for (auto& [name, receiver] : receivers_) receiver.running->stop();
}

}  // namespace pollux
