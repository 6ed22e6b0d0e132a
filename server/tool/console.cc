#include "server/tool/console.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "server/tool/text_format.h"

namespace pollux::tool {

namespace {

constexpr std::chrono::milliseconds kDrawInterval{100};
constexpr size_t kBarColumns = 30;

// What is printed for a person is best effort: where standard error is gone, nobody is told.
void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

bool can_draw() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

}  // namespace

Console::Console() : has_bar_(can_draw()), started_(Clock::now()), drawn_(started_) {}

Console::~Console() { wipe(); }

void Console::message(std::string_view text) {
  std::lock_guard lock(mutex_);
  wipe();
  print(text);
  if (!text.ends_with('\n')) print("\n");
}

void Console::wipe_bar() {
  std::lock_guard lock(mutex_);
  wipe();
}

void Console::wipe() {
  if (!bar_shown_) return;
  print("\r\x1b[K");
  bar_shown_ = false;
}

void Console::show(const Progress& progress) {
  if (!has_bar_) return;
  std::lock_guard lock(mutex_);
  Clock::time_point now = Clock::now();
  if (now - drawn_ < kDrawInterval) return;
  drawn_ = now;
  double seconds = std::chrono::duration<double>(now - started_).count();
  print("\r" + progress_text(progress, seconds, kBarColumns) + "\x1b[K");
  bar_shown_ = true;
}

void ConsoleLog::on_log(std::string_view plan, LogPriority, std::string_view text) {
  std::string line = std::string(plan) + ": " + std::string(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  console_.message(line);
}

std::string progress_text(const Progress& progress, double seconds, size_t width) {
  std::string text;
  if (progress.bytes_total != 0) {
    double part = std::min(
        1.0, static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes_total));
    auto filled = static_cast<size_t>(part * static_cast<double>(width));
    text = "[" + std::string(filled, '=') + std::string(width - filled, ' ') + "] " +
           std::to_string(static_cast<int>(part * 100)) + "%  ";
  }
  text += counted(progress.events, "event");
  if (seconds > 0) {
    auto rate = static_cast<uint64_t>(static_cast<double>(progress.events) / seconds);
    text += "  " + with_thousands(rate) + "/s";
  }
  if (progress.acked) text += "  " + with_thousands(*progress.acked) + " acked";
  return text;
}

}  // namespace pollux::tool
