#pragma once

#include <functional>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar {

/// Changes a file that shows who people are: takes a lock that keeps two changes apart, gives the
/// file's text to `change` (empty for a file that is not there), and puts the text that comes back
/// in the file's place in one step, so that whoever reads the file finds the old or the new one,
/// whole, also after a crash. A new file is its owner's alone (mode 600); one that was there keeps
/// its owner and group, and of its mode what others do not get. Blocks while another process
/// changes a file of the same folder. Errors are `change`'s, or FAILED_PRECONDITION; the file is
/// then as it was.
arrow::Status ChangeCredentialFile(
    const std::string& path,
    const std::function<arrow::Result<std::string>(const std::string& text)>& change);

/// The file's text. NOT_FOUND when it is not there, FAILED_PRECONDITION when it cannot be read.
arrow::Result<std::string> ReadCredentialFile(const std::string& path);

}  // namespace hangar
