#include "server/publishers/sink_types.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/endpoints/option_reader.h"
#include "server/publishers/file_publisher.h"
#include "server/publishers/store_publisher.h"
#include "server/publishers/webhook_publisher.h"
#include "storage/record_store.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHour{3'600'000};
constexpr milliseconds kTenYears{int64_t{3653} * 24 * 3'600'000};

/// A definition on its way to a publisher.
struct Reading {
  const EndpointDefinition& sink;
  const SchemaPtr& schema;
  const SinkEnvironment& environment;
  OptionReader& options;
  StoredTables tables;
  CheckedSink& checked;
};

RetryOptions read_retry(OptionReader& options, RetryOptions retry) {
  retry.min = options.duration("retry.min", {retry.min, milliseconds(1), kHour});
  retry.max = options.duration("retry.max", {std::max(retry.max, retry.min), retry.min, kHour});
  retry.attempts = options.count("retry.attempts", {retry.attempts, 0, 1'000'000});
  retry.give_up = options.choice("on.error", {"log", "wait"}) == 0;
  return retry;
}

struct PayloadChoice {
  PayloadTemplate::Kind kind = PayloadTemplate::Kind::kJson;
  std::optional<EndpointOption> text;
};

/// From @map(type=..., @payload(...)), or from the options payload and payload.type.
PayloadChoice read_payload_choice(const Reading& reading) {
  PayloadChoice choice;
  if (!reading.sink.map) {
    choice.text = reading.options.take("payload");
    bool is_text = reading.options.choice("payload.type", {"json", "text"}) == 1;
    if (is_text) choice.kind = PayloadTemplate::Kind::kText;
    if (is_text && !choice.text) {
      reading.options.mistake(reading.sink.place, "payload.type 'text' needs option 'payload'");
    }
    return choice;
  }
  const EndpointMapping& map = *reading.sink.map;
  choice.text = map.payload;
  if (same_letters(map.type, "text")) {
    choice.kind = PayloadTemplate::Kind::kText;
    if (!choice.text) reading.options.mistake(map.place, "@map(type='text') needs @payload('...')");
  } else if (!map.type.empty() && !same_letters(map.type, "json")) {
    reading.options.mistake(
        map.place, absl::StrCat("unknown map type '", map.type, "'; there are json and text"),
        nearest_name(map.type, {"json", "text"}));
  }
  for (const EndpointOption& option : map.options) {
    reading.options.mistake(option.place, absl::StrCat("unknown option '", option.key,
                                                       "' of @map; it has type and @payload"));
  }
  return choice;
}

RowPayload read_payload(const Reading& reading, PayloadTemplate::Kind* kind = nullptr) {
  PayloadChoice choice = read_payload_choice(reading);
  if (kind != nullptr) *kind = choice.kind;
  if (!choice.text || reading.schema == nullptr) return {};
  auto compiled = PayloadTemplate::compile(choice.text->value, choice.kind, *reading.schema);
  if (compiled.ok()) return RowPayload(*std::move(compiled));
  reading.options.mistake(choice.text->place, std::string(compiled.status().message()));
  return {};
}

using Make = std::function<std::unique_ptr<Publisher>()>;

Make read_log(const Reading& reading) {
  std::string prefix = reading.options.text("prefix", "");
  RowPayload payload = read_payload(reading);
  return [prefix, payload, take = reading.environment.log_line] {
    return std::make_unique<LogPublisher>(prefix, payload, take);
  };
}

Make read_file(const Reading& reading) {
  FilePublisherOptions file;
  file.path = reading.options.needed_text({"path", "file.uri"}, "the file to append to");
  constexpr std::string_view kScheme = "file://";
  if (file.path.starts_with(kScheme)) file.path.erase(0, kScheme.size());
  file.sync = reading.options.flag("fsync", false);
  RowPayload payload = read_payload(reading);
  return [file, payload] { return std::make_unique<FilePublisher>(file, payload); };
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

void read_headers(const Reading& reading, WebhookOptions& webhook) {
  constexpr std::array<std::string_view, 5> kOurs = {"Pollux-Result-Id", "Content-Length", "Host",
                                                     "Transfer-Encoding", "Connection"};
  for (EndpointOption& header : reading.options.with_prefix("header.")) {
    bool ours = std::any_of(kOurs.begin(), kOurs.end(),
                            [&](std::string_view name) { return same_letters(name, header.key); });
    bool one_line = header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
    if (ours || !is_header_name(header.key) || !one_line) {
      reading.options.mistake(header.place,
                              absl::StrCat("'header.", header.key, "' cannot be set like this"));
      continue;
    }
    webhook.headers.push_back({std::move(header.key), std::move(header.value)});
  }
}

bool is_http_url(std::string_view url) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme)) continue;
    std::string_view rest = url.substr(scheme.size());
    return !rest.empty() && rest.front() != '/' && rest.front() != ':' &&
           rest.find_first_of(" \t\r\n") == std::string_view::npos;
  }
  return false;
}

Make read_webhook(const Reading& reading) {
  OptionReader& options = reading.options;
  WebhookOptions webhook;
  webhook.url = options.needed_text({"url", "publisher.url"}, "the address to send to");
  if (!webhook.url.empty() && !is_http_url(webhook.url)) {
    options.mistake(reading.sink.place, absl::StrCat("url ", in_quotes(webhook.url),
                                                     " must be http://HOST... or https://HOST..."));
  }
  if (options.choice("method", {"POST", "PUT"}) == 1) webhook.method = "PUT";
  webhook.batch = options.count("batch", {1, 1, 1000});
  webhook.connect_timeout =
      options.duration("connect.timeout", {webhook.connect_timeout, milliseconds(1), kHour});
  webhook.timeout = options.duration("timeout", {webhook.timeout, milliseconds(1), kHour});
  read_headers(reading, webhook);
  PayloadTemplate::Kind kind = PayloadTemplate::Kind::kJson;
  RowPayload payload = read_payload(reading, &kind);
  bool json = kind == PayloadTemplate::Kind::kJson;
  if (!json && webhook.batch > 1) {
    options.mistake(reading.sink.place, "batch makes JSON arrays: it needs a JSON payload");
  }
  bool typed = std::any_of(webhook.headers.begin(), webhook.headers.end(), [](const auto& header) {
    return same_letters(header.name, "Content-Type");
  });
  if (!typed) {
    webhook.headers.push_back(
        {"Content-Type", json ? "application/json" : "text/plain; charset=utf-8"});
  }
  return [webhook, payload] { return std::make_unique<WebhookPublisher>(webhook, payload); };
}

/// Against the table that is there already, if there is one.
absl::Status check_table(const RecordStore& store, const TableDefinition& table) {
  if (absl::Status fits = check_definition(table); !fits.ok()) return fits;
  absl::StatusOr<std::vector<StoredTable>> stored = store.tables();
  if (!stored.ok()) return absl::OkStatus();  // a store that fails now may be well later
  for (const StoredTable& other : *stored) {
    if (other.definition.name == table.name) return check_successor(other.definition, table);
  }
  return absl::OkStatus();
}

/// As the options of a sink say it.
TableDefinition read_table(const Reading& reading) {
  OptionReader& options = reading.options;
  TableDefinition table;
  table.name = options.text("table", table_name_of(reading.sink.stream));
  std::string key = options.text("primary.key", "");
  for (absl::string_view column : absl::StrSplit(key, ',', absl::SkipWhitespace())) {
    table.primary_key.emplace_back(absl::StripAsciiWhitespace(column));
  }
  table.retention_ms =
      options.duration("retention", {milliseconds(0), milliseconds(0), kTenYears}).count();
  table.schema = reading.schema;
  return table;
}

Make read_store(const Reading& reading) {
  OptionReader& options = reading.options;
  const StoredHolder* holder = reading.sink.holder.get();
  const std::string name =
      holder == nullptr
          ? options.text("store", std::string(kProcessedDataStore))
          : read_store_name(*holder, reading.environment.store_in, reading.sink.place, options);
  TableDefinition table = holder == nullptr ? read_table(reading) : table_of(*holder);
  if (reading.sink.map) options.mistake(reading.sink.map->place, "a store takes no @map");
  if (name.empty()) return nullptr;
  if (std::find(kStoreNames.begin(), kStoreNames.end(), name) == kStoreNames.end()) {
    options.mistake(reading.sink.place, absl::StrCat("there is no store ", in_quotes(name)),
                    nearest_name(name, {kStoreNames.begin(), kStoreNames.end()}));
    return nullptr;
  }
  // A table that is only read is somebody else's to make; reading it tells whether it fits.
  if (table.schema == nullptr || (holder != nullptr && is_only_read(*holder))) return nullptr;
  reading.checked.store = name;
  reading.checked.table = table;
  if (!reading.environment.find_store) return nullptr;
  StoreAccess store = reading.environment.find_store(name);
  reading.checked.own = !store.shared;
  if (reading.tables == StoredTables::kAsk) {
    absl::Status fits = check_table(*store.records, table);
    if (!fits.ok()) options.mistake(reading.sink.place, std::string(fits.message()));
  }
  const auto content = holder == nullptr ? StoredStream::kRows : StoredStream::kChanges;
  return [store, table, content] {
    return std::make_unique<StorePublisher>(*store.records, table, content, store.epoch);
  };
}

/// A store's rows wait for it on the disk, however long it is away.
constexpr RetryOptions kForStores{milliseconds(100), milliseconds(2'000), 0, true};

struct SinkType {
  const char* name;
  Make (*read)(const Reading& reading);
  RetryOptions retry = {};
};
constexpr std::array<SinkType, 4> kSinkTypes = {{{"log", read_log},
                                                 {"file", read_file},
                                                 {"http", read_webhook},
                                                 {"store", read_store, kForStores}}};

}  // namespace

CheckedSink check_sink(const EndpointDefinition& sink, const SchemaPtr& schema,
                       const SinkEnvironment& environment, EndpointMistakes& mistakes,
                       StoredTables tables) {
  CheckedSink checked;
  std::vector<std::string> names;
  for (const SinkType& type : kSinkTypes) names.emplace_back(type.name);
  auto type = std::find_if(kSinkTypes.begin(), kSinkTypes.end(), [&](const SinkType& candidate) {
    return same_letters(candidate.name, sink.type);
  });
  if (type == kSinkTypes.end()) {
    std::string what = sink.type.empty() ? std::string("a sink needs a type")
                                         : absl::StrCat("unknown type of sink '", sink.type, "'");
    mistakes.push_back({sink.place, absl::StrCat(what, "; there are ", absl::StrJoin(names, ", ")),
                        nearest_name(sink.type, names)});
    return checked;
  }
  size_t before = mistakes.size();
  OptionReader options(sink.options, sink.place, mistakes);
  checked.retry = read_retry(options, type->retry);
  Make make = type->read({sink, schema, environment, options, tables, checked});
  options.finish(absl::StrCat("a sink of type ", type->name));
  if (mistakes.size() == before && schema != nullptr) checked.make = std::move(make);
  return checked;
}

}  // namespace pollux
