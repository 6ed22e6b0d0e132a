#include "tests/support/etcd_server.h"

#include "tests/support/becomes_true.h"

namespace pollux {

EtcdServer::EtcdServer(std::vector<std::string> options, std::string scheme)
    : options_(std::move(options)),
      scheme_(std::move(scheme)),
      port_(free_port()),
      peer_port_(free_port()) {}

bool EtcdServer::start() {
  if (process_.runs()) return true;
  std::string etcd = program_of_package({"/usr/bin/etcd"}, "etcd-server");
  if (etcd.empty()) return false;
  std::string peer = "http://127.0.0.1:" + std::to_string(peer_port_);
  std::vector<std::string> words = {etcd,
                                    "--name=one",
                                    "--data-dir=" + (folder_ / "data"),
                                    "--listen-client-urls=" + endpoint(),
                                    "--advertise-client-urls=" + endpoint(),
                                    "--listen-peer-urls=" + peer,
                                    "--initial-advertise-peer-urls=" + peer,
                                    "--initial-cluster=one=" + peer,
                                    "--logger=zap",
                                    "--heartbeat-interval=20",  // to lead soon after a start
                                    "--election-timeout=200"};
  for (const std::string& option : options_) words.push_back("--" + option);
  std::string log = folder_ / "log";
  // Its log tells when it takes requests: asking it would take certificates and passwords.
  size_t old_log = text_of_file(log).size();
  if (!process_.start({words, log, ""})) return false;
  bool answers = becomes_true([&] {
    return !process_.runs() ||
           text_of_file(log).find("serving client traffic", old_log) != std::string::npos;
  });
  EXPECT_TRUE(answers && process_.runs()) << text_of_file(log);
  return answers && process_.runs();
}

std::string EtcdServer::run(std::vector<std::string> arguments) {
  std::string etcdctl = program_of_package({"/usr/bin/etcdctl"}, "etcd-client");
  std::string out = folder_ / "etcdctl";
  std::filesystem::remove(out);
  std::vector<std::string> words = {"/usr/bin/env", "ETCDCTL_API=3", etcdctl,
                                    "--endpoints=" + endpoint()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_to_end({words, out, ""}) ? text_of_file(out) : "";
}

}  // namespace pollux
