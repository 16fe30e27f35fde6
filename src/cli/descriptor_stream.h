#pragma once

#include <memory>

#include <arrow/io/type_fwd.h>
#include <arrow/result.h>

namespace hangar::cli {

// Arrow's own file streams ask the system for their position, which pipes do not have.

/// What comes out of a file descriptor, which need not be seekable and is closed with the stream.
std::shared_ptr<arrow::io::InputStream> MakeDescriptorInput(int file_descriptor);

/// What goes into a file descriptor, which need not be seekable and is closed with the stream.
std::shared_ptr<arrow::io::OutputStream> MakeDescriptorOutput(int file_descriptor);

/// A copy of standard output's descriptor as a stream, so that closing it leaves the original open.
arrow::Result<std::shared_ptr<arrow::io::OutputStream>> OpenStandardOutput();

/// The same for standard input.
arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenStandardInput();

}  // namespace hangar::cli
