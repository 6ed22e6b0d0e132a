// One TCP connection: frames in, bytes out, a deadline. What they mean is its owner's.
//
// Thread: io. Owner: LinkCore; calls that are under way share it.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ha/net/link_counters.h"
#include "ha/net/members.h"
#include "ha/net/ways.h"
#include "ha/wire/wire_frame.h"

namespace pollux {

class LinkConnection : public std::enable_shared_from_this<LinkConnection> {
 public:
  using Executor = boost::asio::io_context::executor_type;
  using Tcp = boost::asio::ip::tcp;
  using Socket = boost::asio::basic_stream_socket<Tcp, Executor>;
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  enum class End : uint8_t {
    kUnreachable,  ///< nobody was there
    kStream,       ///< the other end has closed it, or it broke
    kFrame,        ///< something came that is no frame of ours
    kLate,         ///< the deadline has passed
  };

  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_dialled(LinkConnection& connection) = 0;
    virtual void on_frame(LinkConnection& connection, const WireFrame& frame) = 0;
    /// Everything that was to be written has been handed to the machine.
    virtual void on_written(LinkConnection& connection) = 0;
    /// Once, and not behind close(). `why` is OK but for kFrame.
    virtual void on_ended(LinkConnection& connection, End end, const std::string& why,
                          const absl::Status& frame_error) = 0;
  };

  /// What the owner knows of it.
  struct Tag {
    Way way = Way::kMembershipIn;
    uint16_t port = 0;       ///< that it came to, when it was not dialled
    HostPort address;        ///< that was dialled
    bool candidate = false;  ///< a member was dialled to see who is there
    bool greeted = false;    ///< its handshake is complete
    uint64_t serial = 0;     ///< of all connections of this process
  };

  LinkConnection(boost::asio::io_context& context, Socket socket, Owner& owner,
                 LinkCounters& counters, std::chrono::milliseconds user_timeout);

  /// Of an accepted socket: begins to read.
  void start();
  /// Looks the name up, connects, begins to read, and says on_dialled().
  void dial(const HostPort& address);

  /// What is appended here goes with the next flush().
  std::string& out() { return out_; }
  void flush();
  /// Bytes at once, as far as the machine takes them, and the end: for the last word.
  void close_with(std::string_view bytes);
  void close();
  bool closed() const { return closed_; }

  void set_deadline(std::chrono::milliseconds after);
  void clear_deadline();
  void set_payload_bytes_max(size_t bytes) { reader_.set_payload_bytes_max(bytes); }
  /// While it is held, frames stay where they are, and what they are too many for stays with the
  /// sender; an end is seen as long as nothing waits.
  void hold() { held_ = true; }
  void resume();

  Tag tag;

 private:
  void connect(std::vector<Tcp::endpoint> endpoints, size_t next, const std::string& problem);
  void read();
  void take_frames();
  void end(End end, const std::string& why, const absl::Status& frame_error = {});

  Socket socket_;
  boost::asio::ip::basic_resolver<Tcp, Executor> resolver_;
  Timer deadline_;
  uint64_t deadline_serial_ = 0;  // of the one that counts
  Owner& owner_;
  LinkCounters& counters_;
  const std::chrono::milliseconds user_timeout_;
  WireReader reader_{kHandshakeBytesMax};
  std::string out_;
  std::string writing_;  // not empty: a write is under way
  bool reading_ = false;
  bool held_ = false;
  bool closed_ = false;
};

}  // namespace pollux
