#include "tests/bench/ingest/requests.h"

#include <algorithm>
#include <cstdio>

#include "pollux.pb.h"
#include "server/grpc/batch_codec.h"
#include "tests/bench/batch_feed.h"

namespace pollux::bench {
namespace {

/// Enough that a request is long out of the processor's caches when its turn comes again.
constexpr size_t kEventsMade = 128'000;
constexpr size_t kRequestsMax = 8'192;

void append_json(std::string& text, const LoginEvent& event) {
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, "\"ts\":%lld,\"risk\":%.17g},\"timestamp\":%lld}",
                static_cast<long long>(event.ts), event.risk, static_cast<long long>(event.ts));
  text += "{\"data\":{\"username\":\"" + event.username + "\",\"ip\":\"" + event.ip +
          "\",\"success\":" + (event.success ? "true" : "false") + ",\"region\":\"" + event.region +
          "\"," + numbers;
}

void fill_rows(const LoginEvent* events, uint32_t count, v1::Rows& rows) {
  for (const char* name : {"username", "ip", "success", "region", "ts", "risk"}) {
    rows.add_attributes(name);
  }
  for (uint32_t i = 0; i < count; ++i) {
    const LoginEvent& event = events[i];
    v1::Row& row = *rows.add_rows();
    row.set_timestamp_ms(event.ts);
    row.add_values()->set_string_value(event.username);
    row.add_values()->set_string_value(event.ip);
    row.add_values()->set_bool_value(event.success);
    row.add_values()->set_string_value(event.region);
    row.add_values()->set_long_value(event.ts);
    row.add_values()->set_double_value(event.risk);
  }
}

}  // namespace

Requests::Requests(uint32_t rows) : rows_(rows) {
  size_t requests = std::clamp<size_t>(kEventsMade / rows, 1, kRequestsMax);
  events_ = make_events(kDefaultSeed, static_cast<uint32_t>(requests * rows));
  for (size_t i = 0; i < requests; ++i) {
    first_.push_back(i * rows);
    auto begin = events_.begin() + static_cast<ptrdiff_t>(i * rows);
    failures_.push_back(static_cast<uint64_t>(std::count_if(
        begin, begin + rows, [](const LoginEvent& event) { return !event.success; })));
  }
}

EventBatchPtr Requests::batch(size_t request) const {
  auto begin = events_.begin() + static_cast<ptrdiff_t>(first_[request]);
  return events_batch({begin, begin + rows_});
}

std::string Requests::json(size_t request) const {
  std::string text = rows_ == 1 ? "" : "[";
  for (uint32_t i = 0; i < rows_; ++i) {
    if (i > 0) text += ",";
    append_json(text, events_[first_[request] + i]);
  }
  if (rows_ != 1) text += "]";
  return text;
}

std::string Requests::message(size_t request, Form form) const {
  v1::PublishRequest message;
  message.set_stream(kStream);
  if (form == Form::kColumns) {
    encode_columns(*batch(request), 0, rows_, *message.mutable_columns());
  } else {
    fill_rows(&events_[first_[request]], rows_, *message.mutable_rows());
  }
  return message.SerializeAsString();
}

}  // namespace pollux::bench
