#include "server/tool/generate/population.h"

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "server/tool/generate/random.h"

namespace pollux::traffic {
namespace {

constexpr std::array kTenants = std::to_array<Tenant>({
    {-1234, "carbon.super", 40},
    {1, "acme.example", 25},
    {2, "globex.example", 20},
    {3, "initech.example", 15},
});

constexpr std::array kCountries = std::to_array<Country>({
    {"US", -300, 18, 0},
    {"CA", -300, 6, 0},
    {"BR", -180, 7, 1},
    {"GB", 0, 10, 2},
    {"DE", 60, 12, 2},
    {"FR", 60, 7, 2},
    {"NL", 60, 4, 2},
    {"ES", 60, 4, 2},
    {"PL", 60, 4, 2},
    {"ZA", 120, 3, 3},
    {"IN", 330, 10, 4},
    {"LK", 330, 4, 4},
    {"SG", 480, 3, 4},
    {"JP", 540, 5, 4},
    {"AU", 600, 3, 5},
});

constexpr std::array kIdentityProviders = std::to_array<IdentityProvider>({
    {"LOCAL", "", "BasicAuthenticator"},
    {"Google", "@mail.example", "GoogleOIDCAuthenticator"},
    {"Facebook", "@face.example", "FacebookAuthenticator"},
    {"PartnerADFS", "@partner.example", "SAMLSSOAuthenticator"},
});

constexpr std::array kServiceProviders = std::to_array<ServiceProvider>({
    {"webmail", "samlsso", false},
    {"intranet", "samlsso", false},
    {"crm", "oidc", false},
    {"wiki", "oidc", false},
    {"helpdesk", "samlsso", false},
    {"payroll", "samlsso", true},
    {"expenses", "oidc", false},
    {"build-server", "oauth2", false},
    {"shop", "oidc", false},
    {"bank-gateway", "oidc", true},
    {"travel", "passivests", false},
    {"reports", "oidc", false},
});

constexpr std::array<std::string_view, 3> kStores = {"PRIMARY", "EMPLOYEES", "PARTNERS"};
constexpr std::string_view kNotAvailable = "NOT_AVAILABLE";

constexpr std::array<std::string_view, 10> kRoles = {
    "employee",         "employee,sales", "employee,engineering",
    "employee,support", "employee,admin", "employee,manager",
    "customer",         "partner",        "engineering",
    "analyst"};

constexpr std::array<std::string_view, 40> kFirstNames = {
    "anna",  "ben",    "carla",  "david", "elena", "farid", "grace", "henry", "ines",  "jonas",
    "kavya", "liam",   "maria",  "nimal", "olga",  "pedro", "quinn", "rosa",  "sanja", "tom",
    "uma",   "victor", "wei",    "xenia", "yuki",  "zoe",   "amara", "bruno", "chloe", "dinesh",
    "emil",  "fatima", "gustav", "hana",  "isuru", "julia", "kofi",  "lucia", "mehdi", "nora"};

constexpr std::array<std::string_view, 53> kLastNames = {
    "almeida", "baker",    "costa",   "dubois",  "eriksen",  "fischer", "garcia", "hughes",
    "ito",     "jansen",   "kumar",   "lopez",   "martin",   "novak",   "okafor", "perera",
    "quist",   "rossi",    "silva",   "tanaka",  "ueda",     "visser",  "weber",  "xu",
    "young",   "zimmer",   "adams",   "becker",  "chen",     "dias",    "evans",  "fernando",
    "green",   "hoffmann", "ivanova", "jones",   "kowalski", "lee",     "meyer",  "nguyen",
    "olsen",   "patel",    "quiroz",  "richter", "santos",   "taylor",  "ulrich", "vargas",
    "wagner",  "yilmaz",   "zhang",   "moreau",  "fonseka"};

/// Of an hour of local time, 1 to 100; between hours it is interpolated.
constexpr std::array<uint32_t, 24> kHourlyActivity = {
    4, 3, 2, 2, 3, 6, 16, 40, 82, 100, 96, 88, 72, 84, 92, 86, 76, 62, 46, 38, 34, 26, 16, 8};

constexpr uint32_t kUserRange = 0x64400000;  // 100.64.0.0
constexpr uint32_t kUserRangePerCountry = 1u << 18;
constexpr uint32_t kAttackerRange = 0xC6120000;  // 198.18.0.0/15
constexpr uint32_t kOfficesPerTenant = 16;
constexpr uint32_t kServiceAccountsPerMille = 2;
/// Zipf-Mandelbrot: weight 1 / (rank + kZipfShift); the shift keeps the first from being everybody.
constexpr uint64_t kZipfShift = 20;
constexpr uint64_t kZipfScale = uint64_t{1} << 36;

// A country's addresses: shared ones, venues, offices, then homes.
constexpr uint32_t kOfficesAt = kSharedAddresses + kVenueAddresses;
constexpr uint32_t kHomesAt = kOfficesAt + kOfficesPerTenant * 8;

static_assert(kCountries.size() * kUserRangePerCountry <= (1u << 22), "100.64.0.0/10 is full");

Address country_address(CountryIndex country, uint32_t number) {
  POLLUX_CHECK(number < kUserRangePerCountry);
  return Address{kUserRange + static_cast<uint32_t>(country) * kUserRangePerCountry + number};
}

template <class Table>
size_t pick_by_share(const Table& table, Random& random) {
  uint64_t total = 0;
  for (const auto& row : table) total += row.share;
  uint64_t ticket = random.below(total);
  size_t at = 0;
  while (ticket >= table[at].share) ticket -= table[at++].share;
  return at;
}

/// A name for each number; numbers near each other give names that are not.
std::string person_name(uint32_t number) {
  constexpr uint32_t kNames = kFirstNames.size() * kLastNames.size();
  uint32_t mixed = static_cast<uint32_t>(uint64_t{number % kNames} * 1543 % kNames);
  std::string name(kFirstNames[mixed % kFirstNames.size()]);
  name.append(".").append(kLastNames[mixed / kFirstNames.size()]);
  if (number >= kNames) name.append(std::to_string(number / kNames + 1));
  return name;
}

static_assert((40 * 53) % 1543 != 0, "the multiplier must not divide the number of names");

User make_service_account(uint32_t rank, Random& random) {
  User user{};
  user.tenant = TenantIndex(pick_by_share(tenants(), random));
  user.country = CountryIndex(pick_by_share(countries(), random));
  user.name = "svc-" + std::string(kServiceProviders[rank % kServiceProviders.size()].name) + "-" +
              std::to_string(rank);
  user.local_name = user.name;
  user.store = kStores[0];
  user.roles = "service";
  user.name_number = rank;
  user.service_account = true;
  return user;
}

User make_person(TenantIndex tenant, uint32_t name_number, Random& random) {
  User user{};
  user.tenant = tenant;
  user.country = CountryIndex(pick_by_share(countries(), random));
  user.name_number = name_number;
  user.name = person_name(name_number);
  // Store and provider follow the name, so that a name shared by tenants differs by tenant alone.
  uint64_t traits = scatter(name_number);
  if (traits % 100 < 15) {
    user.provider = ProviderIndex(1 + (traits >> 8) % (kIdentityProviders.size() - 1));
    user.name += get(user.provider).mail_domain;
    user.local_name = kNotAvailable;
    user.store = kNotAvailable;
  } else {
    user.local_name = user.name;
    user.store = kStores[(traits >> 8) % 100 < 60 ? 0 : 1 + (traits >> 16) % 2];
    user.has_office = random.percent(60);
  }
  user.roles = kRoles[random.below(kRoles.size())];
  user.remembers = random.percent(20);
  return user;
}

}  // namespace

std::span<const Tenant> tenants() { return kTenants; }
std::span<const Country> countries() { return kCountries; }
std::span<const IdentityProvider> identity_providers() { return kIdentityProviders; }
std::span<const ServiceProvider> service_providers() { return kServiceProviders; }

Population::Population(const TrafficOptions& options) {
  Random random(options.seed, Purpose::kPopulation);
  std::array<uint32_t, kTenants.size()> names{};
  std::array<uint32_t, kCountries.size()> homes{};
  uint32_t service_accounts = options.users * kServiceAccountsPerMille / 1000;
  uint64_t weight = 0;
  users_.reserve(options.users);
  cumulative_weights_.reserve(options.users);
  for (uint32_t rank = 0; rank < options.users; ++rank) {
    if (rank < service_accounts) {
      users_.push_back(make_service_account(rank, random));
    } else {
      auto tenant = TenantIndex(pick_by_share(tenants(), random));
      users_.push_back(make_person(tenant, names[static_cast<size_t>(tenant)]++, random));
    }
    User& user = users_.back();
    // Beyond the range's end homes are shared by households of several.
    uint32_t home = homes[static_cast<size_t>(user.country)]++ % (kUserRangePerCountry - kHomesAt);
    user.home = country_address(user.country, kHomesAt + home);
    uint32_t office = static_cast<uint32_t>(user.tenant) * kOfficesPerTenant +
                      static_cast<uint32_t>(random.below(kOfficesPerTenant));
    user.office = country_address(user.country, kOfficesAt + office);
    user.mobile =
        shared_address(user.country, static_cast<uint32_t>(random.below(kSharedAddresses)));
    weight += kZipfScale / (rank + kZipfShift);
    cumulative_weights_.push_back(weight);
  }
}

UserIndex Population::by_weight(uint64_t ticket) const {
  auto at = std::upper_bound(cumulative_weights_.begin(), cumulative_weights_.end(), ticket);
  POLLUX_CHECK(at != cumulative_weights_.end());
  return UserIndex(at - cumulative_weights_.begin());
}

Address shared_address(CountryIndex country, uint32_t number) {
  return country_address(country, number % kSharedAddresses);
}

Address venue_address(CountryIndex country, uint32_t number) {
  POLLUX_CHECK(number < kVenueAddresses);
  return country_address(country, kSharedAddresses + number);
}

Address attacker_address(uint32_t number) {
  POLLUX_CHECK(number < kAttackerAddresses);
  return Address{kAttackerRange + number};
}

std::string to_text(Address address) {
  auto bits = static_cast<uint32_t>(address);
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string((bits >> shift) & 255);
    if (shift != 0) text += '.';
  }
  return text;
}

int64_t journey_ms(CountryIndex from, CountryIndex to) {
  if (from == to) return 0;
  return get(from).continent == get(to).continent ? 5 * kHourMs : 11 * kHourMs;
}

int64_t local_minute(CountryIndex country, int64_t time_ms) {
  int64_t minute = (time_ms / kMinuteMs + get(country).utc_offset_minutes) % (24 * 60);
  return minute < 0 ? minute + 24 * 60 : minute;
}

uint32_t activity(CountryIndex country, int64_t time_ms) {
  int64_t minute = local_minute(country, time_ms);
  uint32_t now = kHourlyActivity[static_cast<size_t>(minute / 60)];
  uint32_t then = kHourlyActivity[static_cast<size_t>((minute / 60 + 1) % 24)];
  auto into = static_cast<uint32_t>(minute % 60);
  return (now * (60 - into) + then * into) / 60;
}

}  // namespace pollux::traffic
