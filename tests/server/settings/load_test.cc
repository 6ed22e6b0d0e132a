// Settings out of files and environments, right and wrong.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/settings/load.h"
#include "server/settings/secrets.h"
#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

using Texts = std::vector<std::string>;

class LoadTest : public ShellTest {
 protected:
  LoadedSettings load(const std::string& yaml, Texts environment = {},
                      SettingTable table = setting_table()) const {
    write("pollux.yaml", yaml);
    return load_settings({path("pollux.yaml"), std::move(environment)}, table);
  }
  /// Without the folder, which is another each time.
  Texts errors(const LoadedSettings& loaded) const {
    Texts texts;
    for (const SettingError& error : loaded.errors) {
      std::string text = to_text(error);
      if (text.starts_with(path(""))) text = text.substr(path("").size());
      texts.push_back(text);
    }
    return texts;
  }
  Texts errors(const std::string& yaml, Texts environment = {}) const {
    return errors(load(yaml, std::move(environment)));
  }
};

SettingPlace place_of(const LoadedSettings& loaded, std::string_view name) {
  for (size_t i = 0; i < setting_table().size(); ++i) {
    if (setting_table()[i].name == name) return loaded.places[i];
  }
  return {"no such setting", -1};
}

TEST_F(LoadTest, TheEnvironmentWinsOverTheFileAndTheFileOverDefaults) {
  const LoadedSettings loaded = load(
      "port_offset: 5\nhttp:\n  port: 8000\n  threads: 3\ngrpc:\n",
      {"POLLUX__HTTP__PORT=8001", "POLLUX__DATA_DIR=/srv/x", "HOME=/root", "POLLUX_HOME=/opt"});
  EXPECT_EQ(errors(loaded), Texts{});
  EXPECT_EQ(loaded.settings.http.port, 8001);
  EXPECT_EQ(loaded.settings.http.threads, 3u);
  EXPECT_EQ(loaded.settings.port_offset, 5u);
  EXPECT_EQ(loaded.settings.data_dir, "/srv/x");
  EXPECT_EQ(to_text(place_of(loaded, "http.port")), "POLLUX__HTTP__PORT");
  EXPECT_EQ(to_text(place_of(loaded, "http.threads")), path("pollux.yaml") + ":4");
  EXPECT_EQ(to_text(place_of(loaded, "grpc.port")), "default");
}

TEST_F(LoadTest, AllThatIsWrongIsReportedAtOnceWithItsPlace) {
  EXPECT_EQ(errors("http:\n"
                   "  prot: 1\n"
                   "  port: 70000\n"
                   "  body_bytes_max: 16 MB\n"
                   "  body_timeout: 5\n"
                   "  port: 9763\n"
                   "  threads:\n"
                   "  idle_timeout: [1 s]\n"
                   "grpc: 9873\n"
                   "log.level: info\n"
                   "log:\n"
                   "  level: loud\n"
                   "timeout: 5 s\n"
                   "http:\n"
                   "  threads: 4\n",
                   {"POLLUX__HTTP__PROT=1", "POLLUX__HTTP__THREADS=many", "POLLUX__SINKS=[]",
                    "POLLUX__=x"}),
            (Texts{"pollux.yaml:2: http.prot: unknown key; did you mean 'http.port'?",
                   "pollux.yaml:3: http.port: '70000' is out of range: port, 0 to 65535",
                   "pollux.yaml:4: http.body_bytes_max: '16 MB' has an unknown unit (bytes, KiB, "
                   "MiB, GiB, TiB)",
                   "pollux.yaml:5: http.body_timeout: '5' has no unit (250 ms, 30 s, 15 min, 2 h, "
                   "7 days)",
                   "pollux.yaml:6: http.port: stands in line 3 already",
                   "pollux.yaml:7: http.threads: has no value; expected whole number, 1 to 256",
                   "pollux.yaml:8: http.idle_timeout: must be one value; expected duration, 100 ms "
                   "to 1 day",
                   "pollux.yaml:9: grpc: must be lines 'key: value'",
                   "pollux.yaml:10: log.level: unknown key; write it on two lines, as section and "
                   "key",
                   "pollux.yaml:12: log.level: 'loud' is not debug, info, warning or error",
                   "pollux.yaml:13: timeout: unknown key; did you mean 'query.timeout'?",
                   "pollux.yaml:14: http: stands in line 1 already", "POLLUX__: no such setting",
                   "POLLUX__HTTP__PROT: no such setting; did you mean POLLUX__HTTP__PORT?",
                   "POLLUX__HTTP__THREADS: http.threads: 'many' is no whole number",
                   "POLLUX__SINKS: lists can be given in the file only"}));
}

TEST_F(LoadTest, FilesThatCannotBeReadAreErrors) {
  for (const auto& [file, what] : std::vector<std::pair<std::string, std::string>>{
           {"missing.yaml", "cannot be read: No such file or directory"},
           {".", "cannot be read: a folder"},
           {"/dev/zero", "cannot be read: no plain file"}}) {
    const std::string where = file.starts_with('/') ? file : path(file);
    const LoadedSettings loaded = load_settings({where, {}});
    ASSERT_EQ(loaded.errors.size(), 1u) << file;
    EXPECT_EQ(to_text(loaded.errors[0]), where + ": " + what);
  }
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(load_settings({path("pipe"), {}}).errors.size(), 1u) << "and does not wait";
}

TEST_F(LoadTest, PortsMustFitBehindTheOffset) {
  EXPECT_EQ(errors("port_offset: 50000\ngrpc:\n  port: 20000\n"),
            (Texts{"pollux.yaml:3: grpc.port: 20000 moved by port_offset 50000 is beyond 65535"}));
  EXPECT_EQ(errors("http:\n  port: 9873\n"),
            (Texts{"pollux.yaml:2: grpc.port: is the same as http.port"}));
  EXPECT_EQ(errors("http:\n  port: 0\ngrpc:\n  port: 0\n"), Texts{});
}

TEST_F(LoadTest, ComponentsKeepTheirPlaces) {
  const LoadedSettings loaded = load(
      "receivers:\n"
      "  - name: logins\n"
      "    type: file\n"
      "    stream: Logins\n"
      "    options:\n"
      "      path: /var/log/x\n"
      "      from_start: true\n"
      "sinks:\n"
      "event_stores: []\n");
  EXPECT_EQ(errors(loaded), Texts{});
  ASSERT_EQ(loaded.settings.receivers.size(), 1u);
  const ComponentSettings& receiver = loaded.settings.receivers[0];
  EXPECT_EQ(receiver.name + receiver.type + receiver.stream, "loginsfileLogins");
  EXPECT_EQ(receiver.place.line, 2);
  ASSERT_NE(receiver.option("from_start"), nullptr);
  EXPECT_EQ(receiver.option("from_start")->value, "true");
  EXPECT_EQ(to_text(receiver.option("from_start")->place), path("pollux.yaml") + ":7");
  EXPECT_EQ(receiver.option("missing"), nullptr);
}

TEST_F(LoadTest, WrongComponentsAreReported) {
  EXPECT_EQ(errors("receivers: file\n"
                   "sinks:\n"
                   "  - name: a\n"
                   "    typ: log\n"
                   "    stream: S\n"
                   "  - name: a\n"
                   "    type: log\n"
                   "    stream: 'S; drop'\n"
                   "    options:\n"
                   "      x: 1\n"
                   "      x: 2\n"
                   "      y: [1]\n"
                   "  - log\n"
                   "datasources:\n"
                   "  - name: db\n"
                   "    stream: S\n"
                   "  - db\n"
                   "recievers: []\n"),
            (Texts{"pollux.yaml:1: receivers: must be a list: items that begin with '- name: ...'",
                   "pollux.yaml:3: sinks[1]: has no type",
                   "pollux.yaml:4: sinks[1]: unknown key 'typ'; did you mean 'type'?",
                   "pollux.yaml:6: sinks[2]: the name 'a' is taken by the one of line 3",
                   "pollux.yaml:8: sinks[2]: stream must be 1 to 64 letters, digits, '_', '-' or "
                   "'.'",
                   "pollux.yaml:11: sinks[2]: 'x' stands in line 10 already",
                   "pollux.yaml:12: sinks[2]: option 'y' must be one value",
                   "pollux.yaml:13: sinks[3]: must have name, type and stream",
                   "pollux.yaml:15: datasources[1]: has no type",
                   "pollux.yaml:16: datasources[1]: unknown key 'stream'; there are name, type "
                   "and options",
                   "pollux.yaml:17: datasources[2]: must have name and type",
                   "pollux.yaml:18: recievers: unknown key; did you mean 'receivers'?"}));
}

TEST_F(LoadTest, SecretOptionsComeFromFilesToo) {
  write("token", "s3cret\n");
  const std::string item = "sinks:\n  - name: a\n    type: webhook\n    stream: S\n    options:\n";
  const LoadedSettings loaded =
      load(item + "      token_file: " + path("token") + "\n      key_file: k.pem\n");
  EXPECT_EQ(errors(loaded), Texts{});
  const ComponentSettings& sink = loaded.settings.sinks.at(0);
  ASSERT_NE(sink.option("token"), nullptr);
  EXPECT_EQ(sink.option("token")->value, "s3cret");
  EXPECT_TRUE(sink.option("token")->secret);
  EXPECT_EQ(sink.option("key_file")->value, "k.pem") << "names no secret: a path like any other";

  EXPECT_EQ(errors(item + "      token_file: /missing\n"),
            (Texts{"pollux.yaml:6: sinks[1]: secret file /missing cannot be read: No such file or "
                   "directory"}));
  EXPECT_EQ(errors(item + "      token: x\n      token_file: " + path("token") + "\n"),
            (Texts{"pollux.yaml:7: sinks[1]: 'token' is given in line 6 already"}));
  write("token", "");
  EXPECT_EQ(errors(item + "      token_file: " + path("token") + "\n").size(), 1u);
  write("token", std::string(kSecretBytesMax + 1, 'x'));
  EXPECT_EQ(errors(item + "      token_file: " + path("token") + "\n").size(), 1u);
}

/// A table with a secret: the shipped one has none yet.
Setting secret_row() {
  Setting row;
  for (const Setting& known : setting_table()) {
    if (known.name == "node.name") row = known;
  }
  row.name = "node.password";
  row.secret = true;
  row.reloadable = true;
  return row;
}

TEST_F(LoadTest, SecretSettingsAreReadFromFilesAndNeverShown) {
  const Setting row = secret_row();
  const SettingTable table(&row, 1);
  write("secret", "hunter2\r\n");
  const LoadedSettings first = load("node:\n  password_file: " + path("secret") + "\n", {}, table);
  EXPECT_EQ(errors(first), Texts{});
  EXPECT_EQ(first.settings.node.name, "hunter2");

  write("secret", "hunter3");
  const LoadedSettings second =
      load("node:\n  password: x\n", {"POLLUX__NODE__PASSWORD_FILE=" + path("secret")}, table);
  EXPECT_EQ(second.settings.node.name, "hunter3");

  const SettingChanges changes = reload_differences(first.settings, second.settings, table);
  ASSERT_EQ(changes.reloadable.size(), 1u);
  EXPECT_EQ(changes.reloadable[0].before, "***");
  EXPECT_EQ(changes.reloadable[0].after, "***");

  EXPECT_EQ(errors(load("node:\n  password: x\n  password_file: y\n", {}, table)).size(), 1u);
  const Texts twice = errors(load("", {"POLLUX__NODE__PASSWORD=bad\x01word"}, table));
  EXPECT_EQ(twice, (Texts{"POLLUX__NODE__PASSWORD: node.password: expected text"}));
}

TEST_F(LoadTest, ParametersAreTextsByName) {
  const LoadedSettings loaded =
      load("parameters:\n  failures: 5\n  alert.url: \"a: b\"\n  none:\n",
           {"POLLUX__PARAMETERS__failures=6", "POLLUX__PARAMETERS__Other=x=y"});
  EXPECT_EQ(errors(loaded), Texts{});
  EXPECT_EQ(loaded.settings.parameters,
            (TextMap{{"failures", "6"}, {"alert.url", "a: b"}, {"none", ""}, {"Other", "x=y"}}));
  const LoadedSettings wrong =
      load("parameters:\n  a b: 1\n  list: [1]\n", {"POLLUX__PARAMETERS__a b=1"});
  EXPECT_EQ(errors(wrong).size(), 3u);
  EXPECT_EQ(errors(load("parameters: [1]\n")).size(), 1u);
  const SettingChanges changes = reload_differences(load("").settings, loaded.settings);
  ASSERT_EQ(changes.restart.size(), 1u);
  EXPECT_EQ(changes.restart[0].before, "none");
}

TEST_F(LoadTest, DifferencesAreSplitByWhatAReloadTakesOver) {
  Settings before = load("").settings;
  const Settings after = load(
                             "log:\n  level: debug\nhttp:\n  threads: 3\nsinks:\n  - name: a\n"
                             "    type: log\n    stream: S\n")
                             .settings;
  const SettingChanges changes = reload_differences(before, after);
  ASSERT_EQ(changes.reloadable.size(), 1u);
  EXPECT_EQ(changes.reloadable[0].key, "log.level");
  EXPECT_EQ(changes.reloadable[0].before + ">" + changes.reloadable[0].after, "info>debug");
  ASSERT_EQ(changes.restart.size(), 2u);
  EXPECT_EQ(changes.restart[0].key, "http.threads");
  EXPECT_EQ(changes.restart[1].before + ">" + changes.restart[1].after, "none>a");

  adopt_reloadable(before, after);
  EXPECT_EQ(before.log.level, LogLevel::kDebug);
  EXPECT_EQ(before.http.threads, 2u);
  EXPECT_TRUE(before.sinks.empty());
}

}  // namespace
}  // namespace pollux
