#include "server/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "server/http/http_message.h"

namespace pollux {

namespace {

constexpr size_t kFirstBytes = 64 * 1024;
constexpr int kGzipWindowBits = 15 + 16;

struct Inflater {
  z_stream stream{};
  bool ready = ::inflateInit2(&stream, kGzipWindowBits) == Z_OK;
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) ::inflateEnd(&stream);
  }
};

/// Room for more output: doubles, up to one byte beyond the bound (which shows that it is passed).
void grow(std::string& out, size_t bytes_max) {
  size_t bytes = std::min(std::max(out.size() * 2, kFirstBytes), bytes_max + 1);
  out.reserve(bytes + HttpRequest::kBodyPaddingBytes);
  out.resize(bytes);
}

}  // namespace

GunzipResult gunzip(std::string_view in, size_t bytes_max, std::string& out) {
  Inflater inflater;
  if (!inflater.ready || in.size() > std::numeric_limits<uInt>::max()) {
    return GunzipResult::kBroken;
  }
  out.clear();
  z_stream& stream = inflater.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  size_t have = 0;
  for (;;) {
    if (have == out.size()) grow(out, bytes_max);
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + have;
    stream.avail_out = static_cast<uInt>(std::min(out.size() - have, size_t{1} << 30));
    uInt room = stream.avail_out;
    int result = ::inflate(&stream, Z_NO_FLUSH);
    have += room - stream.avail_out;
    if (have > bytes_max) return GunzipResult::kTooLarge;
    bool member_ended = result == Z_STREAM_END;
    if (member_ended && stream.avail_in == 0) break;
    // A gzip file may be several members, one behind the other.
    if (member_ended && ::inflateReset(&stream) == Z_OK) continue;
    bool goes_on = result == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0);
    if (!goes_on) return GunzipResult::kBroken;
  }
  out.resize(have);
  return GunzipResult::kOk;
}

}  // namespace pollux
