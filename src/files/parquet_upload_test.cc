#include "files/parquet_upload.h"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include <arrow/buffer.h>
#include <arrow/util/io_util.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "files/sha256.h"

namespace hangar {
namespace {

class ParquetUploadTest : public testing::Test {
 protected:
  std::string Write(const std::string& bytes) {
    std::ofstream(path_, std::ios::trunc) << bytes;
    return path_;
  }

  const std::unique_ptr<arrow::internal::TemporaryDir> folder_ =
      *arrow::internal::TemporaryDir::Make("hangar-upload-");
  const std::string path_ = folder_->path().ToString() + "a.parquet";
};

const std::string kBytes = "PAR1 anything at all PAR1";

TEST_F(ParquetUploadTest, GivesTheFilesBytesAndTheirDigest) {
  Sha256 digest;
  const auto upload = ParquetUpload::Open(Write(kBytes), &digest).ValueOrDie();
  EXPECT_EQ(upload->size_bytes(), static_cast<int64_t>(kBytes.size()));
  std::string bytes;
  while (true) {
    const auto piece = upload->Read(7).ValueOrDie();
    if (piece->size() == 0) break;
    bytes += piece->ToString();
  }
  EXPECT_EQ(bytes, kBytes);
  // sha256sum's.
  EXPECT_EQ(digest.Finish(), "427aa60596d792be9ed6bebea02364defa656a7a1551d179dd66301304bc6b12");
}

TEST_F(ParquetUploadTest, RefusesWhatIsNoParquetFile) {
  for (const char* bytes : {"", "PAR1", "PAR1PAR1", "id,name\n1,Mario\n2,Luigi\n",
                            "PAR1 but it was cut off", "not at the start, though PAR1"}) {
    const arrow::Status status = ParquetUpload::Open(Write(bytes)).status();
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument) << bytes;
    EXPECT_THAT(status.message(), testing::HasSubstr("is not a Parquet file"));
  }
  EXPECT_EQ(KindOf(ParquetUpload::Open(folder_->path().ToString()).status()),
            ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(ParquetUpload::Open("/no/such/file").status()), ErrorKind::kNotFound);
}

TEST_F(ParquetUploadTest, FailsAtItsEndWhenTheFileChangedMeanwhile) {
  const auto upload = ParquetUpload::Open(Write(kBytes)).ValueOrDie();
  ASSERT_TRUE(upload->Read(7).ok());
  std::ofstream(path_, std::ios::app) << "more";
  ASSERT_TRUE(upload->Read(1000).ok());
  EXPECT_EQ(KindOf(upload->Read(1000).status()), ErrorKind::kFailedPrecondition);
}

TEST(Sha256, IsThatOfTheStandardsExamples) {
  Sha256 empty;
  EXPECT_EQ(empty.Finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 abc;
  abc.Update("a");
  abc.Update("bc");
  EXPECT_EQ(abc.Finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace hangar
