// A blocking TCP socket on loopback. Failure throws std::runtime_error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pollux::bench {

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~Socket();

  static Socket connect(uint16_t port);
  /// On a port that the kernel chooses.
  static Socket listen(uint16_t& port);
  Socket accept() const;

  void write_all(std::string_view bytes) const;
  /// Appends what is there, at least a byte; false when the other side has ended.
  bool read_some(std::string& bytes) const;

 private:
  int descriptor_;
};

}  // namespace pollux::bench
