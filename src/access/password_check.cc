#include "access/password_check.h"

#include <cstring>
#include <iterator>
#include <utility>

#include "access/password_hash.h"
#include "base/error.h"

namespace hangar {
namespace {

constexpr int64_t kHashesAtOnce = 2;
constexpr std::chrono::seconds kWaitMax{5};
constexpr size_t kWaitersMax = 32;
constexpr std::chrono::minutes kRememberedFor{5};
constexpr size_t kRememberedMax = 4096;

arrow::Status TooMany(ErrorKind kind, std::string_view what) {
  return Error(kind, "{}; try again in 10 s", what);
}

arrow::Status Wrong() {
  return MakeError(ErrorKind::kUnauthenticated, "the name or the password is wrong");
}

}  // namespace

size_t PasswordCheck::DigestHash::operator()(const Digest& digest) const {
  size_t hash;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

arrow::Result<std::unique_ptr<PasswordCheck>> PasswordCheck::Make(const std::string& user_file,
                                                                  std::shared_ptr<Logger> logger) {
  ARROW_ASSIGN_OR_RAISE(auto users,
                        ReloadedFile<Users>::Make(user_file, ParseUsers, std::move(logger)));
  return std::unique_ptr<PasswordCheck>(new PasswordCheck(std::move(users)));
}

PasswordCheck::PasswordCheck(std::unique_ptr<ReloadedFile<Users>> users)
    : users_(std::move(users)),
      turns_({.capacity_bytes = kHashesAtOnce * kPasswordHashBytes,
              .timeout = kWaitMax,
              .waiting_max = kWaitersMax}),
      remembered_(kRememberedMax) {}

arrow::Result<std::shared_ptr<const Identity>> PasswordCheck::Check(const std::string& source,
                                                                    const std::string& name,
                                                                    std::string_view password,
                                                                    FailureLimiter& limiter) {
  const auto users = users_->Current();
  if (users->empty()) return Wrong();
  const auto found = users->find(name);
  const bool is_user = found != users->end();
  const UserRecord& user = is_user ? found->second : StandInFor(name, *users);
  const Digest tag = key_.Tag({"right", name, password, user.password_hash});
  if (is_user && IsRemembered(tag)) return IdentityOfUser(name, user);

  if (!limiter.MayTryPassword(source, name, Clock::now())) {
    return TooMany(ErrorKind::kResourceExhausted, "there were too many failures to log in");
  }
  const auto matches = CompareInTurn(password, user, tag);
  if (!matches.ok()) {
    limiter.PasswordWasNotTried(source, name);
    return matches.status();
  }
  if (!is_user || !*matches) return Wrong();
  limiter.PasswordWasRight(source, name);
  Remember(tag);
  return IdentityOfUser(name, user);
}

// Many requests of one client arrive together: the first one's hash is the others' as well.
arrow::Result<bool> PasswordCheck::CompareInTurn(std::string_view password, const UserRecord& user,
                                                 const Digest& tag) {
  const auto turn = turns_.Admit(kPasswordHashBytes, /*is_cancelled=*/{});
  if (!turn.ok()) {
    return TooMany(ErrorKind::kUnavailable, "too many want to log in at the same time");
  }
  if (IsRemembered(tag)) return true;
  hashes_.fetch_add(1, std::memory_order_relaxed);
  return PasswordMatches(password, user.password_hash);
}

const UserRecord& PasswordCheck::StandInFor(const std::string& name, const Users& users) const {
  const Digest tag = key_.Tag({"stand-in", name});
  const size_t number = DigestHash()(tag) % users.size();
  return std::next(users.begin(), static_cast<std::ptrdiff_t>(number))->second;
}

bool PasswordCheck::IsRemembered(const Digest& tag) {
  const MutexLock lock(mutex_);
  const auto* until = remembered_.Find(tag);
  return until != nullptr && Clock::now() < *until;
}

void PasswordCheck::Remember(const Digest& tag) {
  const MutexLock lock(mutex_);
  const auto until = Clock::now() + kRememberedFor;
  remembered_.FindOrAdd(tag, until) = until;
}

std::shared_ptr<const Identity> IdentityOfUser(const std::string& name, const UserRecord& user) {
  Identity identity{.kind = IdentityKind::kUser, .name = name};
  identity.groups = user.groups;
  return std::make_shared<const Identity>(std::move(identity));
}

}  // namespace hangar
