// What a peer can put on the wire, our own client or not.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "pollux.grpc.pb.h"
#include "server/grpc/batch_codec.h"
#include "tests/server/grpc/grpc_testing.h"
#include "tests/server/grpc/memory_intake.h"

namespace pollux {
namespace {

class GrpcMessages : public testing::Test {
 protected:
  void SetUp() override { server_ = started(intake_, logs_); }

  /// A stream on which the test writes messages of its own.
  std::unique_ptr<v1::Pollux::Stub> stub() {
    return v1::Pollux::NewStub(
        grpc::CreateChannel(target_of(*server_), grpc::InsecureChannelCredentials()));
  }

  MemoryIntake intake_{login_stream()};
  LogsByName logs_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcMessages, ARefusedRequestLeavesTheStreamOpen) {
  auto calls = stub();
  grpc::ClientContext context;
  auto stream = calls->Publish(&context);
  auto answer = [&](const v1::PublishRequest& request) {
    v1::PublishReply reply;
    EXPECT_TRUE(stream->Write(request));
    EXPECT_TRUE(stream->Read(&reply));
    return reply;
  };
  v1::PublishRequest good;
  good.set_stream("LoginStream");
  encode_columns(*logins(3), 0, 3, *good.mutable_columns());

  v1::PublishRequest request = good;
  request.set_stream("Nobody");
  v1::PublishReply reply = answer(request);
  EXPECT_EQ(reply.rejected().code(), grpc::NOT_FOUND);
  EXPECT_EQ(reply.rejected().message(), "stream: no plan takes events of a stream \"Nobody\"");

  request = good;
  request.mutable_columns()->mutable_columns(4)->mutable_doubles()->add_values(1);
  reply = answer(request);
  EXPECT_EQ(reply.rejected().code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(reply.rejected().message(), "ts: expected long values, found double values");

  request = good;
  request.mutable_columns()->set_timestamps_ms(1, -7);
  reply = answer(request);
  ASSERT_EQ(reply.rejected().bad_rows_size(), 1);
  EXPECT_EQ(reply.rejected().bad_rows(0).row(), 1u);
  EXPECT_EQ(reply.rejected().bad_rows(0).field(), "timestamps_ms");

  request = good;
  request.clear_events();
  EXPECT_EQ(answer(request).rejected().message(), "events: neither columns nor rows are set");

  request = good;
  request.set_number(4);
  EXPECT_EQ(answer(request).rejected().message(),
            "number: a request without a producer has no number");
  request.set_producer(std::string(1000, 'p'));
  EXPECT_EQ(answer(request).rejected().message(), "producer: 1000 bytes, at most 256 are taken");

  EXPECT_EQ(answer(good).accepted().events(), 3u);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(server_->counters().requests_rejected, 6u);
  EXPECT_EQ(intake_.entries().size(), 1u);
}

TEST_F(GrpcMessages, PlainRowsAndTheMarkOfOneChunkAreTaken) {
  auto calls = stub();
  grpc::ClientContext context;
  auto stream = calls->Publish(&context);
  v1::PublishRequest request;
  request.set_stream("LoginStream");
  request.set_one_chunk(true);
  for (const char* name : {"risk", "username", "ip", "success", "region", "ts"}) {
    request.mutable_rows()->add_attributes(name);
  }
  v1::Row& row = *request.mutable_rows()->add_rows();
  row.set_timestamp_ms(77);
  row.add_values()->set_double_value(0.5);
  row.add_values()->set_string_value("ann");
  row.add_values();
  row.add_values()->set_bool_value(true);
  row.add_values()->set_string_value("region-07");
  row.add_values()->set_long_value(77);
  v1::PublishReply reply;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_EQ(reply.accepted().events(), 1u) << reply.rejected().message();
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EventBatchPtr batch = intake_.entries().at(0).batch;
  EXPECT_TRUE(batch->one_chunk());
  EXPECT_EQ(batch->value(0, 0), Value(std::string("ann")));
  EXPECT_TRUE(is_null(batch->value(0, 1)));
  EXPECT_EQ(batch->value(0, 5), Value(0.5));
  EXPECT_EQ(batch->timestamps()[0], 77);
}

TEST_F(GrpcMessages, AMessageThatIsNoRequestEndsTheStreamAfterTheAnswersBeforeIt) {
  grpc::GenericStub generic(
      grpc::CreateChannel(target_of(*server_), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto stream = generic.PrepareCall(&context, "/pollux.v1.Pollux/Publish", &queue);
  auto done = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  stream->StartCall(nullptr);
  ASSERT_TRUE(done());
  v1::PublishRequest good;
  good.set_stream("LoginStream");
  encode_columns(*logins(3), 0, 3, *good.mutable_columns());
  for (const std::string& bytes : {good.SerializeAsString(), std::string("\xFF\xFF\xFF\xFF")}) {
    grpc::Slice slice(bytes);
    stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    ASSERT_TRUE(done());
  }
  grpc::ByteBuffer reply;
  stream->Read(&reply, nullptr);
  EXPECT_TRUE(done()) << "the good request is answered";
  grpc::Status status;
  stream->Finish(&status, nullptr);
  ASSERT_TRUE(done());
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT) << status.error_message();
  EXPECT_EQ(server_->counters().protocol_violations, 1u);
}

}  // namespace
}  // namespace pollux
