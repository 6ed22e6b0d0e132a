#include "server/pair/pair_arbiter.h"

#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ha/arbiter/file_arbiter.h"
#include "ha/arbiter/remote/etcd_arbiter.h"
#include "ha/arbiter/remote/mysql_arbiter.h"
#include "ha/arbiter/remote/postgres_arbiter.h"
#include "server/endpoints/database_url.h"

namespace pollux {
namespace {

absl::Status wrong(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("pair.arbiter '", std::string(text), "': ", std::string(what)));
}

absl::StatusOr<std::string> password_of(const Settings& settings) {
  const std::string& path = settings.pair.arbiter_password_file;
  if (path.empty()) return settings.pair.arbiter_password;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) {
    return absl::NotFoundError(
        absl::StrCat("pair.arbiter_password_file ", path, " cannot be read or is empty"));
  }
  absl::StripTrailingAsciiWhitespace(&line);
  return line;
}

/// Nothing: the setting names something else.
template <class Options>
std::optional<absl::StatusOr<Options>> database_of(const Settings& settings,
                                                   std::string_view scheme, uint16_t port,
                                                   const std::string& password) {
  const std::string& whole = settings.pair.arbiter;
  if (!whole.starts_with(scheme)) return std::nullopt;
  auto url = parse_database_url(std::string_view(whole).substr(scheme.size()), port);
  if (!url.ok()) return wrong(whole, std::string(url.status().message()));
  Options options;
  options.host = url->host.host;
  options.port = url->host.port;
  options.database = url->database;
  options.user = url->user;
  options.password = password;
  return options;
}

std::optional<absl::StatusOr<PostgresOptions>> postgres_of(const Settings& settings,
                                                           const std::string& password) {
  constexpr uint16_t kPort = 5432;
  return database_of<PostgresOptions>(settings, "postgresql://", kPort, password);
}

std::optional<absl::StatusOr<MysqlOptions>> mysql_of(const Settings& settings,
                                                     const std::string& password) {
  constexpr uint16_t kPort = 3306;
  return database_of<MysqlOptions>(settings, "mysql://", kPort, password);
}

/// A folder is only one arbiter for both where both see the same one.
absl::Status check_local(std::string_view whole, const std::vector<HostPort>& members) {
  for (const HostPort& member : members) {
    if (is_loopback(member.host)) continue;
    return wrong(whole, absl::StrCat("member ", to_text(member),
                                     " is not on this machine, and a folder decides only between "
                                     "nodes of one; name a database or etcd"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Arbiter>> make_arbiter(const Settings& settings,
                                                      const std::vector<HostPort>& members) {
  const std::string& whole = settings.pair.arbiter;
  ArbiterOptions options{settings.pair.domain, settings.pair.arbiter_timeout.count()};
  if (absl::Status checked = check_arbiter_options(options); !checked.ok()) return checked;
  auto password = password_of(settings);
  if (!password.ok()) return password.status();
  std::string_view rest = whole;
  auto is = [&rest](std::string_view scheme) {
    if (!rest.starts_with(scheme)) return false;
    rest.remove_prefix(scheme.size());
    return true;
  };
  if (is("file:")) {
    if (absl::Status local = check_local(whole, members); !local.ok()) return local;
    return make_file_arbiter(options, std::string(rest));
  }
  if (auto postgres = postgres_of(settings, *password)) {
    if (!postgres->ok()) return postgres->status();
    return make_postgres_arbiter(options, **postgres);
  }
  if (auto mysql = mysql_of(settings, *password)) {
    if (!mysql->ok()) return mysql->status();
    return make_mysql_arbiter(options, **mysql);
  }
  if (is("etcd:")) {
    EtcdOptions etcd;
    etcd.endpoints = absl::StrSplit(std::string(rest), ',', absl::SkipWhitespace());
    etcd.password = *password;
    return make_etcd_arbiter(options, etcd);
  }
  return wrong(whole,
               "expected file:FOLDER, postgresql://USER@HOST:PORT/DATABASE, "
               "mysql://USER@HOST:PORT/DATABASE or etcd:http://HOST:PORT");
}

std::string_view arbiter_table_sql(const Settings& settings) {
  if (settings.pair.arbiter.starts_with("postgresql://")) return kPostgresCreateTable;
  if (settings.pair.arbiter.starts_with("mysql://")) return kMysqlCreateTable;
  return "";
}

absl::Status create_arbiter_table(const Settings& settings) {
  auto password = password_of(settings);
  if (!password.ok()) return password.status();
  const int64_t timeout_ms = settings.pair.arbiter_timeout.count();
  if (auto postgres = postgres_of(settings, *password)) {
    return postgres->ok() ? create_postgres_arbiter_table(**postgres, timeout_ms)
                          : postgres->status();
  }
  if (auto mysql = mysql_of(settings, *password)) {
    return mysql->ok() ? create_mysql_arbiter_table(**mysql, timeout_ms) : mysql->status();
  }
  return wrong(settings.pair.arbiter, "only postgresql:// and mysql:// need a table");
}

}  // namespace pollux
