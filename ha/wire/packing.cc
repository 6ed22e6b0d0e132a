#include "ha/wire/packing.h"

#include <zstd.h>

#include <algorithm>
#include <new>

#include "absl/status/status.h"
#include "persistence/codec/bytes.h"

namespace pollux {
namespace {

constexpr int kLevel = 1;
constexpr size_t kWorthTryingBytes = 512;
constexpr size_t kStepBytes = size_t{1} << 20;
/// What a frame may ask to be kept behind it while it is unpacked; kLevel needs 19.
constexpr int kWindowLogMax = 22;

struct UnpackContext {
  ZSTD_DCtx* zstd = ZSTD_createDCtx();
  UnpackContext() {
    if (zstd == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, kWindowLogMax);
  }
  UnpackContext(const UnpackContext&) = delete;
  UnpackContext& operator=(const UnpackContext&) = delete;
  ~UnpackContext() { ZSTD_freeDCtx(zstd); }
};

}  // namespace

struct PayloadPacker::Context {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  Context() {
    if (zstd == nullptr) throw std::bad_alloc();
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { ZSTD_freeCCtx(zstd); }
};

PayloadPacker::PayloadPacker() : context_(std::make_unique<Context>()) {}
PayloadPacker::~PayloadPacker() = default;

bool PayloadPacker::pack(std::string& out, size_t begin) {
  std::string_view plain = std::string_view(out).substr(begin);
  if (plain.size() < kWorthTryingBytes) return false;
  // Room for a result that pays, and no more: zstd gives up when it is not enough.
  packed_.resize(plain.size() - plain.size() / 8);
  size_t packed = ZSTD_compressCCtx(context_->zstd, packed_.data(), packed_.size(), plain.data(),
                                    plain.size(), kLevel);
  if (ZSTD_isError(packed)) return false;
  auto plain_bytes = static_cast<uint32_t>(plain.size());
  out.resize(begin);
  put_scalar(out, plain_bytes);
  put_scalar(out, uint32_t{0});
  out.append(packed_, 0, packed);
  return true;
}

absl::StatusOr<std::string> unpack_payload(std::string_view packed, size_t bytes_max) {
  const absl::Status broken = absl::DataLossError("a packed message that cannot be unpacked");
  PayloadReader reader(packed);
  size_t plain_bytes = reader.number<uint32_t>();
  if (reader.number<uint32_t>() != 0 || reader.failed() || plain_bytes > bytes_max) return broken;
  std::string_view frame = reader.bytes(reader.left());
  UnpackContext context;
  ZSTD_inBuffer in{frame.data(), frame.size(), 0};
  std::string plain;
  size_t done = 0;
  for (size_t left = 1; left != 0;) {
    plain.resize(std::min(plain_bytes, done + kStepBytes));
    ZSTD_outBuffer out{plain.data(), plain.size(), done};
    size_t taken = in.pos;
    left = ZSTD_decompressStream(context.zstd, &out, &in);
    bool goes_on = out.pos > done || in.pos > taken;
    if (ZSTD_isError(left) || (left != 0 && !goes_on)) return broken;
    done = out.pos;
  }
  if (done != plain_bytes || in.pos != in.size) return broken;
  return plain;
}

}  // namespace pollux
