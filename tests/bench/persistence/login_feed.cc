#include "tests/bench/persistence/login_feed.h"

#include <time.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>

namespace pollux::bench {
namespace {

constexpr uint64_t kSeed = 20240607;
constexpr int kBatchesOnTheWay = 64;
constexpr uint32_t kRegions = 50;
constexpr int64_t kNsPerSecond = 1'000'000'000;

std::string user_name(uint32_t number) {
  char text[32];
  std::snprintf(text, sizeof(text), "user%07u@example.com", number);
  return text;
}

std::string address(uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof(text), "10.%u.%u.%u", static_cast<unsigned>(number % 16),
                static_cast<unsigned>((number >> 8) % 256),
                static_cast<unsigned>((number >> 16) % 256));
  return text;
}

void sleep_until(int64_t ns) {
  timespec until = {static_cast<time_t>(ns / kNsPerSecond), static_cast<long>(ns % kNsPerSecond)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

}  // namespace

int64_t now_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * kNsPerSecond + now.tv_nsec;
}

LoginFeed::LoginFeed(Intake& intake, uint32_t users, uint32_t batch_rows)
    : intake_(intake),
      users_(users),
      batch_rows_(batch_rows),
      schema_(intake.schema_of("LoginStream")),
      random_(kSeed) {}

void LoginFeed::submit(int64_t due_ns, std::function<void(Submitted)> done) {
  auto batch = std::make_shared<EventBatch>(schema_);
  for (uint32_t row = 0; row < batch_rows_; ++row) {
    uint64_t drawn = random_();
    batch->append_string(0, user_name(static_cast<uint32_t>(drawn % users_)));
    batch->append_string(1, address(drawn >> 32));
    batch->column(2).append(static_cast<uint8_t>(drawn % 5 != 0));
    batch->append_string(
        3, row + 1 == batch_rows_ ? kProbe : "region-" + std::to_string(drawn % kRegions));
    batch->column(4).append(due_ns);
    batch->column(5).append(static_cast<double>(drawn >> 40) / (1 << 24));
    batch->end_row(due_ns / 1'000'000);
  }
  sent_ += batch_rows_;
  Submission submission;
  submission.batch = std::move(batch);
  submission.wait = true;
  intake_.submit(std::move(submission), std::move(done));
}

void LoginFeed::send(uint64_t events) {
  std::counting_semaphore<kBatchesOnTheWay> room(kBatchesOnTheWay);
  std::atomic<bool> refused = false;
  auto done = [&](const Submitted& answer) {
    if (!answer.status.ok()) refused = true;
    room.release();
  };
  for (uint64_t until = sent_ + events; sent_ < until;) {
    room.acquire();
    submit(now_ns(), done);
  }
  for (int i = 0; i < kBatchesOnTheWay; ++i) room.acquire();
  if (refused) throw std::runtime_error("events were refused");
}

std::vector<Latency> LoginFeed::send_steadily(uint64_t rate, const std::function<bool()>& enough) {
  std::atomic<uint64_t> on_the_way = 0;
  std::atomic<bool> refused = false;
  std::vector<Latency> acks;  // the committer's thread alone acknowledges
  auto done = [&](int64_t due, const Submitted& answer) {
    acks.push_back({due, now_ns() - due});
    if (!answer.status.ok()) refused = true;
    if (on_the_way.fetch_sub(1) == 1) on_the_way.notify_all();
  };
  const int64_t begun = now_ns();
  for (uint64_t batch = 0; !enough(); ++batch) {
    auto due = begun + static_cast<int64_t>(static_cast<double>(batch * batch_rows_) /
                                            static_cast<double>(rate) * kNsPerSecond);
    if (now_ns() < due) sleep_until(due);
    on_the_way.fetch_add(1);
    submit(due, [&done, due](const Submitted& answer) { done(due, answer); });
  }
  for (uint64_t left = on_the_way.load(); left != 0; left = on_the_way.load()) {
    on_the_way.wait(left);
  }
  if (refused) throw std::runtime_error("events were refused");
  return acks;
}

}  // namespace pollux::bench
