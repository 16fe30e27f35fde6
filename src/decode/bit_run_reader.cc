#include "decode/bit_run_reader.h"

#include <algorithm>

#include <arrow/util/bitmap_ops.h>

#include "decode/bit_words.h"
#include "decode/run_header.h"

namespace hangar {

BitRunReader BitRunReader::Hybrid(const uint8_t* data, int64_t size) {
  BitRunReader reader;
  reader.data_ = data;
  reader.end_ = data + size;
  return reader;
}

BitRunReader BitRunReader::Packed(const uint8_t* data, int64_t size) {
  BitRunReader reader;
  reader.data_ = reader.end_ = data + size;
  reader.length_ = size * 8;
  reader.packed_ = data;
  return reader;
}

// Makes sure that there is a run with something left.
bool BitRunReader::BeginRun() {
  while (length_ == 0) {
    RunHeader header;
    if (!ReadRunHeader(&data_, end_, &header)) return false;
    repeated_ = header.repeated;
    if (repeated_) {
      if (data_ == end_ || *data_ > 1) return false;
      value_ = *data_++ == 1;
      length_ = header.count;
    } else {
      const int64_t groups = std::min<int64_t>(header.count, end_ - data_);
      packed_ = data_;
      packed_offset_ = 0;
      length_ = groups * 8;
      data_ += groups;
    }
  }
  return true;
}

// The next bits of the packed run, 1 to 64.
uint64_t BitRunReader::LoadPacked(int64_t count) const {
  const uint8_t* const from = packed_ + packed_offset_ / 8;
  // Most runs are short, and begin at a byte.
  if (packed_offset_ % 8 == 0 && end_ - from >= static_cast<int64_t>(sizeof(uint64_t))) {
    return LoadBits(from, 0, 64) & LowBits(count);
  }
  return LoadBits(packed_, packed_offset_, count);
}

bool BitRunReader::SkipOnes(int64_t count) {
  if (!BeginRun() || !repeated_ || !value_ || length_ < count) return false;
  length_ -= count;
  return true;
}

int64_t BitRunReader::Read(int64_t count, uint8_t* bits, int64_t offset) {
  BitAppender appender(bits, offset);
  while (count > 0) {
    if (!BeginRun()) return -1;
    const int64_t of_run = std::min(length_, count);
    for (int64_t left = of_run; left > 0;) {
      const int64_t part = std::min<int64_t>(left, 64);
      if (repeated_) {
        appender.Append(value_ ? LowBits(part) : 0, part);
      } else {
        appender.Append(LoadPacked(part), part);
        packed_offset_ += part;
      }
      left -= part;
    }
    length_ -= of_run;
    count -= of_run;
  }
  return appender.Finish();
}

int64_t BitRunReader::Skip(int64_t count) {
  int64_t ones = 0;
  while (count > 0) {
    if (!BeginRun()) return -1;
    const int64_t of_run = std::min(length_, count);
    if (repeated_) {
      ones += value_ ? of_run : 0;
    } else {
      ones += arrow::internal::CountSetBits(packed_, packed_offset_, of_run);
      packed_offset_ += of_run;
    }
    length_ -= of_run;
    count -= of_run;
  }
  return ones;
}

}  // namespace hangar
