#include "sync/sync_plan.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace hangar::sync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// One path, "a": in the folder (size and time), on the server (version and size), at the last sync.
struct Case {
  std::vector<LocalFile> local;
  std::vector<RemoteFile> remote;
  std::vector<SyncedFile> synced;
};

SyncPlan Plan(const SyncOptions& options, const Case& is) {
  LocalFiles local;
  RemoteFiles remote;
  SyncedFiles synced;
  if (!is.local.empty()) local["a"] = is.local.front();
  if (!is.remote.empty()) remote["a"] = is.remote.front();
  if (!is.synced.empty()) synced["a"] = is.synced.front();
  return PlanSync(options, local, remote, synced);
}

constexpr int kNothing = -1;

// The one step, or kNothing.
int StepOf(const SyncOptions& options, const Case& is) {
  const SyncPlan plan = Plan(options, is);
  EXPECT_LE(plan.actions.size(), 1u);
  return plan.actions.empty() ? kNothing : static_cast<int>(plan.actions.front().step);
}

constexpr SyncOptions kUp{.direction = SyncDirection::kUp};
constexpr SyncOptions kDown{.direction = SyncDirection::kDown};

const LocalFile kFile{.bytes = 10, .modified_ns = 1};
const LocalFile kTouched{.bytes = 10, .modified_ns = 2};
const LocalFile kGrown{.bytes = 11, .modified_ns = 2};
const RemoteFile kDataset{.version = "v1", .bytes = 10};
const RemoteFile kRewritten{.version = "v2", .bytes = 10};
const RemoteFile kLonger{.version = "v2", .bytes = 12};
const SyncedFile kSynced{.version = "v1", .local = kFile, .sha256 = "s"};

MATCHER_P(IsStep, step, "") { return arg == static_cast<int>(step); }

TEST(PlanSync, DoesNothingWithWhatTheLastSyncLeft) {
  for (const auto& options : {kUp, kDown}) {
    const SyncPlan plan = Plan(options, {{kFile}, {kDataset}, {kSynced}});
    EXPECT_THAT(plan.actions, IsEmpty());
    EXPECT_EQ(plan.unchanged, 1);
  }
}

TEST(PlanSync, CopiesWhatIsInTheSourceOnly) {
  EXPECT_THAT(Plan(kUp, {{kFile}, {}, {}}).actions,
              ElementsAre(SyncAction{.step = SyncStep::kCopy, .path = "a", .bytes = 10}));
  EXPECT_THAT(
      Plan(kDown, {{}, {kDataset}, {}}).actions,
      ElementsAre(SyncAction{.step = SyncStep::kCopy, .path = "a", .bytes = 10, .version = "v1"}));
  // Also when it was there before.
  EXPECT_THAT(StepOf(kUp, {{kFile}, {}, {kSynced}}), IsStep(SyncStep::kCopy));
  EXPECT_THAT(StepOf(kDown, {{}, {kDataset}, {kSynced}}), IsStep(SyncStep::kCopy));
}

TEST(PlanSync, CopiesWhatChangedInTheSourceOverWhatTheLastSyncLeft) {
  EXPECT_THAT(
      Plan(kUp, {{kGrown}, {kDataset}, {kSynced}}).actions,
      ElementsAre(SyncAction{.step = SyncStep::kCopy, .path = "a", .bytes = 11, .version = "v1"}));
  EXPECT_THAT(StepOf(kUp, {{kTouched}, {kDataset}, {kSynced}}), IsStep(SyncStep::kCopy));
  EXPECT_THAT(
      Plan(kDown, {{kFile}, {kLonger}, {kSynced}}).actions,
      ElementsAre(SyncAction{.step = SyncStep::kCopy, .path = "a", .bytes = 12, .version = "v2"}));
}

TEST(PlanSync, ReportsWhatChangedInTheTarget) {
  for (const Case& is :
       {Case{{kFile}, {kLonger}, {kSynced}}, Case{{kGrown}, {kLonger}, {kSynced}}}) {
    const SyncPlan plan = Plan(kUp, is);
    ASSERT_EQ(plan.actions.size(), 1u);
    EXPECT_EQ(plan.actions.front().step, SyncStep::kConflict);
    EXPECT_EQ(plan.actions.front().reason, "changed in the target since the last sync");
  }
  EXPECT_THAT(StepOf(kDown, {{kGrown}, {kDataset}, {kSynced}}), IsStep(SyncStep::kConflict));
  EXPECT_THAT(StepOf(kDown, {{kGrown}, {kLonger}, {kSynced}}), IsStep(SyncStep::kConflict));
}

TEST(PlanSync, ReportsWhatNoSyncPutIntoTheTarget) {
  EXPECT_THAT(StepOf(kUp, {{kFile}, {kLonger}, {}}), IsStep(SyncStep::kConflict));
  EXPECT_THAT(StepOf(kDown, {{kFile}, {kLonger}, {}}), IsStep(SyncStep::kConflict));
}

TEST(PlanSync, ComparesWhatHasTheSameSizeAndMayBeTheSame) {
  for (const Case& is : {Case{{kFile}, {kDataset}, {}}, Case{{kFile}, {kRewritten}, {kSynced}},
                         Case{{kTouched}, {kRewritten}, {kSynced}}}) {
    EXPECT_THAT(StepOf(kUp, is), IsStep(SyncStep::kCompare));
  }
  EXPECT_THAT(StepOf(kDown, {{kTouched}, {kDataset}, {kSynced}}), IsStep(SyncStep::kCompare));
}

TEST(PlanSync, ReplacesWhatChangedInTheTargetWhenItIsTold) {
  const SyncOptions force{.direction = SyncDirection::kUp, .force = true};
  EXPECT_THAT(StepOf(force, {{kFile}, {kLonger}, {kSynced}}), IsStep(SyncStep::kCopy));
  EXPECT_THAT(StepOf(force, {{kFile}, {kLonger}, {}}), IsStep(SyncStep::kCopy));
  EXPECT_THAT(StepOf(force, {{kFile}, {kDataset}, {kSynced}}), testing::Eq(kNothing));
}

TEST(PlanSync, LeavesWhatIsInTheTargetOnly) {
  const SyncPlan plan = Plan(kUp, {{}, {kDataset}, {kSynced}});
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_EQ(plan.target_only, 1);
}

TEST(PlanSync, RemovesWhatTheLastSyncLeftWhenItIsTold) {
  const SyncOptions up{.direction = SyncDirection::kUp, .remove = true};
  const SyncOptions down{.direction = SyncDirection::kDown, .remove = true};
  EXPECT_THAT(Plan(up, {{}, {kDataset}, {kSynced}}).actions,
              ElementsAre(SyncAction{.step = SyncStep::kRemove, .path = "a", .version = "v1"}));
  EXPECT_THAT(StepOf(down, {{kFile}, {}, {kSynced}}), IsStep(SyncStep::kRemove));
  // Not what changed since, nor what never came from the source.
  EXPECT_THAT(StepOf(up, {{}, {kRewritten}, {kSynced}}), IsStep(SyncStep::kConflict));
  EXPECT_THAT(StepOf(up, {{}, {kDataset}, {}}), IsStep(SyncStep::kConflict));
  EXPECT_THAT(StepOf(down, {{kTouched}, {}, {kSynced}}), IsStep(SyncStep::kConflict));
  EXPECT_THAT(StepOf(down, {{kFile}, {}, {}}), IsStep(SyncStep::kConflict));
}

TEST(PlanSync, RemovesAnythingWhenItIsForced) {
  const SyncOptions up{.direction = SyncDirection::kUp, .remove = true, .force = true};
  EXPECT_THAT(StepOf(up, {{}, {kRewritten}, {kSynced}}), IsStep(SyncStep::kRemove));
  EXPECT_THAT(StepOf(up, {{}, {kDataset}, {}}), IsStep(SyncStep::kRemove));
}

TEST(PlanSync, GoesThroughBothSidesInOrderAndRemovesLast) {
  const SyncPlan plan = PlanSync({.direction = SyncDirection::kUp, .remove = true, .force = true},
                                 {{"b", kFile}, {"c", kFile}, {"e", kFile}},
                                 {{"a", kDataset}, {"c", kLonger}, {"d", kDataset}}, {});
  std::vector<std::string> paths;
  for (const SyncAction& action : plan.actions) paths.push_back(action.path);
  EXPECT_THAT(paths, ElementsAre("b", "c", "e", "a", "d"));
}

}  // namespace
}  // namespace hangar::sync
