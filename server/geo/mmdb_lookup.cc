#include "server/geo/mmdb_lookup.h"

#include <arpa/inet.h>
#include <maxminddb.h>
#include <netinet/in.h>

#include <utility>

namespace pollux {
namespace {

/// Four numbers, or IPv6: not what inet_aton() and with it getaddrinfo() take for an address too.
bool read_address(const std::string& text, sockaddr_storage& address) {
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    return true;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  v6.sin6_family = AF_INET6;
  return inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1;
}

class MmdbLookup final : public AddressLookup {
 public:
  explicit MmdbLookup(MMDB_s database) : database_(database) {}
  ~MmdbLookup() override { MMDB_close(&database_); }
  MmdbLookup(const MmdbLookup&) = delete;
  MmdbLookup& operator=(const MmdbLookup&) = delete;

  std::optional<std::string> country(std::string_view address) const override {
    return name_of(address, "country");
  }
  std::optional<std::string> city(std::string_view address) const override {
    return name_of(address, "city");
  }

 private:
  /// names.en of a part of the address's record. IPv4 addresses within IPv6 are found as such.
  std::optional<std::string> name_of(std::string_view address, const char* part) const {
    sockaddr_storage number{};
    if (!read_address(std::string(address), number)) return std::nullopt;
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s found =
        MMDB_lookup_sockaddr(&database_, reinterpret_cast<const sockaddr*>(&number), &error);
    if (error != MMDB_SUCCESS || !found.found_entry) return std::nullopt;
    MMDB_entry_data_s data;
    error = MMDB_get_value(&found.entry, &data, part, "names", "en", nullptr);
    if (error != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING) {
      return std::nullopt;
    }
    return std::string(data.utf8_string, data.data_size);
  }

  MMDB_s database_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const AddressLookup>> open_mmdb(const std::string& path) {
  MMDB_s database;
  int error = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database);
  if (error != MMDB_SUCCESS) {
    return absl::InvalidArgumentError("geo.database: " + path +
                                      " cannot be read: " + MMDB_strerror(error));
  }
  return std::make_shared<const MmdbLookup>(database);
}

}  // namespace pollux
