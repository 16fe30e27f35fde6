#include "http/http_date.h"

#include <array>
#include <charconv>
#include <format>

namespace hangar {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes a date's text from the left; after the first thing that is not there all else fails, too.
class DateText {
 public:
  explicit DateText(std::string_view text) : rest_(text) {}

  void Literal(std::string_view text) {
    good_ = good_ && rest_.starts_with(text);
    if (good_) rest_.remove_prefix(text.size());
  }

  template <size_t kCount>
  int OneOf(const std::array<std::string_view, kCount>& names) {
    for (size_t i = 0; i < kCount; ++i) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(names[i].size());
      return static_cast<int>(i);
    }
    good_ = false;
    return 0;
  }

  int Digits(size_t count) {
    int value = 0;
    const std::string_view digits = rest_.substr(0, count);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    good_ = good_ && digits.size() == count && error == std::errc() &&
            end == digits.data() + count && value >= 0;
    if (!good_) return 0;
    rest_.remove_prefix(count);
    return value;
  }

  bool IsNext(std::string_view text) const { return rest_.starts_with(text); }
  bool IsWhole() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

struct TimeOfDay {
  int hour = 0;
  int minute = 0;
  int second = 0;
};

TimeOfDay TakeTime(DateText* text) {
  TimeOfDay time;
  time.hour = text->Digits(2);
  text->Literal(":");
  time.minute = text->Digits(2);
  text->Literal(":");
  time.second = text->Digits(2);
  return time;
}

std::optional<HttpTime> Combine(int year, int month, int day, const TimeOfDay& time) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month) + 1),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // 60 is a leap second.
  if (!date.ok() || time.hour > 23 || time.minute > 59 || time.second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(time.hour) +
         std::chrono::minutes(time.minute) + std::chrono::seconds(time.second);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<HttpTime> ParseImfDate(std::string_view all) {
  DateText text(all);
  text.OneOf(kDays);
  text.Literal(", ");
  const int day = text.Digits(2);
  text.Literal(" ");
  const int month = text.OneOf(kMonths);
  text.Literal(" ");
  const int year = text.Digits(4);
  text.Literal(" ");
  const TimeOfDay time = TakeTime(&text);
  text.Literal(" GMT");
  return text.IsWhole() ? Combine(year, month, day, time) : std::nullopt;
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<HttpTime> ParseRfc850Date(std::string_view all, HttpTime now) {
  DateText text(all);
  text.OneOf(kLongDays);
  text.Literal(", ");
  const int day = text.Digits(2);
  text.Literal("-");
  const int month = text.OneOf(kMonths);
  text.Literal("-");
  const int year_of_century = text.Digits(2);
  text.Literal(" ");
  const TimeOfDay time = TakeTime(&text);
  text.Literal(" GMT");
  if (!text.IsWhole()) return std::nullopt;
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  int year = static_cast<int>(today.year()) / 100 * 100 + year_of_century;
  if (year > static_cast<int>(today.year()) + 50) year -= 100;
  return Combine(year, month, day, time);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<HttpTime> ParseAsctimeDate(std::string_view all) {
  DateText text(all);
  text.OneOf(kDays);
  text.Literal(" ");
  const int month = text.OneOf(kMonths);
  text.Literal(" ");
  const bool one_digit = text.IsNext(" ");
  if (one_digit) text.Literal(" ");
  const int day = text.Digits(one_digit ? 1 : 2);
  text.Literal(" ");
  const TimeOfDay time = TakeTime(&text);
  text.Literal(" ");
  const int year = text.Digits(4);
  return text.IsWhole() ? Combine(year, month, day, time) : std::nullopt;
}

}  // namespace

std::string FormatHttpDate(HttpTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss clock{time - days};
  return std::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(days).c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

std::optional<HttpTime> ParseHttpDate(std::string_view text, HttpTime now) {
  if (const auto time = ParseImfDate(text)) return time;
  if (const auto time = ParseRfc850Date(text, now)) return time;
  return ParseAsctimeDate(text);
}

}  // namespace hangar
