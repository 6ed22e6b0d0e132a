// Results by HTTP POST.
//
// 2xx is taken; 408, 425, 429 and 5xx, and all failures of the connection, may pass; every other
// status is for ever. A row may arrive twice: `Pollux-Result-Id` names the first row of the body,
// and does not change between attempts. Thread: the sink's.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/http/http_client.h"
#include "server/publishers/publisher.h"
#include "server/publishers/row_payload.h"

namespace pollux {

struct WebhookOptions {
  std::string url;
  std::string method = "POST";
  std::vector<HttpParameter> headers;  ///< with Content-Type
  size_t batch = 1;                    ///< more than 1: a body is a JSON array of so many rows
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{30'000};
};

class WebhookPublisher final : public Publisher {
 public:
  WebhookPublisher(WebhookOptions options, RowPayload payload);

  size_t rows_max() const override { return options_.batch; }
  Published publish(std::span<const PublishedRow> rows, const std::atomic<bool>& stopping) override;

 private:
  static constexpr size_t kAnswerBytesMax = size_t{1} << 20;

  Published judge(const HttpClientResponse& response) const;

  const WebhookOptions options_;
  const RowPayload payload_;
  HttpClient client_;
};

}  // namespace pollux
