#pragma once

#include <memory>

namespace grpc::experimental {
class ServerInterceptorFactoryInterface;
}

namespace hangar {

/// Flight's own mapping knows no gRPC code for some kinds of error (FAILED_PRECONDITION,
/// RESOURCE_EXHAUSTED, DATA_LOSS). This sets the code of each failed call by the kind that Flight
/// sends along in the trailers, and gives uploads whose first message Flight itself refuses the
/// code and the sentence that they should have.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeStatusInterceptor();

}  // namespace hangar
