#include "server/node/result_slice.h"

#include <charconv>

#include "server/formats/result_writer.h"

namespace pollux {
namespace {

template <class T>
bool take_number(std::string_view& text, T& number, char end) {
  auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(at - text.data()));
  if (end == '\0') return text.empty();
  if (text.empty() || text[0] != end) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string result_id(const ResultSlice& slice, uint32_t row) {
  return std::to_string(kDefaultTenant) + "/" + *slice.plan + "/" +
         std::to_string(slice.cause.epoch.value) + "." +
         std::to_string(slice.cause.position.value) + "." + std::to_string(slice.ordinals[row]);
}

std::optional<ResultId> parse_result_id(std::string_view id) {
  std::string tenant = std::to_string(kDefaultTenant) + "/";
  if (!id.starts_with(tenant)) return std::nullopt;
  id.remove_prefix(tenant.size());
  size_t slash = id.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  ResultId parsed;
  parsed.plan = std::string(id.substr(0, slash));
  std::string_view numbers = id.substr(slash + 1);
  if (!take_number(numbers, parsed.row.cause.epoch.value, '.') ||
      !take_number(numbers, parsed.row.cause.position.value, '.') ||
      !take_number(numbers, parsed.row.ordinal, '\0')) {
    return std::nullopt;
  }
  return parsed;
}

size_t bytes_of(const ResultSlice& slice) {
  return sizeof(ResultSlice) + slice.batch->bytes_held() + slice.batch->bytes_shared() +
         slice.ordinals.capacity() * sizeof(uint32_t);
}

ResultSlice part_of(const ResultSlice& slice, uint32_t begin, uint32_t end) {
  ResultSlice part;
  part.first = slice.first + begin;
  part.plan = slice.plan;
  part.cause = slice.cause;
  part.batch = slice_copy(*slice.batch, begin, end);
  part.ordinals.assign(slice.ordinals.begin() + begin, slice.ordinals.begin() + end);
  return part;
}

}  // namespace pollux
