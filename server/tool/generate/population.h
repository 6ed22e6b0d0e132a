// Who signs in, from where and to what: tenants, users, countries, addresses, service providers and
// identity providers, made once from the seed and never changed.
//
// Users stand in order of activity: the first are service accounts and the busiest people.
// Addresses come from ranges that are nobody's (100.64.0.0/10 for users, 198.18.0.0/15 for
// attackers). Thread: built by one, read by any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/tool/generate/options.h"

namespace pollux::traffic {

/// Strong index types, so that a tenant is never taken for a country.
enum class TenantIndex : uint8_t {};
enum class CountryIndex : uint8_t {};
enum class ProviderIndex : uint8_t {};  ///< identity provider; 0 is the local one
enum class ServiceIndex : uint8_t {};
enum class UserIndex : uint32_t {};
enum class Address : uint32_t {};  ///< IPv4 in host order

struct Tenant {
  int32_t id;
  std::string_view domain;
  uint32_t share;
};

struct Country {
  std::string_view code;  ///< ISO 3166-1 alpha-2
  int32_t utc_offset_minutes;
  uint32_t share;
  uint8_t continent;
};

struct IdentityProvider {
  std::string_view name;
  std::string_view mail_domain;
  std::string_view authenticator;
};

struct ServiceProvider {
  std::string_view name;
  std::string_view inbound_auth_type;
  bool second_factor;
};

std::span<const Tenant> tenants();
std::span<const Country> countries();
std::span<const IdentityProvider> identity_providers();
std::span<const ServiceProvider> service_providers();

inline const Tenant& get(TenantIndex i) { return tenants()[static_cast<size_t>(i)]; }
inline const Country& get(CountryIndex i) { return countries()[static_cast<size_t>(i)]; }
inline const IdentityProvider& get(ProviderIndex i) {
  return identity_providers()[static_cast<size_t>(i)];
}
inline const ServiceProvider& get(ServiceIndex i) {
  return service_providers()[static_cast<size_t>(i)];
}

struct User {
  std::string name;
  std::string local_name;
  std::string roles;  ///< joined by commas
  std::string_view store;
  uint32_t name_number;  ///< users of several tenants that share a number share their name
  TenantIndex tenant;
  CountryIndex country;
  ProviderIndex provider;
  bool service_account;
  bool has_office;
  bool remembers;  ///< ticks "remember me"
  Address home;    ///< its own
  Address office;  ///< shared with colleagues; when has_office
  Address mobile;  ///< carrier-grade NAT, shared with strangers

  bool federated() const { return provider != ProviderIndex{0}; }
};

class Population {
 public:
  explicit Population(const TrafficOptions& options);

  uint32_t size() const { return static_cast<uint32_t>(users_.size()); }
  const User& user(UserIndex index) const { return users_[static_cast<size_t>(index)]; }

  /// The rank whose share of Zipf's weights covers `ticket` (below total_weight()).
  UserIndex by_weight(uint64_t ticket) const;
  uint64_t total_weight() const { return cumulative_weights_.back(); }

 private:
  std::vector<User> users_;
  std::vector<uint64_t> cumulative_weights_;
};

/// One of the addresses that strangers share in that country: carriers, hotels, conferences.
Address shared_address(CountryIndex country, uint32_t number);
constexpr uint32_t kSharedAddresses = 256;

/// A network of one event that nobody else uses (many users behind one address).
Address venue_address(CountryIndex country, uint32_t number);
constexpr uint32_t kVenueAddresses = 8192;

/// Where attackers sit.
Address attacker_address(uint32_t number);
constexpr uint32_t kAttackerAddresses = 131'072;

std::string to_text(Address address);

/// Door to door: the least time between signing out in one country and signing in in another.
int64_t journey_ms(CountryIndex from, CountryIndex to);

/// How busy people are at that time of their day: 1 (night) to 100.
uint32_t activity(CountryIndex country, int64_t time_ms);

/// Minutes since midnight where the user is.
int64_t local_minute(CountryIndex country, int64_t time_ms);

}  // namespace pollux::traffic
