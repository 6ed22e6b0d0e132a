#include "tests/bench/ingest/raw_server.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <thread>

#include "tests/bench/ingest/socket.h"

namespace pollux::bench {
namespace {

constexpr size_t kLengthBytes = 4;

/// Counts the frames that are complete, and removes them.
uint64_t take_frames(std::string& bytes) {
  uint64_t frames = 0;
  size_t at = 0;
  uint32_t length = 0;
  while (bytes.size() - at >= kLengthBytes) {
    std::memcpy(&length, bytes.data() + at, kLengthBytes);
    if (bytes.size() - at - kLengthBytes < length) break;
    at += kLengthBytes + length;
    ++frames;
  }
  bytes.erase(0, at);
  return frames;
}

void serve(const Socket& socket) {
  std::string bytes;
  std::string acks;
  uint64_t number = 0;
  while (socket.read_some(bytes)) {
    acks.clear();
    for (uint64_t frames = take_frames(bytes); frames > 0; --frames) {
      ++number;
      acks.append(reinterpret_cast<const char*>(&number), kRawAckBytes);
    }
    socket.write_all(acks);
  }
}

void serve_until_it_breaks(const Socket& socket) {
  try {
    serve(socket);
  } catch (const std::exception&) {
    return;  // the client is gone, and measures no more
  }
}

}  // namespace

std::string frame(std::string_view bytes) {
  auto length = static_cast<uint32_t>(bytes.size());
  std::string framed(reinterpret_cast<const char*>(&length), kLengthBytes);
  return framed.append(bytes);
}

void run_raw_server() {
  uint16_t port = 0;
  Socket listening = Socket::listen(port);
  std::printf("%u\n", port);
  std::fflush(stdout);
  std::thread([&listening] {
    while (true) {
      std::thread([socket = listening.accept()] { serve_until_it_breaks(socket); }).detach();
    }
  }).detach();
  char byte;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  std::quick_exit(0);  // whatever the threads are at
}

}  // namespace pollux::bench
