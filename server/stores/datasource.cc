#include "server/stores/datasource.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/endpoints/database_url.h"
#include "server/endpoints/option_reader.h"
#include "storage/mysql_store.h"
#include "storage/postgres_store.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHour{3'600'000};
struct Type {
  const char* name;
  Datasource::Kind kind;
  std::string_view scheme;
  uint16_t port;
};
constexpr Type kTypes[] = {{"postgresql", Datasource::Kind::kPostgresql, "postgresql://", 5432},
                           {"mysql", Datasource::Kind::kMysql, "mysql://", 3306}};

const Type* find_type(const std::string& name) {
  auto found = std::find_if(std::begin(kTypes), std::end(kTypes),
                            [&](const Type& type) { return same_letters(name, type.name); });
  return found == std::end(kTypes) ? nullptr : found;
}

void read_address(const EndpointDefinition& definition, const Type& type, OptionReader& options,
                  DatabaseAddress& address) {
  std::string text = options.needed_text("url", "where the database is");
  if (text.empty()) return;
  auto refuse = [&](std::string_view why) {
    options.mistake(definition.place, absl::StrCat("url '", text, "': ", std::string(why)));
  };
  if (!text.starts_with(type.scheme)) {
    return refuse(absl::StrCat("it must begin with ", std::string(type.scheme)));
  }
  auto url = parse_database_url(std::string_view(text).substr(type.scheme.size()), type.port);
  if (!url.ok()) return refuse(std::string(url.status().message()));
  address.host = url->host.host;
  address.port = url->host.port;
  address.database = url->database;
  address.user = options.text("user", url->user);
}

void read_password(const EndpointDefinition& definition, OptionReader& options,
                   DatabaseAddress& address) {
  address.password = options.text("password", "");
  const std::string variable = options.text("password_variable", "");
  if (variable.empty()) return;
  const char* value = std::getenv(variable.c_str());
  if (!address.password.empty()) {
    options.mistake(definition.place, "there is a password and a password_variable: give one");
  } else if (value == nullptr || *value == '\0') {
    options.mistake(definition.place,
                    absl::StrCat("password_variable: the environment has no ", variable));
  } else {
    address.password = value;
  }
}

void read_tls(const EndpointDefinition& definition, OptionReader& options, TlsOptions& tls) {
  constexpr TlsMode kModes[] = {TlsMode::kOff, TlsMode::kTrust, TlsMode::kVerify};
  tls.mode = kModes[options.choice("tls", {"off", "trust", "verify"})];
  tls.ca_file = options.text("tls_ca_file", "");
  tls.certificate_file = options.text("tls_certificate_file", "");
  tls.key_file = options.text("tls_key_file", "");
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    options.mistake(definition.place, "tls_certificate_file and tls_key_file go together");
  }
  if (tls.mode == TlsMode::kOff && !(tls.ca_file + tls.certificate_file).empty()) {
    options.mistake(definition.place,
                    "tls is off, so that its files mean nothing: say tls: verify");
  }
}

void read_pool(const EndpointDefinition& definition, OptionReader& options, PoolOptions& pool) {
  pool.max_active = options.count("max_active", {pool.max_active, 2, 10'000});
  pool.max_idle = options.count("max_idle", {pool.max_idle, 0, 10'000});
  pool.min_idle = options.count("min_idle", {pool.min_idle, 0, pool.max_active});
  pool.max_wait_ms =
      options.duration("max_wait", {milliseconds(pool.max_wait_ms), milliseconds(1), kHour})
          .count();
  pool.test_on_borrow = options.flag("test_on_borrow", pool.test_on_borrow);
  pool.validation_query = options.text("validation_query", pool.validation_query);
  const milliseconds interval(pool.validation_interval_ms);
  pool.validation_interval_ms =
      options.duration("validation_interval", {interval, milliseconds(0), kHour}).count();
  if (options.flag("default_auto_commit", false)) {
    options.mistake(definition.place,
                    "default_auto_commit must be off: rows and what tells that they are there are "
                    "one transaction");
  }
}

}  // namespace

Datasource read_datasource(const EndpointDefinition& definition, EndpointMistakes& mistakes) {
  Datasource datasource;
  datasource.name = definition.name;
  const Type* type = find_type(definition.type);
  if (type == nullptr) {
    mistakes.push_back({definition.place,
                        absl::StrCat("unknown type of datasource '", definition.type,
                                     "'; there are postgresql and mysql (for MariaDB too)"),
                        nearest_name(definition.type, {"postgresql", "mysql"})});
    return datasource;
  }
  datasource.kind = type->kind;
  OptionReader options(definition.options, definition.place, mistakes);
  read_address(definition, *type, options, datasource.address);
  read_password(definition, options, datasource.address);
  read_tls(definition, options, datasource.address.tls);
  read_pool(definition, options, datasource.pool);
  const milliseconds timeout(datasource.timeout_ms);
  datasource.timeout_ms = options.duration("timeout", {timeout, milliseconds(100), kHour}).count();
  options.finish("a datasource");
  return datasource;
}

std::unique_ptr<StoreDatabase> make_database(const Datasource& datasource) {
  const DatabaseOptions options{datasource.name, datasource.address, datasource.pool,
                                datasource.timeout_ms};
  return datasource.kind == Datasource::Kind::kMysql ? make_mysql_database(options)
                                                     : make_postgres_database(options);
}

}  // namespace pollux
