#include "app/budgeted_pool.h"

#include <arrow/status.h>

namespace hangar {

arrow::Status BudgetedPool::Take(int64_t bytes) {
  // A negative size is the backend's to refuse.
  if (bytes <= 0 || budget_->TryTake(bytes)) return arrow::Status::OK();
  return arrow::Status::OutOfMemory(bytes, " bytes do not fit: ", budget_->taken_bytes(), " of ",
                                    budget_->capacity_bytes(), " are taken");
}

arrow::Status BudgetedPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  ARROW_RETURN_NOT_OK(Take(size));
  auto status = backend_->Allocate(size, alignment, out);
  if (!status.ok() && size > 0) budget_->Give(size);
  return status;
}

arrow::Status BudgetedPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                       uint8_t** buffer) {
  ARROW_RETURN_NOT_OK(Take(new_size));
  auto status = backend_->Reallocate(old_size, new_size, alignment, buffer);
  if (status.ok()) {
    budget_->Give(old_size);
  } else if (new_size > 0) {
    budget_->Give(new_size);
  }
  return status;
}

void BudgetedPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  backend_->Free(buffer, size, alignment);
  budget_->Give(size);
}

}  // namespace hangar
