#include "decode/level_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "decode/bit_words.h"
#include "decode/run_header.h"

namespace hangar {

LevelReader LevelReader::Hybrid(const uint8_t* data, int64_t size, int max_level) {
  LevelReader reader;
  reader.data_ = data;
  reader.end_ = data + size;
  reader.width_ = std::bit_width(static_cast<uint32_t>(max_level));
  return reader;
}

LevelReader LevelReader::Packed(const uint8_t* data, int64_t size, int max_level) {
  LevelReader reader = Hybrid(data, size, max_level);
  reader.length_ = size * 8 / reader.width_;
  return reader;
}

// Makes sure that there is a run with something left.
bool LevelReader::BeginRun() {
  while (length_ == 0) {
    RunHeader header;
    if (!ReadRunHeader(&data_, end_, &header)) return false;
    repeated_ = header.repeated;
    if (repeated_) {
      if (data_ == end_) return false;
      value_ = *data_++;
      length_ = header.count;
    } else {
      length_ = std::min<int64_t>(header.count, (end_ - data_) / width_) * kGroup;
    }
  }
  return true;
}

// Eight values of `width_` bits become bytes in three steps, each of which moves the upper half of
// what stands together to the middle of its room.
void LevelReader::Unpack(int64_t groups, uint8_t* levels) {
  // Locals: the compiler cannot know that the levels are not written over the members.
  const uint8_t* data = data_;
  const uint8_t* const end = end_;
  const int width = width_;
  const uint64_t halves = LowBits(4 * width);
  const uint64_t quarters = LowBits(2 * width) * 0x0000'0001'0000'0001;
  const uint64_t eighths = LowBits(width) * 0x0001'0001'0001'0001;
  for (; groups > 0; --groups, levels += kGroup) {
    uint64_t values = 0;
    const int64_t left = end - data;
    if (left >= static_cast<int64_t>(sizeof(values))) {
      std::memcpy(&values, data, sizeof(values));
    } else {
      std::memcpy(&values, data, static_cast<size_t>(left));
    }
    data += std::min<int64_t>(width, left);
    values = (values & halves) | ((values >> 4 * width & halves) << 32);
    values = (values & quarters) | ((values >> 2 * width & quarters) << 16);
    values = (values & eighths) | ((values >> width & eighths) << 8);
    std::memcpy(levels, &values, sizeof(values));
  }
  data_ = data;
}

// Some of the next `count` levels of the packed run; how many.
int64_t LevelReader::ReadPacked(int64_t count, uint8_t* levels) {
  if (group_left_ == 0) {
    const int64_t groups = count / kGroup;
    Unpack(groups, levels);
    if (groups > 0) return groups * kGroup;
    Unpack(1, group_);
    group_left_ = kGroup;
  }
  const int64_t of_group = std::min<int64_t>(count, group_left_);
  std::memcpy(levels, group_ + (kGroup - group_left_), static_cast<size_t>(of_group));
  group_left_ -= static_cast<int>(of_group);
  return of_group;
}

bool LevelReader::Read(int64_t count, uint8_t* levels) {
  while (count > 0) {
    if (!BeginRun()) return false;
    int64_t of_run = std::min(length_, count);
    if (repeated_) {
      std::memset(levels, value_, static_cast<size_t>(of_run));
    } else {
      of_run = ReadPacked(of_run, levels);
    }
    length_ -= of_run;
    levels += of_run;
    count -= of_run;
  }
  return true;
}

}  // namespace hangar
