#include "ha/pair/pair_file.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "persistence/codec/crc32c.h"
#include "persistence/files/whole_file.h"

namespace pollux {
namespace {

constexpr std::string_view kName = "pair";
constexpr std::string_view kFirstWord = "pollux-pair ";
constexpr std::string_view kChecksum = "crc32c ";
constexpr uint32_t kVersion = 1;
constexpr size_t kBytesMax = 4096;

absl::Status not_whole(std::string_view what) {
  return absl::DataLossError(absl::StrCat("it has no ", std::string(what)));
}

/// The value of the next line, which must begin with `key`.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view key) {
  size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(key)) return std::nullopt;
  std::string_view value = text.substr(key.size(), end - key.size());
  text.remove_prefix(end + 1);
  return value;
}

template <class Number>
bool read_number(std::optional<std::string_view> text, Number& number, int base = 10) {
  if (!text) return false;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number, base);
  return error == std::errc() && end == text->data() + text->size();
}

bool read_flag(std::optional<std::string_view> text, bool& flag) {
  uint8_t number = 0;
  if (!read_number(text, number) || number > 1) return false;
  flag = number == 1;
  return true;
}

template <class Id>
bool read_id(std::optional<std::string_view> text, Id& id) {
  return text && read_hex(*text, id.high, id.low);
}

}  // namespace

std::string encode_pair_state(const PairState& state) {
  std::string text = absl::StrCat(
      std::string(kFirstWord), kVersion, "\ndomain ", to_text(state.domain), "\njournal ",
      to_text(state.journal), "\nlog ", to_string(state.log), "\nled ", state.led.value,
      "\nunsynced ", state.unsynced ? 1 : 0, "\ninstalling ", state.installing ? 1 : 0, "\n");
  absl::StrAppendFormat(&text, "%s%08x\n", std::string(kChecksum), crc32c(text));
  return text;
}

absl::StatusOr<PairState> decode_pair_state(std::string_view text) {
  std::string_view left = text;
  uint32_t version = 0;
  if (!read_number(take_line(left, kFirstWord), version)) return not_whole("version");
  if (version != kVersion) {
    return absl::UnimplementedError(
        absl::StrCat("it is of version ", version, "; this is an older program"));
  }
  PairState state;
  if (!read_id(take_line(left, "domain "), state.domain)) return not_whole("domain");
  if (!read_id(take_line(left, "journal "), state.journal)) return not_whole("journal id");
  if (!read_id(take_line(left, "log "), state.log)) return not_whole("log id");
  if (!read_number(take_line(left, "led "), state.led.value)) return not_whole("epoch");
  if (!read_flag(take_line(left, "unsynced "), state.unsynced)) return not_whole("flag 'unsynced'");
  if (!read_flag(take_line(left, "installing "), state.installing)) {
    return not_whole("flag 'installing'");
  }
  std::string_view checked = text.substr(0, text.size() - left.size());
  uint32_t checksum = 0;
  if (!read_number(take_line(left, kChecksum), checksum, 16) || checksum != crc32c(checked) ||
      !left.empty()) {
    return not_whole("right checksum");
  }
  return state;
}

std::string PairFile::path() const { return absl::StrCat(directory_, "/", std::string(kName)); }

absl::StatusOr<std::optional<PairState>> PairFile::read() const {
  absl::StatusOr<std::string> text = read_whole_file(files_, path(), kBytesMax);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  absl::StatusOr<PairState> state = decode_pair_state(*text);
  if (!state.ok()) {
    return absl::Status(state.status().code(),
                        absl::StrCat(path(), ": ", state.status().message()));
  }
  return *state;
}

absl::Status PairFile::write(const PairState& state) {
  return put_whole_file(files_, directory_, kName, encode_pair_state(state));
}

}  // namespace pollux
